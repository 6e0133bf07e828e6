package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/**
 * The disk did not do what it must. Says what was being done, on which file, what the system answered, and what to do.
 * The replica halts: what it does not know to be durable it does not say.
 */
public final class StorageFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What of a replica's folder is damaged. They are repaired in different ways. */
    public enum Part {
        /** What it promised: nobody else can tell, so it has to rejoin. */
        JOURNAL,
        /** The replicated state: the others have it too. */
        STATE
    }

    private final @Nullable Part damaged;

    public StorageFailure(String message) {
        this(message, (Part) null);
    }

    public StorageFailure(String message, Throwable cause) {
        super(message, cause);
        damaged = null;
    }

    private StorageFailure(String message, @Nullable Part damaged) {
        super(message);
        this.damaged = damaged;
    }

    /** What is on the disk is not what was written, or is gone: no new try helps. */
    public static StorageFailure damaged(Part part, String message) {
        return new StorageFailure(message, part);
    }

    public boolean isDamageOf(Part part) {
        return damaged == part;
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
