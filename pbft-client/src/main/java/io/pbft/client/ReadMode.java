package io.pbft.client;

/** What a read promises. */
public enum ReadMode {
    /** Ordered and executed like a write: linearizable, and it comes with a {@link Receipt}. */
    ORDERED,
    /**
     * Answered by a quorum of replicas from their committed state: linearizable, in one round trip, without a receipt. When the
     * answers differ, or do not come in time, it is ordered instead.
     */
    FAST,
    /**
     * Answered by f + 1 replicas, one of which is correct, from their committed state: true at some moment, but it may be old,
     * and a later read may be older. {@link Reply#seq()} says how old at most. Ordered when f + 1 equal answers do not come.
     */
    STALE
}
