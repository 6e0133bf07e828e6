package io.pbft.replica.core;

import java.util.Arrays;

/**
 * The timed checkpoint of a quiet system (trap 51). A replica that lost its disk votes again from a stable checkpoint on
 * that lies beyond all that it may have voted for; where nobody asks for anything, no number would ever reach it. So once
 * nothing has been executed for {@link #QUIET_INTERVALS} status intervals, the primary orders null requests up to the
 * checkpoint that somebody says to wait for. NOT thread-safe.
 *
 * <p>Whoever says so may be lying. Each replica has so many null requests to its credit as the longest honest wait can need, two
 * windows and a checkpoint interval, and gets one back each status interval: a liar costs the others that many rounds of
 * agreement once, and one for each status interval from then on.
 */
final class Padding {
    /** Status intervals without execution after which a system is quiet. */
    static final int QUIET_INTERVALS = 3;

    private final ReplicaState state;
    private final long creditMax;
    private final int intervalTicks;

    /** The checkpoint that each replica says to wait for; 0 for none. */
    private final long[] awaited;

    private final long[] credit;

    Padding(ReplicaState state) {
        this.state = state;
        this.creditMax = 2L * state.parameters.window() + state.parameters.checkpointInterval();
        this.intervalTicks = state.ticks(state.parameters.statusIntervalMillis());
        this.awaited = new long[state.quorum.replicas()];
        this.credit = new long[state.quorum.replicas()];
        Arrays.fill(credit, creditMax);
    }

    /** {@code replica} says that it waits for a stable checkpoint at {@code seq} or beyond; 0: for none. */
    void awaits(int replica, long seq) {
        awaited[replica] = seq;
    }

    void tick() {
        if (state.tick % intervalTicks == 0) {
            for (int replica = 0; replica < credit.length; replica++) {
                credit[replica] = Math.min(creditMax, credit[replica] + 1);
            }
        }
    }

    /** Whether a null request is to be ordered at {@code seq}; it is taken off the credit of the one who waits. */
    boolean isDue(long seq) {
        if (state.tick - state.progressTick < (long) QUIET_INTERVALS * intervalTicks) {
            return false;
        }
        for (int replica = 0; replica < credit.length; replica++) {
            // Nobody honest waits for more than its credit is worth.
            boolean waits =
                    replica != state.self && awaited[replica] - seq <= creditMax && seq <= end(awaited[replica]);
            if (waits && credit[replica] > 0) {
                credit[replica]--;
                return true;
            }
        }
        return false;
    }

    /** The first checkpoint that is not below {@code seq}. */
    private long end(long seq) {
        long interval = state.parameters.checkpointInterval();
        return (seq / interval + (seq % interval == 0 ? 0 : 1)) * interval;
    }
}
