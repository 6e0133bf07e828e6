package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.checkpoint.TreeNode.MalformedNode;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Limits;
import io.pbft.protocol.StateNodes;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes of a certified tree are missing here: the one implementation for all stores. It walks down from the certified
 * root. A node whose digest is that of the local node at the same place is not looked into: its whole subtree is here
 * already. A node that an earlier, unfinished transfer staged, and that has the digest asked for, counts as arrived.
 *
 * <p>What is missing is kept in the order of paths, in which a node's children come right behind it. Asked for from the
 * front, the tree is fetched depth first, and the list stays short however large the state is.
 *
 * <p>NOT thread-safe.
 */
final class TreeInstall implements StateInstall {
    /** The store that is to be changed. */
    interface Local {
        /** The node at {@code path} of the tree of the last durable checkpoint, or null where it has none. */
        @Nullable
        TreeNode node(Bytes path);

        /** The value of a key with its keyspace at the last durable checkpoint, or null. */
        @Nullable
        Bytes value(Bytes key);

        @Nullable
        Bytes staged(Bytes path);

        /** Keeps the content of a node that belongs to the certified tree. */
        void stage(Bytes path, Bytes content);

        /** Whether no checkpoint is on its way to the disk: its completion would change the local tree. */
        boolean settled();

        void install(TreeInstall complete);
    }

    /** What the node at a path must be. */
    private record Expected(Digest digest, int valueBytes) {
        static final int NODE = -1;

        boolean matches(Bytes content) {
            return valueBytes == NODE
                    ? Digest.of(content).equals(digest)
                    : content.size() == valueBytes
                            && TreeNode.digestOfValue(content).equals(digest);
        }
    }

    private final long seq;
    private final Digest root;
    private final Local local;
    private final TreeMap<Bytes, Expected> missing = new TreeMap<>();
    private long bytesReceived;
    private boolean over;

    TreeInstall(long seq, Digest root, Local local) {
        this.seq = seq;
        this.root = root;
        this.local = local;
        replan();
    }

    /** Works out anew what is missing: for when the local tree has changed meanwhile. */
    void replan() {
        missing.clear();
        TreeNode mine = local.node(Bytes.EMPTY);
        if (mine == null || !mine.digest().equals(root)) {
            expect(Bytes.EMPTY, new Expected(root, Expected.NODE));
        }
    }

    @Override
    public long seq() {
        return seq;
    }

    @Override
    public Digest root() {
        return root;
    }

    @Override
    public List<Bytes> missing(int skip, int max) {
        List<Bytes> paths = new ArrayList<>(Math.min(max, missing.size()));
        int index = 0;
        for (Bytes path : missing.keySet()) {
            if (paths.size() >= max) {
                break;
            }
            if (index++ >= skip) {
                paths.add(path);
            }
        }
        return paths;
    }

    /** A node that nobody waits for (any more) is not wrong, and is not taken: a source may answer twice. */
    @Override
    public boolean offer(StateNodes.Node node) {
        requireOpen();
        Expected expected = missing.get(node.path());
        if (expected == null) {
            return true;
        }
        if (!expected.matches(node.content()) || !fits(node.path(), node.content(), expected)) {
            return false;
        }
        local.stage(node.path(), node.content());
        bytesReceived += node.content().size();
        missing.remove(node.path());
        descend(node.path(), node.content(), expected);
        return true;
    }

    @Override
    public boolean complete() {
        return !over && missing.isEmpty() && local.settled();
    }

    @Override
    public void commit() {
        requireOpen();
        if (!complete()) {
            throw new IllegalStateException("the state of checkpoint " + seq + " lacks " + missing.size() + " nodes");
        }
        local.install(this);
        over = true;
    }

    @Override
    public void abandon() {
        over = true;
        missing.clear();
    }

    @Override
    public long bytesReceived() {
        return bytesReceived;
    }

    /** Whether it is still the transfer that the store works on. */
    boolean isOpen() {
        return !over;
    }

    private void requireOpen() {
        if (over) {
            throw new IllegalStateException("the transfer of checkpoint " + seq + " is over");
        }
    }

    private void expect(Bytes path, Expected expected) {
        Bytes staged = local.staged(path);
        if (staged != null && expected.matches(staged) && fits(path, staged, expected)) {
            descend(path, staged, expected);
        } else {
            missing.put(path, expected);
        }
    }

    /** Whether the content can be looked into: right digest or not, nothing that comes from outside is trusted in form. */
    private static boolean fits(Bytes path, Bytes content, Expected expected) {
        if (expected.valueBytes() != Expected.NODE) {
            return true;
        }
        try {
            // An inner node's children, and their values, must have paths that a message can carry.
            return TreeNode.decode(content) instanceof Leaf || path.size() + 3 <= Limits.STATE_PATH_BYTES_MAX;
        } catch (MalformedNode e) {
            return false;
        }
    }

    private void descend(Bytes path, Bytes content, Expected expected) {
        if (expected.valueBytes() != Expected.NODE) {
            return;
        }
        TreeNode node = decodeChecked(content);
        if (node instanceof Leaf leaf) {
            for (int i = 0; i < leaf.entries().size(); i++) {
                expectValue(path, i, leaf.entries().get(i));
            }
            return;
        }
        Inner inner = (Inner) node;
        Inner mine = local.node(path) instanceof Inner localInner ? localInner : null;
        for (int i = 0; i < StateTree.FANOUT; i++) {
            Child child = inner.child(i);
            Child same = mine == null ? null : mine.child(i);
            if (child != null && (same == null || !same.digest().equals(child.digest()))) {
                expect(StateTree.childPath(path, i), new Expected(child.digest(), Expected.NODE));
            }
        }
    }

    private void expectValue(Bytes leaf, int index, LeafEntry entry) {
        Digest digest = entry.valueDigest();
        if (digest == null) {
            return;
        }
        Expected expected = new Expected(digest, entry.valueBytes());
        Bytes mine = local.value(entry.key());
        if (mine == null || !expected.matches(mine)) {
            expect(StateTree.valuePath(leaf, index), expected);
        }
    }

    /** The node whose content was found to be well-formed before. */
    static TreeNode decodeChecked(Bytes content) {
        try {
            return TreeNode.decode(content);
        } catch (MalformedNode e) {
            throw new IllegalStateException("a node that was well-formed is not any more", e);
        }
    }
}
