package io.pbft.cli;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.function.LongSupplier;

/**
 * Keeps the memory of a replica near what it needs. The serial collector lets the old generation grow to its limit before it
 * looks at it for the first time, and what a log lives for, a second or two, is enough to get there: four fifths of a busy
 * replica's heap are garbage. So it is collected as soon as it has grown by half and {@link #ROOM_BYTES} since the last time.
 * A collection takes as long as what lives there takes, and would come anyway, only less often. NOT thread-safe.
 */
final class HeapKeeper {
    /** How much may be garbage, whatever lives. */
    static final long ROOM_BYTES = 32L << 20;

    private static final long INTERVAL_MILLIS = 1_000;

    private final LongSupplier used;
    private final Runnable collection;
    private long bound = ROOM_BYTES;

    /**
     * @param used bytes in use in the old generation, garbage included
     * @param collection collects it
     */
    HeapKeeper(LongSupplier used, Runnable collection) {
        this.used = used;
        this.collection = collection;
    }

    /** Watches for as long as the process lives; does nothing where another collector is at work, which does this itself. */
    static void start() {
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            if (pool.getType() == MemoryType.HEAP && pool.getName().equals("Tenured Gen")) {
                HeapKeeper keeper = new HeapKeeper(
                        () -> {
                            MemoryUsage usage = pool.getUsage();
                            return usage == null ? 0 : usage.getUsed();
                        },
                        System::gc);
                Thread thread = new Thread(keeper::watch, "pbft-heap");
                thread.setDaemon(true);
                thread.start();
            }
        }
    }

    private void watch() {
        while (true) {
            look();
            try {
                Thread.sleep(INTERVAL_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Collects where too much may be garbage. */
    void look() {
        if (used.getAsLong() > bound) {
            collection.run();
            long lives = used.getAsLong();
            bound = lives + lives / 2 + ROOM_BYTES;
        }
    }
}
