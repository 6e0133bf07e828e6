package io.pbft.replica.core;

import io.pbft.protocol.Batch;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.List;

/**
 * Whether the primary is slow to everybody, by a little less than what the request timer forgives (trap 68): judged by the time
 * that it takes to propose what this replica told it of. NOT thread-safe.
 *
 * <p>A correct primary proposes at once what it knows while its pipeline has room. So a backup counts how long a request that it
 * handed to the primary stays unproposed, and of that only the ticks in which <em>nothing at all is in flight here</em>: then the
 * pipeline is empty, and neither agreement, nor disks, nor execution can be what is waited for. A request that was proposed only
 * after half of the request timeout of such ticks counts as slow.
 *
 * <p>Aardvark (NSDI'09, section 4.1.3) demands of each view a share of the throughput of those before it and asks for more and
 * more, so that every primary is replaced in the end. Here nobody is ever replaced without cause, so the judgement needs all of:
 *
 * <ul>
 *   <li>a period of at least the fairness timeout with at least {@link #SAMPLES_MIN} requests, three of four of them slow;
 *   <li>little work done in it: fewer operations, and bytes, for each fairness timeout than one batch may hold. Where more
 *       is done the primary is busy, not slow;
 *   <li>fewer than f views in a row that this replica found slow before. Of f + 1 primaries one is correct, so where all were
 *       slow it is the network or the machines. It counts anew once a primary has been quick.
 * </ul>
 *
 * <p>Nobody but the primary can make a request slow: the time runs from when this replica itself sent the request to the primary,
 * not from when a client or another replica says that it did. Clients whose answers take long tell all replicas of some of their
 * requests at once, so that there is something to measure.
 */
final class PrimaryPace {
    /** Requests without which nothing is judged. */
    static final int SAMPLES_MIN = 4;

    /** Fairness timeouts after which a period with too few requests is forgotten. */
    static final int PERIODS_MAX = 8;

    private final ReplicaState state;

    /** Ticks in which nothing was in flight here: the clock that requests are measured by. */
    private long emptyTicks;

    private long periodTick;
    private int samples;
    private int slow;
    private long operations;
    private long bytes;

    /** Views in a row whose primary this replica found slow. */
    private int slowViews;

    PrimaryPace(ReplicaState state) {
        this.state = state;
    }

    void viewBegins() {
        begin();
    }

    private void begin() {
        periodTick = state.tick;
        samples = 0;
        slow = 0;
        operations = 0;
        bytes = 0;
    }

    /** This replica sends {@code request} to the primary. What finds no connection to go by has not told it. */
    void told(Request request) {
        if (state.isConnected(state.primary())) {
            state.queue.told(request, emptyTicks);
        }
    }

    /** A proposal of another replica, the primary, is accepted. */
    void proposed(Batch batch) {
        for (Signed<Request> request : batch.requests()) {
            if (!state.clients.settled(request.statement())) {
                operations += request.statement().operations().size();
                bytes += Checkpoints.bytes(request.statement());
            }
            long toldAt = state.queue.proposed(request.statement());
            if (toldAt >= 0) {
                samples++;
                if (emptyTicks - toldAt >= slowTicks()) {
                    slow++;
                }
            }
        }
    }

    private long slowTicks() {
        return Math.max(1, state.patienceTicks(state.parameters.requestTimeoutMillis()) / 2);
    }

    /** One tick of a backup in its view; true when the primary is to be replaced. */
    boolean tick() {
        // Who is behind does not know what is in flight.
        if (state.peersAhead < state.quorum.weak() && !inFlight()) {
            emptyTicks++;
        }
        long elapsed = state.tick - periodTick;
        long periodTicks = state.ticks(state.parameters.fairnessTimeoutMillis());
        if (elapsed < periodTicks) {
            return false;
        }
        if (samples >= SAMPLES_MIN) {
            boolean isSlow = 4 * slow >= 3 * samples && littleDone(elapsed, periodTicks);
            begin();
            if (!isSlow) {
                slowViews = 0;
                return false;
            }
            return slowViews++ < state.quorum.faulty();
        }
        if (slow == 0) {
            if (operations > 0) {
                slowViews = 0;
            }
            begin();
        } else if (elapsed >= PERIODS_MAX * periodTicks) {
            begin();
        }
        return false;
    }

    private boolean littleDone(long elapsed, long periodTicks) {
        return operations * periodTicks <= state.parameters.batchOperationsMax() * elapsed
                && bytes * periodTicks <= state.parameters.batchBytesMax() * elapsed;
    }

    /** Whether a batch of this view is under way here. One without requests, or with old ones alone, hides no idleness. */
    private boolean inFlight() {
        for (Slot slot : state.slots.tailMap(state.lastExecuted, false).values()) {
            Proposal accepted = slot.acceptedIn(state.view());
            if (accepted != null && hasWork(slot, accepted.batch())) {
                return true;
            }
        }
        return false;
    }

    /** Goes on where it ended the last time: a window of old requests, gone through each tick, would be all that is done. */
    private boolean hasWork(Slot slot, Batch batch) {
        List<Signed<Request>> requests = batch.requests();
        while (slot.settledRequests < requests.size()) {
            if (!state.clients.settled(requests.get(slot.settledRequests).statement())) {
                return true;
            }
            slot.settledRequests++;
        }
        return false;
    }
}
