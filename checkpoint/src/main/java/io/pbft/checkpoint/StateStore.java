package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The replicated state with its checkpoints. Writes of executed operations are gathered in memory and become durable with
 * the checkpoint, in one transaction with the entries of the system (client table, agreed time) that belong to it. After a
 * crash the store stands at its last durable checkpoint.
 *
 * <p>The root of a checkpoint is the root of a Merkle tree over all entries, of the system and of the application; it
 * depends on the entries alone, not on how they came to be. A change costs what its path costs, not what the state costs.
 *
 * <p>NOT thread-safe: one thread calls it. A failed write throws {@link StorageFailure}, after which the replica halts.
 */
public interface StateStore extends AutoCloseable {
    /** The state that operations read and change now. */
    State state();

    /** The sequence number of the last durable checkpoint: 0 at first. */
    long seq();

    /** The root of the last durable checkpoint. */
    Digest root();

    /** The system's entries of the last durable checkpoint, in ascending order of key. */
    List<StateView.Entry> systemEntries();

    /**
     * Takes the checkpoint at {@code seq}: everything written to {@link #state} so far, and the system's changes. Later writes
     * belong to the next one. Execution goes on meanwhile.
     *
     * @param systemChanges what changed in the system's entries since the last checkpoint; an empty value deletes
     * @param onDurable told the root once it is durable, on the thread that calls this store
     */
    void checkpoint(long seq, Map<Bytes, Optional<Bytes>> systemChanges, Consumer<Digest> onDurable);

    /** Whether the checkpoint at {@code seq} can still be served to others: at least the last two can. */
    boolean holds(long seq);

    /** A node of the tree of the checkpoint at {@code seq}, or empty where that tree has none or is no longer held. */
    Optional<StateNodes.Node> node(long seq, Bytes path);

    /**
     * Checkpoints below {@code seq} need not be served any more, except for the last two and those in {@code served}. How many
     * are kept altogether is bounded: the oldest goes first.
     */
    void release(long seq, Set<Long> served);

    /**
     * Begins to replace the state by the checkpoint at {@code seq} whose certified root is {@code root}. What the store already
     * holds, or an earlier transfer brought, is not asked for again. One at a time: a new one replaces the old, which must not be
     * on its way to the disk.
     */
    StateInstall install(long seq, Digest root);

    /**
     * What the disk has damaged of a checkpoint, and cannot be had here.
     *
     * @param seq of the checkpoint: others that hold it have these nodes and large values
     * @param nodes their paths, and what {@link StateStore#digest} gives for what belongs there
     */
    record Lost(long seq, SortedMap<Bytes, Digest> nodes) {
        static final Lost NOTHING = new Lost(0, new TreeMap<>());

        public Lost {
            nodes = Collections.unmodifiableSortedMap(nodes);
        }
    }

    /** The digest by which the tree speaks of a node, or of a large value. */
    static Digest digest(StateNodes.Node node) {
        return StateTree.isValuePath(node.path()) ? TreeNode.digestOfValue(node.content()) : Digest.of(node.content());
    }

    /** What is to be {@link #restore}d; of the last durable checkpoint, or the one before it for a moment. */
    Lost lost();

    /**
     * Takes a node that may be one of {@link #lost}. What is not what the tree has there changes nothing. Becomes durable, and
     * leaves {@link #lost}, some time.
     */
    void restore(StateNodes.Node node);

    @Override
    void close();
}
