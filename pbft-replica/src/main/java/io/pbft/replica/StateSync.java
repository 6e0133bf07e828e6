package io.pbft.replica;

import io.pbft.checkpoint.StateInstall;
import io.pbft.checkpoint.StateStore;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Limits;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.replica.core.Input;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Fetches the state of a certified checkpoint from the others, and serves one's own to them.
 *
 * <p>Fetching asks all others at once, each for other nodes of the tree, one request to each at a time. The store
 * checks every node against the certified root (trap 47), so a source can do no more harm than to waste a round: one
 * whose node is not what was certified is not asked again, one that is silent loses its request after
 * {@link #PATIENCE_TICKS}, and one that no longer holds the checkpoint rests until a tick later; both are asked after
 * those that did better. A checkpoint that nobody holds any more is replaced by a later one, which the core asks for:
 * what has arrived by then is not fetched again.
 *
 * <p>Serving answers a bounded number of requests of each replica in a tick, with a bounded number of bytes each, so
 * that who is fetched from keeps its time for the protocol.
 *
 * <p>NOT thread-safe: the driver's thread calls it.
 */
final class StateSync {
    /** Nodes asked for in one request. */
    static final int PATHS_PER_REQUEST = 64;

    /** Ticks without an answer after which another source is asked for the same. */
    static final int PATIENCE_TICKS = 50;

    /** Requests of one replica that are answered within one tick; the others are dropped, and asked again. */
    static final int SERVED_PER_TICK_MAX = 8;

    /** An answer ends with the node that reaches so many bytes. */
    static final int SERVED_BYTES = 1 << 20;

    private final int self;
    private final int replicas;
    private final StateStore store;
    private final Outbox outbox;

    private @Nullable StateInstall install;
    private final TreeMap<Integer, Asked> asked = new TreeMap<>();
    private final TreeSet<Integer> banned = new TreeSet<>();
    private final TreeSet<Integer> resting = new TreeSet<>();

    /** How often each source did not answer, or had nothing. */
    private final TreeMap<Integer, Integer> misses = new TreeMap<>();

    private final TreeMap<Integer, Integer> served = new TreeMap<>();
    private long tick;

    /** What a source was asked for, and when. */
    private record Asked(List<Bytes> paths, long tick) {}

    StateSync(int self, int replicas, StateStore store, Outbox outbox) {
        this.self = self;
        this.replicas = replicas;
        this.store = store;
        this.outbox = outbox;
    }

    /** Begins to fetch, in place of what was being fetched. What it returns is there already. */
    Optional<Input.StateInstalled> start(CheckpointCertificate target) {
        asked.clear();
        banned.clear();
        resting.clear();
        misses.clear();
        install = store.install(target.seq(), target.state());
        return proceed();
    }

    /** Takes an answer; returns the state once it is complete, durable and current. */
    Optional<Input.StateInstalled> onNodes(int from, StateNodes answer) {
        StateInstall current = install;
        if (current == null || answer.seq() != current.seq()) {
            return Optional.empty();
        }
        Asked request = asked.remove(from);
        if (request == null) {
            return Optional.empty();
        }
        boolean useful = false;
        for (StateNodes.Node node : answer.nodes()) {
            if (!current.offer(node)) {
                banned.add(from);
                break;
            }
            useful |= request.paths().contains(node.path());
        }
        if (!useful) {
            resting.add(from);
            misses.merge(from, 1, Integer::sum);
        }
        return proceed();
    }

    /**
     * Returns the state when it has become complete without a node's arrival: a checkpoint that was under way is
     * durable.
     */
    Optional<Input.StateInstalled> tick() {
        tick++;
        served.clear();
        if (install == null) {
            return Optional.empty();
        }
        resting.clear();
        asked.entrySet().removeIf(request -> {
            boolean silent = tick - request.getValue().tick() >= PATIENCE_TICKS;
            if (silent) {
                misses.merge(request.getKey(), 1, Integer::sum);
            }
            return silent;
        });
        // At most f lie: when all were banned, this replica misjudged, and starts over with everyone.
        if (banned.size() == replicas - 1) {
            banned.clear();
        }
        return proceed();
    }

    /** Answers a request with what is held of it. */
    void serve(NodeId from, StateFetch request) {
        if (served.merge(from.index(), 1, Integer::sum) > SERVED_PER_TICK_MAX) {
            return;
        }
        if (!store.holds(request.seq())) {
            outbox.send(from, new StateNodes(request.seq(), false, List.of()));
            return;
        }
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
            if (bytes >= SERVED_BYTES) {
                break;
            }
        }
        outbox.send(from, new StateNodes(request.seq(), true, nodes));
    }

    private Optional<Input.StateInstalled> proceed() {
        StateInstall current = install;
        if (current == null) {
            return Optional.empty();
        }
        if (!current.complete()) {
            ask();
            return Optional.empty();
        }
        current.commit();
        install = null;
        asked.clear();
        return Optional.of(new Input.StateInstalled(store.seq(), store.root(), store.systemEntries()));
    }

    /** Asks every source that is free for nodes that no other was asked for. */
    private void ask() {
        StateInstall current = install;
        if (current == null) {
            return;
        }
        TreeSet<Bytes> underWay = new TreeSet<>();
        asked.values().forEach(request -> underWay.addAll(request.paths()));
        List<Integer> free = new ArrayList<>();
        for (int i = 1; i < replicas; i++) {
            int source = (self + i) % replicas;
            if (!asked.containsKey(source) && !banned.contains(source) && !resting.contains(source)) {
                free.add(source);
            }
        }
        free.sort(Comparator.comparingInt(source -> misses.getOrDefault(source, 0)));
        List<Bytes> wanted = new ArrayList<>();
        for (Bytes path : current.missing(0, underWay.size() + free.size() * PATHS_PER_REQUEST)) {
            if (!underWay.contains(path)) {
                wanted.add(path);
            }
        }
        int from = 0;
        for (int source : free) {
            if (from >= wanted.size()) {
                return;
            }
            List<Bytes> paths = List.copyOf(wanted.subList(from, Math.min(from + PATHS_PER_REQUEST, wanted.size())));
            from += paths.size();
            asked.put(source, new Asked(paths, tick));
            outbox.send(NodeId.replica(source), new StateFetch(current.seq(), paths));
        }
    }
}
