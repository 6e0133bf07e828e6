package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Txn;

/**
 * Puts back single records that the disk has damaged. What a record must hold follows from the tree, whose digests lead
 * down to it from the root: an entry with a small value stands in a leaf; everything else is asked for at its path, and
 * taken if it has the digest.
 *
 * <p>One thread's.
 */
final class StateRepair {
    /** A record: of the entries, by its key in LMDB, or of the nodes, by its path. */
    record Place(boolean entry, Bytes key) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            int difference = Boolean.compare(entry, other.entry);
            return difference != 0 ? difference : key.compareTo(other.key);
        }

        String name() {
            return entry ? "the entry of key " + key : "node " + key + " of the state tree";
        }
    }

    /** Where others have what is missing, and the digest that it must have. */
    record Wanted(Bytes path, Digest digest) {}

    /** What leads to a record is damaged itself. */
    static final class Unreachable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient Bytes path;
        private final transient Digest digest;

        Unreachable(Bytes path, Digest digest) {
            super("node " + path + " of the state tree is damaged", null, false, false);
            this.path = path;
            this.digest = digest;
        }

        /** The node that is damaged. */
        Wanted wanted() {
            return new Wanted(path, digest);
        }
    }

    private record Found(Bytes leaf, int index, LeafEntry entry) {}

    private final StateTables tables;

    StateRepair(StateTables tables) {
        this.tables = tables;
    }

    /**
     * The digest of the node at {@code path}; empty where the tree has none.
     *
     * @throws Unreachable when a node above it is damaged
     */
    Optional<Digest> expected(Txn<ByteBuffer> txn, StateTables.Head head, Bytes path) {
        Digest digest = head.root();
        for (int depth = 0; depth < path.size(); depth++) {
            int step = path.get(depth);
            boolean isStep = step >= 0 && step < StateTree.FANOUT;
            Child child =
                    isStep && node(txn, path.slice(0, depth), digest) instanceof Inner inner ? inner.child(step) : null;
            if (child == null) {
                return Optional.empty();
            }
            digest = child.digest();
        }
        return Optional.of(digest);
    }

    private TreeNode node(Txn<ByteBuffer> txn, Bytes path, Digest digest) {
        try {
            return tables.node(txn, path, digest);
        } catch (StorageFailure damaged) {
            throw new Unreachable(path, digest);
        }
    }

    /** The record that stands at {@code path}; of those that lead there, the first that is damaged. */
    Optional<Place> placeAt(Txn<ByteBuffer> txn, StateTables.Head head, Bytes path) {
        try {
            if (!StateTree.isValuePath(path)) {
                return expected(txn, head, path).map(digest -> new Place(false, path));
            }
            return Optional.ofNullable(entryAt(txn, head, path))
                    .map(entry -> new Place(true, StateTables.place(entry.key())));
        } catch (Unreachable above) {
            return Optional.of(new Place(false, above.wanted().path()));
        }
    }

    /** The entry whose large value is at {@code path}, or null where there is none. */
    private @Nullable LeafEntry entryAt(Txn<ByteBuffer> txn, StateTables.Head head, Bytes path) {
        int index = path.get(path.size() - 1);
        return find(txn, head, path.slice(0, path.size() - 2)) instanceof Leaf leaf
                        && index >= 0
                        && index < leaf.entries().size()
                ? leaf.entries().get(index)
                : null;
    }

    /** The node at {@code path}, or null where the tree has none. */
    private @Nullable TreeNode find(Txn<ByteBuffer> txn, StateTables.Head head, Bytes path) {
        Optional<Digest> digest = expected(txn, head, path);
        return digest.isEmpty() ? null : node(txn, path, digest.get());
    }

    /**
     * Whether an entry, right for itself, is the one that the tree means.
     *
     * @throws Unreachable when what leads to it is damaged
     */
    boolean isInTree(Txn<ByteBuffer> txn, StateTables.Head head, Bytes place, Bytes record) {
        Found found = findEntry(txn, head, place);
        if (found == null) {
            return false;
        }
        LeafEntry entry = found.entry();
        Digest digest = entry.valueDigest();
        return digest == null
                ? StateTables.record(entry.key(), entry.valueAtHand()).equals(record)
                : digest.equals(TreeNode.digestOfValue(StateTables.value(entry.key(), record)));
    }

    /**
     * A small value stands in the tree as well: what its leaf says, where the entry is damaged.
     *
     * @return with its value; empty: it is large, or there is no such entry, or what leads to it is damaged
     */
    Optional<LeafEntry> smallInTree(Txn<ByteBuffer> txn, StateTables.Head head, Bytes place) {
        try {
            Found found = findEntry(txn, head, place);
            return found == null || found.entry().isLarge() ? Optional.empty() : Optional.of(found.entry());
        } catch (Unreachable above) {
            return Optional.empty();
        }
    }

    /**
     * Writes a record anew from what is still to be had here: from what LMDB shows, if only the disk has it wrong, or
     * from the leaf above it.
     *
     * @param txn may write
     * @return where others have it; empty: nothing is missing any more
     * @throws Unreachable when what leads to it is damaged too
     * @throws StorageFailure when nothing leads to it
     */
    Optional<Wanted> rewrite(Txn<ByteBuffer> txn, Place place) {
        StateTables.Head head = tables.head(txn).orElseThrow();
        return place.entry() ? rewriteEntry(txn, head, place) : rewriteNode(txn, head, place.key());
    }

    private Optional<Wanted> rewriteEntry(Txn<ByteBuffer> txn, StateTables.Head head, Place place) {
        Found found = findEntry(txn, head, place.key());
        if (found == null) {
            if (tables.hasRecord(txn, place.key())) {
                throw tables.damaged(place.name(), "nothing in the state tree leads to it");
            }
            return Optional.empty();
        }
        Bytes value = valueOf(txn, found.entry());
        if (value == null) {
            Bytes path = StateTree.valuePath(found.leaf(), found.index());
            return Optional.of(
                    new Wanted(path, Objects.requireNonNull(found.entry().valueDigest())));
        }
        tables.putEntry(txn, found.entry().key(), value);
        return Optional.empty();
    }

    private @Nullable Bytes valueOf(Txn<ByteBuffer> txn, LeafEntry entry) {
        Digest digest = entry.valueDigest();
        if (digest == null) {
            return entry.valueAtHand();
        }
        try {
            Bytes value = tables.entry(txn, entry.key());
            return value != null && TreeNode.digestOfValue(value).equals(digest) ? value : null;
        } catch (StorageFailure damaged) {
            return null;
        }
    }

    /** The entry whose record has this key in LMDB. */
    private @Nullable Found findEntry(Txn<ByteBuffer> txn, StateTables.Head head, Bytes key) {
        Bytes hash = StateTables.hashOfPlace(key);
        Bytes path = Bytes.EMPTY;
        TreeNode node = node(txn, path, head.root());
        while (node instanceof Inner inner) {
            int depth = path.size();
            Child child = depth < 2 * hash.size() ? inner.child(StateTree.step(hash, depth)) : null;
            if (child == null) {
                return null;
            }
            path = StateTree.childPath(path, StateTree.step(hash, depth));
            node = node(txn, path, child.digest());
        }
        Leaf leaf = (Leaf) node;
        for (int i = 0; i < leaf.entries().size(); i++) {
            if (StateTables.place(leaf.entries().get(i).key()).equals(key)) {
                return new Found(path, i, leaf.entries().get(i));
            }
        }
        return null;
    }

    private Optional<Wanted> rewriteNode(Txn<ByteBuffer> txn, StateTables.Head head, Bytes path) {
        Optional<Digest> wanted = expected(txn, head, path);
        if (wanted.isEmpty()) {
            return Optional.empty();
        }
        Bytes content = tables.rawNode(txn, path);
        if (content == null || !Digest.of(content).equals(wanted.get())) {
            return Optional.of(new Wanted(path, wanted.get()));
        }
        tables.putNode(txn, path, content);
        return Optional.empty();
    }

    /**
     * Puts what another replica sent into its place.
     *
     * @param txn may write
     * @return whether it is what the tree has at that path; otherwise nothing was changed
     * @throws Unreachable when what leads there is damaged
     */
    boolean put(Txn<ByteBuffer> txn, StateNodes.Node node) {
        StateTables.Head head = tables.head(txn).orElseThrow();
        Bytes path = node.path();
        if (!StateTree.isValuePath(path)) {
            Optional<Digest> wanted = expected(txn, head, path);
            if (!wanted.equals(Optional.of(StateStore.digest(node)))) {
                return false;
            }
            tables.putNode(txn, path, node.content());
            return true;
        }
        LeafEntry entry = entryAt(txn, head, path);
        if (entry == null || !Objects.equals(StateStore.digest(node), entry.valueDigest())) {
            return false;
        }
        tables.putEntry(txn, entry.key(), node.content());
        return true;
    }
}
