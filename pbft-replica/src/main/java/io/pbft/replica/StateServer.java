package io.pbft.replica;

import io.pbft.checkpoint.StateStore;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Serves one's own checkpoints to those who fetch a state.
 *
 * <p><b>Rate.</b> Whoever is fetched from keeps its time for the protocol: so many bytes leave in a tick, to all that ask
 * together, and what waits takes turns, a request each. What one replica has waiting is bounded; more of it is dropped, and
 * asked for again.
 *
 * <p><b>Keeping what is served</b> (trap 45). A checkpoint that somebody fetched from a moment ago is not given up when later
 * ones become stable, for {@link #SERVED_MILLIS_MAX} at most: an old one that stays open makes the file grow by what has changed
 * since. Whoever has not finished by then goes on with a later one, and fetches what changed.
 *
 * <p>NOT thread-safe: the driver's thread calls it.
 */
final class StateServer {
    /** What leaves in a second at most, counting {@link #BYTES_PER_NODE} more for each node. */
    static final int BYTES_PER_SECOND = 32 << 20;

    static final int BYTES_PER_NODE = 256;

    /** Requests of one replica that wait. */
    static final int WAITING_MAX = 8;

    /** An answer ends with the node that reaches so many bytes. */
    static final int ANSWER_BYTES = 512 << 10;

    /** A checkpoint is in use until so long after the last request for it. */
    static final int IDLE_MILLIS = 2_000;

    /** And no longer than this after the first. */
    static final int SERVED_MILLIS_MAX = 30_000;

    private final StateStore store;
    private final Outbox outbox;
    private final long bytesPerTick;
    private final long idleTicks;
    private final long servedTicksMax;

    private final TreeMap<Integer, Deque<StateFetch>> waiting = new TreeMap<>();
    private int servedLast = -1;
    private long bytesLeft;
    private long tick;

    /** When a checkpoint was asked for, for the first and the last time. */
    private record Served(long first, long last) {}

    private final TreeMap<Long, Served> served = new TreeMap<>();

    StateServer(StateStore store, Outbox outbox, int tickMillis) {
        this.store = store;
        this.outbox = outbox;
        this.bytesPerTick = Math.max(1, (long) BYTES_PER_SECOND * tickMillis / 1_000);
        this.idleTicks = Math.max(1, IDLE_MILLIS / tickMillis);
        this.servedTicksMax = Math.max(1, SERVED_MILLIS_MAX / tickMillis);
        this.bytesLeft = bytesPerTick;
    }

    void onFetch(int from, StateFetch request) {
        Deque<StateFetch> own = waiting.computeIfAbsent(from, replica -> new ArrayDeque<>());
        if (own.size() < WAITING_MAX) {
            own.add(request);
            serveWaiting();
        }
    }

    void tick() {
        tick++;
        // What was overdrawn is paid back; what was left over is not saved up.
        bytesLeft = Math.min(bytesPerTick, bytesLeft + bytesPerTick);
        serveWaiting();
    }

    /** Checkpoints below {@code stable} may go, unless somebody is fetching one. */
    void release(long stable) {
        served.values().removeIf(use -> tick - use.last() > idleTicks);
        TreeSet<Long> inUse = new TreeSet<>();
        served.forEach((seq, use) -> {
            if (tick - use.first() <= servedTicksMax) {
                inUse.add(seq);
            }
        });
        store.release(stable, inUse);
    }

    private void serveWaiting() {
        while (bytesLeft > 0 && !waiting.isEmpty()) {
            Map.Entry<Integer, Deque<StateFetch>> next = waiting.higherEntry(servedLast);
            if (next == null) {
                next = waiting.firstEntry();
            }
            servedLast = next.getKey();
            answer(servedLast, next.getValue().remove());
            if (next.getValue().isEmpty()) {
                waiting.remove(servedLast);
            }
        }
    }

    private void answer(int to, StateFetch request) {
        boolean held = store.holds(request.seq());
        List<StateNodes.Node> nodes = held ? nodes(request) : List.of();
        if (held) {
            served.merge(request.seq(), new Served(tick, tick), (before, now) -> new Served(before.first(), tick));
        }
        bytesLeft -= BYTES_PER_NODE;
        for (StateNodes.Node node : nodes) {
            bytesLeft -= BYTES_PER_NODE + node.content().size();
        }
        outbox.send(NodeId.replica(to), new StateNodes(request.seq(), held, nodes));
    }

    private List<StateNodes.Node> nodes(StateFetch request) {
        List<StateNodes.Node> nodes = new ArrayList<>();
        int bytes = 0;
        for (Bytes path : request.paths()) {
            Optional<StateNodes.Node> node = store.node(request.seq(), path);
            if (node.isEmpty()) {
                continue;
            }
            int size = node.get().content().size() + path.size();
            if (!nodes.isEmpty() && bytes + size > Limits.STATE_NODE_BYTES_MAX) {
                break;
            }
            nodes.add(node.get());
            bytes += size;
            if (bytes >= ANSWER_BYTES) {
                break;
            }
        }
        return nodes;
    }
}
