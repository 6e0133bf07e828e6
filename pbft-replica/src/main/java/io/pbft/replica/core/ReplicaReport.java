package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import java.util.Map;
import java.util.Optional;

/**
 * What observers read of a replica: a value, never live state.
 *
 * @param executedOperations operations that were run since this process started
 * @param stateRoot the root of the last checkpoint taken here
 * @param logSlots sequence numbers of the window about which something is held
 * @param queued requests that wait to be proposed or to be executed
 * @param answers answers that are kept for clients to ask for again
 * @param resultBytes the bytes of the results in them; those that count nothing left out ({@link ResultRoom})
 * @param ignored messages that changed nothing, by reason
 * @param timer the timer that runs; none where there is nothing to wait for
 */
public record ReplicaReport(
        int replica,
        Status status,
        long view,
        boolean primary,
        long lastExecuted,
        long stableCheckpoint,
        Digest stateRoot,
        long executedOperations,
        int logSlots,
        int queued,
        int answers,
        long resultBytes,
        long viewChanges,
        Map<String, Long> ignored,
        Optional<Timer> timer) {
    /** What a replica waits for, at the end of which it leaves the view. */
    public enum Awaited {
        /** For the primary to bring a request to execution. */
        REQUEST,
        /** For the NEW-VIEW of a view that a quorum wants. */
        NEW_VIEW
    }

    /**
     * A timer that runs.
     *
     * @param sinceTick when it was started, or started anew, in ticks since this process started
     * @param ticks how long after that it expires
     */
    public record Timer(Awaited awaited, long sinceTick, long ticks) {}

    /** What a replica is doing. */
    public enum Status {
        /** In a view, voting. */
        NORMAL,
        /** Has left its view and waits for the next one's NEW-VIEW. */
        VIEW_CHANGE,
        /** Without its disk: executes what others decided, does not vote yet. */
        REJOINING
    }
}
