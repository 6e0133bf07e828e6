package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/**
 * The disk did not do what it must. Says what was being done, on which file, what the system answered, and what to do.
 * The replica halts: what it does not know to be durable it does not say.
 */
public final class StorageFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean damage;

    public StorageFailure(String message) {
        this(message, false);
    }

    public StorageFailure(String message, Throwable cause) {
        super(message, cause);
        damage = false;
    }

    private StorageFailure(String message, boolean damage) {
        super(message);
        this.damage = damage;
    }

    /** What is on the disk is not what was written, or is gone: no new try helps. */
    public static StorageFailure damaged(String message) {
        return new StorageFailure(message, true);
    }

    public boolean isDamage() {
        return damage;
    }

    /** What the system answered, in words. */
    static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof NoSuchFileException) {
            return "no such file";
        }
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }
}
