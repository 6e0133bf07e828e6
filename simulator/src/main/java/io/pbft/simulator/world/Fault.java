package io.pbft.simulator.world;

/** What chance decides in the world, with the number that tells the kinds apart: it is part of every seed's meaning. */
public enum Fault {
    LATENCY(1, false),
    TAIL(2, true),
    DROP(3, true),
    DUPLICATE(4, true),
    REORDER(5, true),
    FLIP(6, true),
    DISK_LATENCY(7, false),
    TORN_WRITE(8, true),
    TWIN_SIDE(9, false),
    LIE(10, true),
    MUTATE(11, true),
    WORKLOAD(12, false),
    SWARM(13, false),
    KEY(14, false),
    SLOW_DISK(15, false),
    MISDIRECT(16, true),
    TRUST(17, false);

    private final long code;
    private final boolean planned;

    Fault(long code, boolean planned) {
        this.code = code;
        this.planned = planned;
    }

    long code() {
        return code;
    }

    /** Whether a fired decision of this kind is a fault that can be taken out of a run, and so stands in its plan. */
    public boolean planned() {
        return planned;
    }
}
