package io.pbft.replica.core;

import org.jspecify.annotations.Nullable;

/**
 * The replica's own state contradicts itself: a bug, never something that a peer can cause. The replica halts, since what it
 * would say next could be wrong.
 */
public final class InvariantViolation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    InvariantViolation(String message) {
        super(message);
    }

    /** {@code value}, which the invariant says is there. */
    static <T> T present(@Nullable T value, String invariant) {
        if (value == null) {
            throw new InvariantViolation(invariant);
        }
        return value;
    }

    static void check(boolean holds, String invariant) {
        if (!holds) {
            throw new InvariantViolation(invariant);
        }
    }
}
