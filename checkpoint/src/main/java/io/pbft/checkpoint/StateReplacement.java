package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.checkpoint.TreeNode.MalformedNode;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Txn;

/**
 * Turns the state of a transaction into the one whose missing nodes are staged. It walks both trees at once, past what they
 * have in common. Nodes are written on the way, in the order of their paths, which is that of their keys; entries go through
 * {@link SortedChanges} and are written at the end in the order of theirs. Everything staged is checked once more against the
 * certified root, from which the walk comes.
 *
 * <p>For one transaction. NOT thread-safe.
 */
final class StateReplacement {
    /** Something staged is not what it was when it arrived: the disk has changed it. */
    static final class StagedDamage extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StagedDamage(String message) {
            super(message);
        }
    }

    private final StateTables tables;
    private final Txn<ByteBuffer> txn;
    private final Txn<ByteBuffer> old;
    private final SortedChanges entries;

    /** Nothing was there before: everything is appended. */
    private boolean fromNothing;

    /**
     * @param txn is changed
     * @param old shows what {@code txn} began with, and stays so
     * @param entries takes up the changes of entries
     */
    StateReplacement(StateTables tables, Txn<ByteBuffer> txn, Txn<ByteBuffer> old, SortedChanges entries) {
        this.tables = tables;
        this.txn = txn;
        this.old = old;
        this.entries = entries;
    }

    /** @throws StagedDamage when a staged node is missing or damaged; the transaction is to be given up */
    void run(TreeNode mine, Digest wanted) {
        fromNothing = mine.count() == 0;
        apply(Bytes.EMPTY, mine, wanted);
        entries.forEach((place, record) -> {
            if (record == null) {
                tables.deleteEntryAt(txn, place);
            } else {
                tables.putEntryAt(txn, place, record, fromNothing);
            }
        });
    }

    private void apply(Bytes path, @Nullable TreeNode mine, Digest wanted) {
        TreeNode target = take(path, wanted);
        if (mine instanceof Inner before && target instanceof Inner after) {
            applyChildren(path, before, after);
        } else if (mine instanceof Inner before) {
            shrink(path, before, (Leaf) target);
        } else {
            Map<Bytes, LeafEntry> gone = byHash((Leaf) (mine == null ? Leaf.EMPTY : mine));
            forEachStaged(path, target, (leaf, index, entry) -> {
                LeafEntry same = gone.remove(entry.hash());
                if (same == null || !same.sameAs(entry)) {
                    put(leaf, index, entry);
                }
            });
            gone.values().forEach(entry -> entries.delete(StateTables.place(entry.key())));
        }
    }

    private void applyChildren(Bytes path, Inner before, Inner after) {
        for (int i = 0; i < StateTree.FANOUT; i++) {
            Bytes below = StateTree.childPath(path, i);
            Child mine = before.child(i);
            Child target = after.child(i);
            if (target == null) {
                if (mine != null) {
                    remove(below, tables.node(old, below, mine.digest()));
                }
            } else if (mine == null || !mine.digest().equals(target.digest())) {
                apply(below, mine == null ? null : tables.node(old, below, mine.digest()), target.digest());
            }
        }
    }

    /** A large subtree becomes a leaf. */
    private void shrink(Bytes path, Inner before, Leaf after) {
        Map<Bytes, LeafEntry> coming = byHash(after);
        forEachBelow(path, before, entry -> {
            LeafEntry same = coming.get(entry.hash());
            if (same == null) {
                entries.delete(StateTables.place(entry.key()));
            } else if (same.sameAs(entry)) {
                coming.remove(entry.hash());
            }
        });
        for (int i = 0; i < after.entries().size(); i++) {
            if (coming.containsKey(after.entries().get(i).hash())) {
                put(path, i, after.entries().get(i));
            }
        }
    }

    private void remove(Bytes path, TreeNode node) {
        tables.deleteNode(txn, path);
        Consumer<LeafEntry> delete = entry -> entries.delete(StateTables.place(entry.key()));
        if (node instanceof Leaf leaf) {
            leaf.entries().forEach(delete);
        } else {
            forEachBelow(path, (Inner) node, delete);
        }
    }

    /** Each entry below a node of the tree as it was; the nodes below it are deleted. */
    private void forEachBelow(Bytes path, Inner node, Consumer<LeafEntry> each) {
        for (int i = 0; i < StateTree.FANOUT; i++) {
            Child child = node.child(i);
            if (child == null) {
                continue;
            }
            Bytes below = StateTree.childPath(path, i);
            TreeNode next = tables.node(old, below, child.digest());
            tables.deleteNode(txn, below);
            if (next instanceof Leaf leaf) {
                leaf.entries().forEach(each);
            } else {
                forEachBelow(below, (Inner) next, each);
            }
        }
    }

    /** An entry of a staged leaf. */
    private interface StagedEntry {
        void at(Bytes leaf, int index, LeafEntry entry);
    }

    /** Each entry of a staged node that is written already, or below it; the nodes below it are written. */
    private void forEachStaged(Bytes path, TreeNode node, StagedEntry each) {
        if (node instanceof Leaf leaf) {
            for (int i = 0; i < leaf.entries().size(); i++) {
                each.at(path, i, leaf.entries().get(i));
            }
            return;
        }
        Inner inner = (Inner) node;
        for (int i = 0; i < StateTree.FANOUT; i++) {
            Child child = inner.child(i);
            if (child != null) {
                Bytes below = StateTree.childPath(path, i);
                forEachStaged(below, take(below, child.digest()), each);
            }
        }
    }

    /** Writes a staged node to its place in the tree. */
    private TreeNode take(Bytes path, Digest wanted) {
        Bytes content = staged(path);
        if (!Digest.of(content).equals(wanted)) {
            throw new StagedDamage("staged node " + path + " has a wrong digest");
        }
        try {
            TreeNode node = TreeNode.decode(content);
            tables.putNode(txn, path, content, fromNothing && !path.isEmpty());
            return node;
        } catch (MalformedNode e) {
            throw new IllegalStateException("a certified node is none", e);
        }
    }

    private void put(Bytes leaf, int index, LeafEntry entry) {
        Digest digest = entry.valueDigest();
        Bytes value = digest == null ? entry.valueAtHand() : staged(StateTree.valuePath(leaf, index));
        if (digest != null && !TreeNode.digestOfValue(value).equals(digest)) {
            throw new StagedDamage("the staged value of key " + entry.key() + " has a wrong digest");
        }
        entries.put(StateTables.place(entry.key()), StateTables.record(entry.key(), value));
    }

    private Bytes staged(Bytes path) {
        Bytes content = tables.staged(old, path);
        if (content == null) {
            throw new StagedDamage("staged node " + path + " is missing");
        }
        return content;
    }

    private static Map<Bytes, LeafEntry> byHash(Leaf leaf) {
        Map<Bytes, LeafEntry> entries = new TreeMap<>();
        leaf.entries().forEach(entry -> entries.put(entry.hash(), entry));
        return entries;
    }
}
