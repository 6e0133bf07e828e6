package io.pbft.replica;

import io.pbft.checkpoint.StateStore;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import java.util.List;

/**
 * Gets single nodes that one's own disk has damaged from the others, while the replica goes on: no state is transferred, and
 * nobody else notices. The store knows which digest a node must have, so whoever lies only wastes a turn.
 *
 * <p>The others are asked one after the other, until one has them: for the checkpoint that one's own state stands at, which the
 * others hold too for as long as it is one of the last.
 *
 * <p>NOT thread-safe: the driver's thread calls it.
 */
final class StateRestore {
    /** Between two questions. */
    static final int ASK_MILLIS = 100;

    /** Nodes asked for at once. */
    static final int PATHS_MAX = 64;

    private final int self;
    private final int replicas;
    private final StateStore store;
    private final Outbox outbox;
    private final long askTicks;

    private int asked;
    private long tick;

    StateRestore(int self, int replicas, int tickMillis, StateStore store, Outbox outbox) {
        this.self = self;
        this.replicas = replicas;
        this.store = store;
        this.outbox = outbox;
        this.askTicks = Math.max(1, ASK_MILLIS / tickMillis);
        this.asked = self;
    }

    void tick() {
        tick++;
        if (tick % askTicks != 0 || store.lost().isEmpty()) {
            return;
        }
        asked = (asked + 1) % replicas;
        if (asked == self) {
            asked = (asked + 1) % replicas;
        }
        List<Bytes> paths = store.lost().stream().limit(PATHS_MAX).toList();
        outbox.send(NodeId.replica(asked), new StateFetch(store.seq(), paths));
    }

    /** Takes an answer; of what nobody asked for, or is not needed any more, nothing is kept. */
    void onNodes(int from, StateNodes answer) {
        if (from == asked) {
            answer.nodes().stream()
                    .filter(node -> store.lost().contains(node.path()))
                    .forEach(store::restore);
        }
    }
}
