package io.pbft.simulator.node;

import io.pbft.checkpoint.MemoryStateStore;
import io.pbft.checkpoint.StateStore;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.world.DiskHealth;
import java.util.function.Consumer;

/**
 * The state store in memory, over a virtual disk that takes its time. Writes become durable in the order in which they were made;
 * what a crash overtakes never does. NOT thread-safe.
 */
public final class MemoryStores implements Stores {
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

    @Override
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
                write.run();
            }
        });
    }

    @Override
    public void crash() {
        opened++;
    }

    @Override
    public void lose() {
        opened++;
        disk.wipe();
    }
}
