package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The Merkle tree over the replicated state: its root says, in 32 bytes, what the state is.
 *
 * <p><b>Shape.</b> An entry's place is the SHA-256 of its key, read four bits at a time from the front. A set of entries that
 * agree in the bits read so far is a leaf when it has at most {@link #LEAF_ENTRIES_MAX} entries, and otherwise an inner
 * node whose children divide it by the next four bits. That is the whole rule, so the tree is a function of the set of
 * entries: no order of insertion, deletion or batching can be read off it, two replicas with equal states have equal roots,
 * and a deletion leaves the tree as if its key had never been there. Since keys are hashed, nobody who chooses keys can make
 * the tree deep except by finding partial collisions of SHA-256; N entries give a depth of about log16(N / 8).
 *
 * <p><b>Cost.</b> {@link #update} takes all changes since the last checkpoint at once and touches the nodes on their paths, each
 * once. For 1,000 changes in 10^7 entries these are some 1,000 leaves and as many nodes on each of the lower levels; the
 * upper levels are shared.
 *
 * <p><b>Two keyspaces.</b> The first byte of a key in the tree is {@link #SYSTEM} (client table, agreed time) or
 * {@link #APPLICATION}: one root covers both, and neither side can name the other's keys.
 *
 * <p><b>Values.</b> A short value stands in its leaf; of a longer one the leaf holds the digest, and the value is a node of its
 * own under its leaf. So no node is large because many values are, and of two states that differ in one entry the neighbours'
 * large values need not be transferred.
 *
 * <p><b>Paths.</b> A byte per step, 0 to 15, from the root (the empty path); the value of entry i of a leaf is at the leaf's path
 * followed by {@link #VALUE_STEP} and i. In the order of paths a node comes right before what lies below it.
 *
 * <p>References: the shape is that of a hash-keyed radix tree with bucketed leaves; the transfer of differing subtrees only
 * is that of TOCS'02, section 5.3 (hierarchical state partitions), with a tree whose fan-out does not depend on the size of
 * the state.
 */
final class StateTree {
    static final int FANOUT = 16;
    static final int LEAF_ENTRIES_MAX = 16;
    static final int INLINE_VALUE_BYTES_MAX = 256;

    /** More than any disk holds; keeps sums of counts from overflowing. */
    static final long ENTRIES_MAX = 1L << 48;

    /** System entries hold a result and a header, so the tree's bound lies above the application's. */
    static final int VALUE_BYTES_MAX = Limits.VALUE_BYTES_MAX + (4 << 10);

    /** What comes between the path of a leaf and the number of one of its entries, in the path of a large value. */
    static final byte VALUE_STEP = FANOUT;

    static final byte SYSTEM = 0x00;
    static final byte APPLICATION = 0x01;

    private static final Bytes[] STEPS = new Bytes[FANOUT];

    static {
        for (int i = 0; i < FANOUT; i++) {
            STEPS[i] = Bytes.wrap(new byte[] {(byte) i});
        }
        int leafBytesMax = LEAF_ENTRIES_MAX * (Limits.KEY_BYTES_MAX + 1 + INLINE_VALUE_BYTES_MAX + 6) + 2;
        if (Math.max(leafBytesMax, VALUE_BYTES_MAX) > Limits.STATE_NODE_BYTES_MAX) {
            throw new IllegalStateException("a node of the state tree may exceed the bound of a message");
        }
    }

    /** Where nodes are kept that are not in memory, and told of what changes. */
    interface Nodes {
        TreeNode load(Bytes path, Child child);

        /** Keeps a node; what its parent is to know of it. */
        Child store(Bytes path, TreeNode node);

        void remove(Bytes path);
    }

    /** Everything in memory: a child holds its node, and versions share what they have in common. */
    static final Nodes IN_MEMORY = new Nodes() {
        @Override
        public TreeNode load(Bytes path, Child child) {
            TreeNode node = child.node();
            if (node == null) {
                throw new IllegalStateException("a node of a tree in memory is missing");
            }
            return node;
        }

        @Override
        public Child store(Bytes path, TreeNode node) {
            return new Child(node.count(), node.digest(), node);
        }

        @Override
        public void remove(Bytes path) {
            // Whoever still refers to it keeps it.
        }
    };

    /**
     * A key with the value it gets.
     *
     * @param entry null: the key is deleted
     */
    private record Change(Bytes hash, @Nullable LeafEntry entry) {}

    private final Nodes nodes;

    StateTree(Nodes nodes) {
        this.nodes = nodes;
    }

    static Bytes key(byte space, Bytes key) {
        byte[] bytes = new byte[key.size() + 1];
        bytes[0] = space;
        key.copyTo(bytes, 1);
        return Bytes.wrap(bytes);
    }

    /** The key without its keyspace. */
    static Bytes bare(Bytes key) {
        return key.slice(1, key.size());
    }

    static Bytes childPath(Bytes path, int index) {
        return path.concat(STEPS[index]);
    }

    static Bytes valuePath(Bytes leaf, int index) {
        return leaf.concat(Bytes.wrap(new byte[] {VALUE_STEP, (byte) index}));
    }

    /** Whether {@code path} has the form of a large value's. */
    static boolean isValuePath(Bytes path) {
        return path.size() >= 2 && path.get(path.size() - 2) == VALUE_STEP;
    }

    /**
     * The tree after {@code changes}.
     *
     * @param changes keys with their keyspace; empty: deleted
     * @return {@code root} itself when nothing has changed
     */
    TreeNode update(TreeNode root, NavigableMap<Bytes, Optional<Bytes>> changes) {
        List<Change> sorted = new ArrayList<>(changes.size());
        for (Map.Entry<Bytes, Optional<Bytes>> change : changes.entrySet()) {
            Bytes hash = Digest.of(change.getKey()).toBytes();
            LeafEntry entry = change.getValue().isEmpty()
                    ? null
                    : LeafEntry.of(hash, change.getKey(), change.getValue().get());
            sorted.add(new Change(hash, entry));
        }
        sorted.sort((left, right) -> left.hash().compareTo(right.hash()));
        TreeNode updated = update(root, Bytes.EMPTY, sorted);
        if (updated != root) {
            nodes.store(Bytes.EMPTY, updated);
        }
        return updated;
    }

    /** Stores what is new below {@code path}; the node at {@code path} itself is for the caller to store. */
    private TreeNode update(TreeNode node, Bytes path, List<Change> changes) {
        if (node instanceof Leaf leaf) {
            List<LeafEntry> merged = merge(leaf.entries(), changes);
            return merged == leaf.entries() ? leaf : build(merged, path);
        }
        return updateInner((Inner) node, path, changes);
    }

    private TreeNode updateInner(Inner node, Bytes path, List<Change> changes) {
        @Nullable Child[] children = node.copyOfChildren();
        boolean changed = false;
        int from = 0;
        while (from < changes.size()) {
            int step = step(changes.get(from).hash(), path.size());
            int to = from + 1;
            while (to < changes.size() && step(changes.get(to).hash(), path.size()) == step) {
                to++;
            }
            Child before = children[step];
            Bytes below = childPath(path, step);
            TreeNode old = before == null ? Leaf.EMPTY : nodes.load(below, before);
            TreeNode updated = update(old, below, changes.subList(from, to));
            if (updated != old) {
                changed = true;
                children[step] = replace(below, before, updated);
            }
            from = to;
        }
        if (!changed) {
            return node;
        }
        long count = 0;
        for (Child child : children) {
            count += child == null ? 0 : child.count();
        }
        return count <= LEAF_ENTRIES_MAX ? collapse(children, path) : new Inner(children);
    }

    private @Nullable Child replace(Bytes path, @Nullable Child before, TreeNode updated) {
        if (updated.count() > 0) {
            return nodes.store(path, updated);
        }
        if (before != null) {
            nodes.remove(path);
        }
        return null;
    }

    /** Children with so few entries are leaves themselves, by the rule of the shape. */
    private Leaf collapse(@Nullable Child[] children, Bytes path) {
        List<LeafEntry> entries = new ArrayList<>(LEAF_ENTRIES_MAX);
        for (int i = 0; i < FANOUT; i++) {
            Child child = children[i];
            if (child != null) {
                Bytes below = childPath(path, i);
                entries.addAll(((Leaf) nodes.load(below, child)).entries());
                nodes.remove(below);
            }
        }
        return new Leaf(entries);
    }

    /** The subtree over {@code entries}, which are in ascending order of their hashes. */
    private TreeNode build(List<LeafEntry> entries, Bytes path) {
        if (entries.size() <= LEAF_ENTRIES_MAX) {
            return entries.isEmpty() ? Leaf.EMPTY : new Leaf(entries);
        }
        @Nullable Child[] children = new Child[FANOUT];
        int from = 0;
        while (from < entries.size()) {
            int step = step(entries.get(from).hash(), path.size());
            int to = from + 1;
            while (to < entries.size() && step(entries.get(to).hash(), path.size()) == step) {
                to++;
            }
            Bytes below = childPath(path, step);
            children[step] = nodes.store(below, build(entries.subList(from, to), below));
            from = to;
        }
        return new Inner(children);
    }

    /** {@code entries} itself when nothing changes. */
    private static List<LeafEntry> merge(List<LeafEntry> entries, List<Change> changes) {
        List<LeafEntry> merged = new ArrayList<>(entries.size() + changes.size());
        boolean changed = false;
        int next = 0;
        for (Change change : changes) {
            while (next < entries.size() && entries.get(next).hash().compareTo(change.hash()) < 0) {
                merged.add(entries.get(next++));
            }
            LeafEntry before = next < entries.size() && entries.get(next).hash().equals(change.hash())
                    ? entries.get(next++)
                    : null;
            LeafEntry after = change.entry();
            if (after != null) {
                merged.add(after);
            }
            changed |= before == null ? after != null : after == null || !before.sameAs(after);
        }
        if (!changed) {
            return entries;
        }
        merged.addAll(entries.subList(next, entries.size()));
        return merged;
    }

    /** The four bits of {@code hash} that choose the child of a node at {@code depth}. */
    static int step(Bytes hash, int depth) {
        int octet = hash.get(depth >> 1) & 0xff;
        return (depth & 1) == 0 ? octet >> 4 : octet & 0xf;
    }

    /** The node at {@code path}, or null where there is none. */
    @Nullable
    TreeNode find(TreeNode root, Bytes path) {
        TreeNode node = root;
        for (int depth = 0; depth < path.size(); depth++) {
            int step = path.get(depth);
            if (!(node instanceof Inner inner) || step < 0 || step >= FANOUT) {
                return null;
            }
            Child child = inner.child(step);
            if (child == null) {
                return null;
            }
            node = nodes.load(path.slice(0, depth + 1), child);
        }
        return node;
    }

    /** Every entry, in the order of the tree. */
    void forEach(TreeNode root, java.util.function.Consumer<LeafEntry> each) {
        forEach(root, Bytes.EMPTY, each);
    }

    private void forEach(TreeNode node, Bytes path, java.util.function.Consumer<LeafEntry> each) {
        if (node instanceof Leaf leaf) {
            leaf.entries().forEach(each);
            return;
        }
        Inner inner = (Inner) node;
        for (int i = 0; i < FANOUT; i++) {
            Child child = inner.child(i);
            if (child != null) {
                Bytes below = childPath(path, i);
                forEach(nodes.load(below, child), below, each);
            }
        }
    }
}
