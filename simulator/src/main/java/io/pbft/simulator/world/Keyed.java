package io.pbft.simulator.world;

/**
 * The world's chance. A decision is a function of (seed, kind of fault, key of what it is about, occurrence) and of nothing
 * else: there is no stream that everybody draws from, so taking one fault out of a run leaves every other decision as it was.
 * That is what makes a failing run shrink. Fired faults are noted in the {@link FaultPlan}. NOT thread-safe.
 */
public final class Keyed {
    private static final double UNIT = 0x1.0p-53;

    private final long seed;
    private final FaultPlan plan;

    public Keyed(long seed, FaultPlan plan) {
        this.seed = seed;
        this.plan = plan;
    }

    /** 64 bits for this decision. */
    public long bits(Fault kind, long key, long occurrence) {
        return Mix.mix(seed, kind.code(), key, occurrence);
    }

    /** A number from 0 (inclusive) to 1 (exclusive). */
    public double unit(Fault kind, long key, long occurrence) {
        return (bits(kind, key, occurrence) >>> 11) * UNIT;
    }

    /** A number from {@code min} to {@code max}, both inclusive. */
    public long between(Fault kind, long key, long occurrence, long min, long max) {
        return max <= min ? min : min + Long.remainderUnsigned(bits(kind, key, occurrence), max - min + 1);
    }

    /** Whether this fault happens, and if so writes it into the plan, unless the plan has it taken out. */
    public boolean fires(Fault kind, double probability, long key, long occurrence, long now) {
        if (probability <= 0) {
            return false;
        }
        long bits = bits(kind, key, occurrence);
        if ((bits >>> 11) * UNIT >= probability || plan.isRemoved(kind, bits)) {
            return false;
        }
        if (kind.planned()) {
            plan.fired(kind, bits, now);
        }
        return true;
    }
}
