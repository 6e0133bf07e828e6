package io.pbft.simulator.node;

import io.pbft.checkpoint.StateStore;
import io.pbft.simulator.world.DiskHealth;
import java.util.function.Consumer;

/** The state store of one replica on its virtual disk, which outlives the replica's process. */
public interface Stores {
    /**
     * Opens what is durable.
     *
     * @param failed told when the disk does not take what is written to it; the store then does nothing more
     */
    StateStore open(DiskHealth health, Consumer<Throwable> failed);

    /** The process is gone: what is not durable is lost. */
    void crash();

    /** The disk is gone, and an empty one stands in its place. */
    void lose();
}
