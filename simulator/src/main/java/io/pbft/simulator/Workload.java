package io.pbft.simulator;

/** What the clients of a run do. */
public enum Workload {
    /** Puts, reads, deletes, compare-and-sets and increments on a few keys. */
    KV,
    /** Appends to a few lists, and reads of them. */
    APPEND,
    /** Increments of a few counters, and reads of them. */
    COUNTER
}
