package io.pbft.client;

import java.util.concurrent.CompletableFuture;

/**
 * The operation was sent, and then its deadline passed: it may have been executed, it may yet be, or never. It is executed once
 * at most in any case.
 *
 * <p>Do not submit the operation again to make sure: that would be a second operation. Wait for {@link #later()} instead: as long
 * as nobody else needs its place, the client goes on sending it under the same number, which no replica executes twice.
 */
public final class OutcomeUnknownException extends PbftException {
    private static final long serialVersionUID = 1L;

    private final transient CompletableFuture<Reply> later;

    OutcomeUnknownException(String message, CompletableFuture<Reply> later) {
        super(message);
        this.later = later;
    }

    /**
     * Completes like the operation's own future would have, when its outcome becomes known after all; fails with an
     * {@link OutcomeUnknownException} when the client gives it up for good or is closed.
     */
    public CompletableFuture<Reply> later() {
        return later;
    }
}
