package io.pbft.simulator.world;

/**
 * How a replica's disk fares; its journal and its state lie on the same one. A disk that fails reports an error for every write
 * and every synchronization that ends while it does; one that is slow takes ten to a hundred times as long. NOT thread-safe.
 */
public final class DiskHealth {
    private static final long SLOW_FACTOR_MIN = 10;
    private static final long SLOW_FACTOR_MAX = 100;

    private boolean failing;
    private boolean slow;

    public boolean isFailing() {
        return failing;
    }

    public void failing(boolean value) {
        failing = value;
    }

    public void slow(boolean value) {
        slow = value;
    }

    /** How long the write {@code number} takes, in virtual microseconds, on the disk that is {@code key} to chance. */
    public long writeMicros(Keyed keyed, long key, long number, long minMicros, long maxMicros) {
        long micros = keyed.between(Fault.DISK_LATENCY, key, number, minMicros, maxMicros);
        return slow ? micros * keyed.between(Fault.SLOW_DISK, key, number, SLOW_FACTOR_MIN, SLOW_FACTOR_MAX) : micros;
    }
}
