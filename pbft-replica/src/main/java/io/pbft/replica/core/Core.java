package io.pbft.replica.core;

/**
 * What a driver drives: a correct replica, or, in a simulation, a Byzantine one that wraps a correct one and rewrites its
 * effects. One thread calls it.
 */
public interface Core {
    /** Takes one input and appends what is to be done. The same state and input give the same effects. */
    void step(Input input, Effects out);

    ReplicaReport report();
}
