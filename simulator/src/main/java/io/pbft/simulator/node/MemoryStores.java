package io.pbft.simulator.node;

import io.pbft.checkpoint.MemoryStateStore;
import io.pbft.checkpoint.StateStore;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.world.DiskHealth;
import java.util.function.Consumer;

/**
 * The state store of one replica in memory, on a virtual disk that outlives the replica's process and takes its time. Writes
 * become durable in the order in which they were made; what a crash overtakes never does. NOT thread-safe.
 */
public final class MemoryStores {
    private final World world;
    private final long key;
    private final MemoryStateStore.Disk disk = new MemoryStateStore.Disk();
    private long opened;
    private long writes;
    private long lastWriteEnds;

    /** @param key names the disk to chance */
    public MemoryStores(World world, long key) {
        this.world = world;
        this.key = key;
    }

    /**
     * Opens what is durable.
     *
     * @param failed told when the disk does not take what is written to it, or the store cannot; it then does nothing more
     */
    public StateStore open(DiskHealth health, Consumer<Throwable> failed) {
        long self = ++opened;
        return new MemoryStateStore(disk, write -> schedule(self, health, write, failed));
    }

    private void schedule(long by, DiskHealth health, Runnable write, Consumer<Throwable> failed) {
        SimOptions.Disk latency = world.options().disk();
        long micros = health.writeMicros(
                world.keyed(), ~key, writes++, latency.latencyMinMicros(), latency.latencyMaxMicros());
        lastWriteEnds = Math.max(lastWriteEnds, world.now() + micros);
        world.events().at(lastWriteEnds, () -> {
            if (by != opened) {
                return;
            }
            if (health.isFailing()) {
                opened++;
                failed.accept(new StorageFailure("the disk refuses to write the state"));
            } else {
                run(write, failed);
            }
        });
    }

    private void run(Runnable write, Consumer<Throwable> failed) {
        try {
            write.run();
        } catch (RuntimeException e) {
            opened++;
            failed.accept(e);
        }
    }

    /** The process is gone: what is not durable is lost. */
    public void crash() {
        opened++;
    }

    /** The disk is gone, and an empty one stands in its place. */
    public void lose() {
        opened++;
        disk.wipe();
    }
}
