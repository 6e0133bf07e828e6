package io.pbft.replica;

import io.pbft.checkpoint.StateStore;
import io.pbft.checkpoint.StateStore.Lost;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.replica.core.Event;
import java.util.List;
import java.util.TreeSet;

/**
 * Gets single nodes that one's own disk has damaged from the others, while the replica goes on: no state is transferred, and
 * nobody else notices.
 *
 * <p>The others are asked one after the other, until one has them: for the checkpoint that one's own state stands at,
 * which the others hold too for as long as it is one of the last. The tree says which digest a node of that checkpoint
 * must have, so whoever sends something else lies: it is noted with its name, not asked again until the process ends or
 * nobody else is left, and the next one is asked at once. What is of another checkpoint, or was not asked for, or came
 * already, is passed over.
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
    private final StateSync.Notes notes;
    private final long askTicks;

    /** Whose node was not the one that the tree has. */
    private final TreeSet<Integer> banned = new TreeSet<>();

    /** Of {@link #lost}: what has come, and is on its way to the disk. */
    private final TreeSet<Bytes> arrived = new TreeSet<>();

    private Lost lost;
    private int asked;
    private long tick;

    StateRestore(int self, int replicas, int tickMillis, StateStore store, Outbox outbox, StateSync.Notes notes) {
        this.self = self;
        this.replicas = replicas;
        this.store = store;
        this.outbox = outbox;
        this.notes = notes;
        this.askTicks = Math.max(1, ASK_MILLIS / tickMillis);
        this.asked = self;
        this.lost = store.lost();
    }

    void tick() {
        tick++;
        if (tick % askTicks == 0) {
            ask();
        }
    }

    private void ask() {
        look();
        List<Bytes> paths = lost.nodes().keySet().stream()
                .filter(path -> !arrived.contains(path))
                .limit(PATHS_MAX)
                .toList();
        if (paths.isEmpty()) {
            return;
        }
        do {
            asked = (asked + 1) % replicas;
        } while (asked == self || banned.contains(asked));
        outbox.send(NodeId.replica(asked), new StateFetch(lost.seq(), paths));
    }

    /** What the store lacks now: something was put back, or the state has changed. */
    private void look() {
        Lost now = store.lost();
        if (!now.equals(lost)) {
            lost = now;
            arrived.clear();
        }
    }

    /** Takes an answer. */
    void onNodes(int from, StateNodes answer) {
        look();
        if (answer.seq() != lost.seq() || banned.contains(from)) {
            return;
        }
        for (StateNodes.Node node : answer.nodes()) {
            Digest wanted = lost.nodes().get(node.path());
            if (wanted == null || arrived.contains(node.path())) {
                continue;
            }
            if (!StateStore.digest(node).equals(wanted)) {
                ban(from, node.path());
                return;
            }
            arrived.add(node.path());
            store.restore(node);
        }
    }

    private void ban(int liar, Bytes path) {
        notes.note(
                Event.STATE_SOURCE_BANNED,
                lost.seq(),
                "replica " + liar + " sent a node at path '" + path + "' that is not the one of this checkpoint");
        banned.add(liar);
        // At most f lie: where all seem to, this replica has misjudged, and starts over with everyone.
        if (banned.size() == replicas - 1) {
            banned.clear();
        }
        ask();
    }
}
