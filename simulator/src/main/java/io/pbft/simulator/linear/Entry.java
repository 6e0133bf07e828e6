package io.pbft.simulator.linear;

import java.util.Optional;

/**
 * One operation of a history.
 *
 * @param client who asked: only for the reader of a counter-example
 * @param invokedAt when it was asked for
 * @param returnedAt when its answer came; {@link #NEVER} when none did: then it may have taken effect at any time after
 *     {@code invokedAt}, or not at all
 */
public record Entry<I, O>(int client, I input, long invokedAt, Optional<O> output, long returnedAt) {
    public static final long NEVER = Long.MAX_VALUE;

    public Entry {
        if (returnedAt < invokedAt) {
            throw new IllegalArgumentException("returned at " + returnedAt + " before it was invoked at " + invokedAt);
        }
        if (output.isPresent() && returnedAt == NEVER) {
            throw new IllegalArgumentException("an operation with an answer has returned");
        }
    }
}
