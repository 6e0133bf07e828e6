package io.pbft.client;

/**
 * Too much is outstanding, see {@link ClientConfig#outstandingMax()}. The operation was not sent and never will be: to submit it
 * again, later, is safe.
 */
public final class OverloadedException extends PbftException {
    private static final long serialVersionUID = 1L;

    OverloadedException(String message) {
        super(message);
    }
}
