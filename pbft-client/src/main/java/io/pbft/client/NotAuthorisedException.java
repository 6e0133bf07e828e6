package io.pbft.client;

/** This client is not one that the cluster knows, or its key is not the one that the cluster knows it by. */
public final class NotAuthorisedException extends PbftException {
    private static final long serialVersionUID = 1L;

    NotAuthorisedException(String message) {
        super(message);
    }
}
