package io.pbft.simulator.node;

import io.pbft.checkpoint.StateStore;

/** The state store of one replica on its virtual disk, which outlives the replica's process. */
public interface Stores {
    /** Opens what is durable. */
    StateStore open();

    /** The process is gone: what is not durable is lost. */
    void crash();

    /** The disk is gone, and an empty one stands in its place. */
    void lose();
}
