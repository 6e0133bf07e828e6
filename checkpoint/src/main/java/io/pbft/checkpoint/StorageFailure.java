package io.pbft.checkpoint;

/**
 * The disk did not do what it must. Says what was being done, on which file, what the system answered, and what to do. The
 * replica halts: what it does not know to be durable it does not say.
 */
public final class StorageFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public StorageFailure(String message) {
        super(message);
    }

    public StorageFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
