package io.pbft.client;

/** The client is closed: the operation was not sent, and will never be executed. */
public final class ClosedException extends PbftException {
    private static final long serialVersionUID = 1L;

    ClosedException(String message) {
        super(message);
    }
}
