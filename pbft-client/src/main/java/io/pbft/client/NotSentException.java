package io.pbft.client;

/**
 * The deadline passed before the operation could be sent, as no replica could be reached or earlier operations were not
 * answered. It is certain that it was not executed and never will be: to submit it again is safe.
 */
public final class NotSentException extends PbftException {
    private static final long serialVersionUID = 1L;

    NotSentException(String message) {
        super(message);
    }
}
