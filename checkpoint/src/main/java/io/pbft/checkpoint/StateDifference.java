package io.pbft.checkpoint;

import io.pbft.checkpoint.StateReplacement.StagedDamage;
import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Txn;

/**
 * Which entries change when the state becomes the one whose missing nodes are staged. It walks both trees at once, past
 * what they have in common, and checks everything staged against the certified root, from which the walk comes.
 *
 * <p>It only reads. NOT thread-safe.
 */
final class StateDifference {
    private final StateTables tables;
    private final Txn<ByteBuffer> old;
    private final SortedChanges entries;

    /** @param entries takes up what changes */
    StateDifference(StateTables tables, Txn<ByteBuffer> old, SortedChanges entries) {
        this.tables = tables;
        this.old = old;
        this.entries = entries;
    }

    /** @throws StagedDamage when a staged node is missing or damaged */
    void look(TreeNode mine, Digest wanted) {
        look(Bytes.EMPTY, mine, wanted);
    }

    private void look(Bytes path, @Nullable TreeNode mine, Digest wanted) {
        TreeNode target = stagedNode(path, wanted);
        if (mine instanceof Inner before && target instanceof Inner after) {
            lookAtChildren(path, before, after);
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

    private void lookAtChildren(Bytes path, Inner before, Inner after) {
        for (int i = 0; i < StateTree.FANOUT; i++) {
            Bytes below = StateTree.childPath(path, i);
            Child mine = before.child(i);
            Child target = after.child(i);
            if (target == null) {
                if (mine != null) {
                    remove(below, tables.node(old, below, mine.digest()));
                }
            } else if (mine == null || !mine.digest().equals(target.digest())) {
                look(below, mine == null ? null : tables.node(old, below, mine.digest()), target.digest());
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
        Consumer<LeafEntry> delete = entry -> entries.delete(StateTables.place(entry.key()));
        if (node instanceof Leaf leaf) {
            leaf.entries().forEach(delete);
        } else {
            forEachBelow(path, (Inner) node, delete);
        }
    }

    /** Each entry below a node of the tree as it was. */
    private void forEachBelow(Bytes path, Inner node, Consumer<LeafEntry> each) {
        for (int i = 0; i < StateTree.FANOUT; i++) {
            Child child = node.child(i);
            if (child == null) {
                continue;
            }
            Bytes below = StateTree.childPath(path, i);
            TreeNode next = tables.node(old, below, child.digest());
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

    /** Each entry of a staged node, or below it. */
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
                forEachStaged(below, stagedNode(below, child.digest()), each);
            }
        }
    }

    private TreeNode stagedNode(Bytes path, Digest wanted) {
        Bytes content = staged(path);
        if (!Digest.of(content).equals(wanted)) {
            throw new StagedDamage("staged node " + path + " has a wrong digest");
        }
        return TreeInstall.decodeChecked(content);
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
