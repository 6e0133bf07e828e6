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
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes of a certified tree are missing here: the one implementation for all stores. It walks down from the certified
 * root. A node whose digest is that of the local node at the same place is not looked into: its whole subtree is here
 * already. A node that an earlier, unfinished transfer staged, and that has the digest asked for, counts as arrived.
 *
 * <pre>
 *   expected by its parent -> unexamined -> (staged before?) -> missing -> arrives, is staged -> its children are expected
 * </pre>
 *
 * <p><b>Order.</b> What is missing is kept in the order of paths, in which a node's children come right behind it. Taken from
 * the front, the tree is walked depth first, and both lists stay short however large the state is.
 *
 * <p><b>A moving target.</b> The next target differs from the last one in few places, but the way there leads past all that was
 * staged. So each inner node whose subtree was once found to be here as a whole is remembered with its digest, and a
 * transfer begins with what the one before it knew: what changed is looked at, not what arrived. Such a mark is void as soon
 * as something is staged below it, or the local tree changes, on which it may rest. There are a few marks for each hundred
 * entries of the state.
 *
 * <p>NOT thread-safe.
 */
final class TreeInstall implements StateInstall {
    /** Nodes that one call of {@link #missing} looks up at most: some milliseconds of work. */
    static final int EXAMINED_PER_CALL_MAX = 512;

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

        /** Whether the disk keeps up with what is staged. */
        boolean keepsUp();

        /** Whether no checkpoint is on its way to the disk: its completion would change the local tree. */
        boolean settled();

        /** Replaces the state, and calls {@link TreeInstall#ended}. */
        void install(TreeInstall complete);
    }

    /**
     * What the node at a path must be.
     *
     * @param entries of the state below it; 0 where nobody says
     */
    private record Expected(Digest digest, int valueBytes, long entries) {
        static final int NODE = -1;

        boolean isNode() {
            return valueBytes == NODE;
        }

        boolean matches(Bytes content) {
            return isNode()
                    ? Digest.of(content).equals(digest)
                    : content.size() == valueBytes
                            && TreeNode.digestOfValue(content).equals(digest);
        }
    }

    /** A node that is here, and how many of its children are not, or not as a whole. */
    private static final class Open {
        final Digest digest;
        final boolean inner;
        int waiting;

        Open(Digest digest, boolean inner, int waiting) {
            this.digest = digest;
            this.inner = inner;
            this.waiting = waiting;
        }
    }

    private enum Phase {
        FETCHING,
        COMMITTING,
        OVER
    }

    private final long seq;
    private final Digest root;
    private final Local local;
    private final TreeMap<Bytes, Expected> unexamined = new TreeMap<>();
    private final TreeMap<Bytes, Expected> missing = new TreeMap<>();
    private final TreeMap<Bytes, Open> open = new TreeMap<>();

    /** Inner nodes whose subtrees are here, in the local tree or staged. */
    private final TreeMap<Bytes, Digest> whole;

    private Phase phase = Phase.FETCHING;
    private Consumer<Boolean> onEnd = installed -> {};
    private long bytesReceived;
    private long entriesReceived;
    private long entriesMissing;
    private long entries;

    /** @param before the transfer that this one replaces, null where the state has changed since */
    TreeInstall(long seq, Digest root, Local local, @Nullable TreeInstall before) {
        this.seq = seq;
        this.root = root;
        this.local = local;
        this.whole = before == null ? new TreeMap<>() : before.whole;
        plan();
    }

    /** Works out anew what is missing: for when the local tree has changed meanwhile. */
    void replan() {
        whole.clear();
        plan();
    }

    private void plan() {
        unexamined.clear();
        missing.clear();
        open.clear();
        entriesMissing = 0;
        TreeNode mine = local.node(Bytes.EMPTY);
        if (mine == null || !mine.digest().equals(root)) {
            unexamined.put(Bytes.EMPTY, new Expected(root, Expected.NODE, 0));
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
    public List<Bytes> missing(Set<Bytes> except, int max) {
        if (phase != Phase.FETCHING || !local.keepsUp()) {
            return List.of();
        }
        int wanted = Math.max(1, except.size() + max);
        for (int i = 0; i < EXAMINED_PER_CALL_MAX && missing.size() < wanted && !unexamined.isEmpty(); i++) {
            Map.Entry<Bytes, Expected> next = unexamined.pollFirstEntry();
            examine(next.getKey(), next.getValue());
        }
        List<Bytes> paths = new ArrayList<>(Math.min(max, missing.size()));
        for (Bytes path : missing.keySet()) {
            if (paths.size() >= max) {
                break;
            }
            if (!except.contains(path)) {
                paths.add(path);
            }
        }
        return paths;
    }

    private void examine(Bytes path, Expected expected) {
        if (Objects.equals(whole.get(path), expected.digest())) {
            entriesMissing -= expected.entries();
            finished(path);
            return;
        }
        Bytes staged = local.staged(path);
        if (staged != null && expected.matches(staged) && fits(path, staged, expected)) {
            descend(path, staged, expected);
        } else {
            missing.put(path, expected);
        }
    }

    /** A node that nobody waits for (any more) is not wrong, and is not taken: a source may answer twice. */
    @Override
    public boolean offer(StateNodes.Node node) {
        requirePhase(Phase.FETCHING);
        Bytes path = node.path();
        Expected expected = missing.containsKey(path) ? missing.get(path) : unexamined.get(path);
        if (expected == null) {
            return true;
        }
        if (!expected.matches(node.content()) || !fits(path, node.content(), expected)) {
            return false;
        }
        local.stage(path, node.content());
        for (int length = path.size() - 1; length >= 0; length--) {
            whole.remove(path.slice(0, length));
        }
        bytesReceived += node.content().size();
        missing.remove(path);
        unexamined.remove(path);
        entriesReceived += descend(path, node.content(), expected);
        return true;
    }

    @Override
    public boolean complete() {
        return phase == Phase.FETCHING && unexamined.isEmpty() && missing.isEmpty() && local.settled();
    }

    @Override
    public void commit(Consumer<Boolean> toldAtTheEnd) {
        requirePhase(Phase.FETCHING);
        if (!complete()) {
            throw new IllegalStateException("the state of checkpoint " + seq + " lacks " + missing.size()
                    + " nodes, or a checkpoint is on its way to the disk");
        }
        phase = Phase.COMMITTING;
        onEnd = toldAtTheEnd;
        local.install(this);
    }

    /** The store says how {@link #commit} ended. */
    void ended(boolean installed) {
        requirePhase(Phase.COMMITTING);
        phase = installed ? Phase.OVER : Phase.FETCHING;
        if (!installed) {
            replan();
        }
        onEnd.accept(installed);
    }

    @Override
    public void abandon() {
        if (phase == Phase.COMMITTING) {
            throw new IllegalStateException("the state of checkpoint " + seq + " is being installed");
        }
        phase = Phase.OVER;
    }

    @Override
    public Progress progress() {
        long toCome = entriesReceived == 0 ? 0 : Math.round((double) bytesReceived / entriesReceived * entriesMissing);
        return new Progress(bytesReceived, bytesReceived + toCome, entriesMissing, entries);
    }

    boolean isFetching() {
        return phase == Phase.FETCHING;
    }

    boolean isOver() {
        return phase == Phase.OVER;
    }

    private void requirePhase(Phase required) {
        if (phase != required) {
            throw new IllegalStateException("the transfer of checkpoint " + seq + " is " + phase);
        }
    }

    /** Whether the content can be looked into: right digest or not, nothing that comes from outside is trusted in form. */
    private static boolean fits(Bytes path, Bytes content, Expected expected) {
        if (!expected.isNode()) {
            return true;
        }
        try {
            // An inner node's children, and their values, must have paths that a message can carry.
            return TreeNode.decode(content) instanceof Leaf || path.size() + 3 <= Limits.STATE_PATH_BYTES_MAX;
        } catch (MalformedNode e) {
            return false;
        }
    }

    /** Expects what the node says is below it; the entries that stand in it. */
    private int descend(Bytes path, Bytes content, Expected expected) {
        if (!expected.isNode()) {
            finished(path);
            return 0;
        }
        TreeNode node = decodeChecked(content);
        if (path.isEmpty()) {
            entries = node.count();
        }
        entriesMissing -= expected.entries();
        int before = unexamined.size();
        int here = 0;
        if (node instanceof Leaf leaf) {
            here = leaf.entries().size();
            for (int i = 0; i < here; i++) {
                expectValue(path, i, leaf.entries().get(i));
            }
        } else {
            expectChildren(path, (Inner) node);
        }
        int waiting = unexamined.size() - before;
        open.put(path, new Open(expected.digest(), node instanceof Inner, waiting));
        if (waiting == 0) {
            finishedNode(path);
        }
        return here;
    }

    private void expectChildren(Bytes path, Inner inner) {
        Inner mine = local.node(path) instanceof Inner localInner ? localInner : null;
        for (int i = 0; i < StateTree.FANOUT; i++) {
            Child child = inner.child(i);
            Child same = mine == null ? null : mine.child(i);
            if (child != null && (same == null || !same.digest().equals(child.digest()))) {
                unexamined.put(
                        StateTree.childPath(path, i), new Expected(child.digest(), Expected.NODE, child.count()));
                entriesMissing += child.count();
            }
        }
    }

    private void expectValue(Bytes leaf, int index, LeafEntry entry) {
        Digest digest = entry.valueDigest();
        if (digest == null) {
            return;
        }
        Expected expected = new Expected(digest, entry.valueBytes(), 0);
        Bytes mine = local.value(entry.key());
        if (mine == null || !expected.matches(mine)) {
            unexamined.put(StateTree.valuePath(leaf, index), expected);
        }
    }

    /** The node with all below it is here: perhaps its parent's subtree is, too. */
    private void finishedNode(Bytes path) {
        Open node = open.remove(path);
        if (node != null && node.inner) {
            whole.put(path, node.digest);
        }
        finished(path);
    }

    private void finished(Bytes path) {
        if (path.isEmpty()) {
            return;
        }
        Bytes parent = path.slice(0, path.size() - (StateTree.isValuePath(path) ? 2 : 1));
        Open above = open.get(parent);
        if (above != null && --above.waiting == 0) {
            finishedNode(parent);
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
