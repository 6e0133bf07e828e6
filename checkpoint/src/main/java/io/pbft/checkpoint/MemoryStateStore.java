package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A {@link StateStore} in memory, for simulations and tests. Its {@link Disk} outlives it: a new store opened over the same
 * disk stands at the last checkpoint whose completion has run, as after a crash. The nodes of its trees are immutable and
 * shared between versions, so keeping a checkpoint costs what changed since the one before.
 *
 * <p>NOT thread-safe.
 */
public final class MemoryStateStore implements StateStore {
    /** Checkpoints that a store keeps for others at most: the oldest goes first. */
    static final int CHECKPOINTS_KEPT_MAX = 8;

    /** Checkpoints that stay, whatever {@link #release} says. */
    static final int CHECKPOINTS_KEPT_MIN = 2;

    /** What survives a crash. Two stores over one disk: the one opened later is the one that writes. */
    public static final class Disk {
        private final TreeMap<Long, TreeNode> checkpoints = new TreeMap<>();
        private final TreeMap<Bytes, Bytes> staged = new TreeMap<>();
        private @Nullable MemoryStateStore owner;

        public Disk() {
            checkpoints.put(0L, Leaf.EMPTY);
        }

        /** The number of the last durable checkpoint. */
        public long seq() {
            return checkpoints.lastKey();
        }

        /** Everything is lost: the next store begins with an empty state. */
        public void wipe() {
            owner = null;
            checkpoints.clear();
            staged.clear();
            checkpoints.put(0L, Leaf.EMPTY);
        }

        private void write(long seq, TreeNode root) {
            checkpoints.put(seq, root);
            while (checkpoints.size() > CHECKPOINTS_KEPT_MAX) {
                checkpoints.pollFirstEntry();
            }
        }
    }

    private static final StateTree TREE = new StateTree(StateTree.IN_MEMORY);

    private final Disk disk;
    private final Consumer<Runnable> scheduler;
    private final MemoryState state = new MemoryState();

    /** The tree of the last checkpoint taken, durable or not. */
    private TreeNode taken;

    private long seqTaken;

    /** Checkpoints whose completion has not run. */
    private int underWay;

    private @Nullable TreeInstall install;

    /** A store whose checkpoints are durable at once. */
    public MemoryStateStore(Disk disk) {
        this(disk, Runnable::run);
    }

    /**
     * @param scheduler runs what it is given once the virtual disk has done its work, in order, on the thread that calls this
     *     store; never, when the replica crashes before
     */
    public MemoryStateStore(Disk disk, Consumer<Runnable> scheduler) {
        this.disk = disk;
        this.scheduler = scheduler;
        this.seqTaken = disk.seq();
        this.taken = durable();
        disk.owner = this;
        state.load(taken);
    }

    private TreeNode durable() {
        return disk.checkpoints.lastEntry().getValue();
    }

    @Override
    public State state() {
        return state;
    }

    @Override
    public long seq() {
        return disk.seq();
    }

    @Override
    public Digest root() {
        return durable().digest();
    }

    @Override
    public List<StateView.Entry> systemEntries() {
        TreeMap<Bytes, Bytes> entries = new TreeMap<>();
        TREE.forEach(durable(), entry -> {
            if (entry.key().get(0) == StateTree.SYSTEM) {
                entries.put(StateTree.bare(entry.key()), entry.valueAtHand());
            }
        });
        return entries.entrySet().stream()
                .map(entry -> new StateView.Entry(entry.getKey(), entry.getValue()))
                .toList();
    }

    @Override
    public void checkpoint(long seq, Map<Bytes, Optional<Bytes>> systemChanges, Consumer<Digest> onDurable) {
        if (install != null && !install.isFetching() && !install.isOver()) {
            throw new IllegalStateException("checkpoint " + seq + " while a state is being installed");
        }
        if (seq <= seqTaken) {
            throw new IllegalArgumentException("checkpoint " + seq + " after checkpoint " + seqTaken);
        }
        TreeMap<Bytes, Optional<Bytes>> changes = state.drainChanges();
        systemChanges.forEach((key, value) -> {
            StateLimits.requireSystemEntry(key, value.orElse(Bytes.EMPTY));
            changes.put(StateTree.key(StateTree.SYSTEM, key), value);
        });
        TreeNode root = TREE.update(taken, changes);
        taken = root;
        seqTaken = seq;
        underWay++;
        scheduler.accept(() -> {
            if (disk.owner != this) {
                return;
            }
            underWay--;
            disk.write(seq, root);
            if (install != null) {
                install.replan();
            }
            onDurable.accept(root.digest());
        });
    }

    @Override
    public boolean holds(long seq) {
        return disk.checkpoints.containsKey(seq);
    }

    @Override
    public Optional<StateNodes.Node> node(long seq, Bytes path) {
        TreeNode root = disk.checkpoints.get(seq);
        if (root == null) {
            return Optional.empty();
        }
        if (!StateTree.isValuePath(path)) {
            TreeNode node = TREE.find(root, path);
            return node == null ? Optional.empty() : Optional.of(new StateNodes.Node(path, node.encode()));
        }
        int index = path.get(path.size() - 1);
        if (TREE.find(root, path.slice(0, path.size() - 2)) instanceof Leaf leaf
                && index >= 0
                && index < leaf.entries().size()
                && leaf.entries().get(index).isLarge()) {
            return Optional.of(
                    new StateNodes.Node(path, leaf.entries().get(index).valueAtHand()));
        }
        return Optional.empty();
    }

    @Override
    public void release(long seq, Set<Long> served) {
        Iterator<Long> oldest = disk.checkpoints.keySet().iterator();
        for (int i = disk.checkpoints.size(); i > CHECKPOINTS_KEPT_MIN; i--) {
            long next = oldest.next();
            if (next < seq && !served.contains(next)) {
                oldest.remove();
            }
        }
    }

    @Override
    public StateInstall install(long seq, Digest root) {
        TreeInstall before = install;
        if (before != null) {
            before.abandon();
        }
        TreeInstall begun = new TreeInstall(seq, root, new InstallLocal(), before);
        install = begun;
        return begun;
    }

    /** As after a crash: what was not durable is gone, and nothing of it is ever reported. */
    @Override
    public Lost lost() {
        return Lost.NOTHING;
    }

    @Override
    public void restore(StateNodes.Node node) {
        throw new IllegalStateException("memory loses nothing");
    }

    @Override
    public void close() {
        if (disk.owner == this) {
            disk.owner = null;
        }
    }

    private final class InstallLocal implements TreeInstall.Local {
        @Override
        public @Nullable TreeNode node(Bytes path) {
            return TREE.find(durable(), path);
        }

        @Override
        public @Nullable Bytes value(Bytes key) {
            Bytes hash = Digest.of(key).toBytes();
            TreeNode node = durable();
            for (int depth = 0; node instanceof Inner inner; depth++) {
                Child child = inner.child(StateTree.step(hash, depth));
                node = child == null ? Leaf.EMPTY : child.node();
            }
            if (node instanceof Leaf leaf) {
                for (LeafEntry entry : leaf.entries()) {
                    if (entry.hash().equals(hash)) {
                        return entry.valueAtHand();
                    }
                }
            }
            return null;
        }

        @Override
        public @Nullable Bytes staged(Bytes path) {
            return disk.staged.get(path);
        }

        @Override
        public void stage(Bytes path, Bytes content) {
            disk.staged.put(path, content);
        }

        @Override
        public boolean settled() {
            return underWay == 0;
        }

        @Override
        public boolean keepsUp() {
            return true;
        }

        @Override
        public void install(TreeInstall complete) {
            scheduler.accept(() -> {
                if (disk.owner == MemoryStateStore.this) {
                    replace(complete);
                    install = null;
                    complete.ended(true);
                }
            });
        }

        private void replace(TreeInstall complete) {
            TreeNode mine = durable();
            TreeNode root = mine.digest().equals(complete.root()) ? mine : assemble(Bytes.EMPTY);
            if (!root.digest().equals(complete.root())) {
                throw new IllegalStateException("the tree that was put together has another root than was certified");
            }
            // What came before is of another history than what is certified now, or far behind it.
            disk.checkpoints.clear();
            disk.staged.clear();
            disk.write(complete.seq(), root);
            taken = root;
            seqTaken = complete.seq();
            state.load(root);
        }

        /** The subtree at {@code path} of the certified tree; what is not staged is here already. */
        private TreeNode assemble(Bytes path) {
            TreeNode node = TreeInstall.decodeChecked(require(disk.staged.get(path), path));
            if (node instanceof Leaf leaf) {
                List<LeafEntry> entries = new ArrayList<>();
                for (int i = 0; i < leaf.entries().size(); i++) {
                    entries.add(withValue(path, i, leaf.entries().get(i)));
                }
                return new Leaf(entries);
            }
            Inner mine = node(path) instanceof Inner inner ? inner : null;
            @Nullable Child[] children = ((Inner) node).copyOfChildren();
            for (int i = 0; i < StateTree.FANOUT; i++) {
                Child child = children[i];
                if (child != null) {
                    Child same = mine == null ? null : mine.child(i);
                    children[i] = same != null && same.digest().equals(child.digest())
                            ? same
                            : new Child(child.count(), child.digest(), assemble(StateTree.childPath(path, i)));
                }
            }
            return new Inner(children);
        }

        private LeafEntry withValue(Bytes leaf, int index, LeafEntry entry) {
            Digest digest = entry.valueDigest();
            if (digest == null) {
                return entry;
            }
            Bytes path = StateTree.valuePath(leaf, index);
            Bytes mine = value(entry.key());
            Bytes value = mine != null && TreeNode.digestOfValue(mine).equals(digest)
                    ? mine
                    : require(disk.staged.get(path), path);
            return new LeafEntry(entry.hash(), entry.key(), entry.valueBytes(), digest, value);
        }

        private Bytes require(@Nullable Bytes content, Bytes path) {
            if (content == null) {
                throw new IllegalStateException("node " + path + " of a complete transfer is missing");
            }
            return content;
        }
    }

    /** The application's keyspace, and what changed in it since the last checkpoint. */
    private static final class MemoryState implements State {
        private final TreeMap<Bytes, Bytes> entries = new TreeMap<>();
        private final TreeMap<Bytes, Optional<Bytes>> changes = new TreeMap<>();

        void load(TreeNode root) {
            entries.clear();
            changes.clear();
            TREE.forEach(root, entry -> {
                if (entry.key().get(0) == StateTree.APPLICATION) {
                    entries.put(StateTree.bare(entry.key()), entry.valueAtHand());
                }
            });
        }

        TreeMap<Bytes, Optional<Bytes>> drainChanges() {
            TreeMap<Bytes, Optional<Bytes>> drained = new TreeMap<>();
            changes.forEach((key, value) -> drained.put(StateTree.key(StateTree.APPLICATION, key), value));
            changes.clear();
            return drained;
        }

        @Override
        public Optional<Bytes> get(Bytes key) {
            StateLimits.requireKey(key);
            return Optional.ofNullable(entries.get(key));
        }

        @Override
        public List<Entry> scan(Bytes prefix, Bytes from, int limit) {
            NavigableMap<Bytes, Bytes> tail = entries.tailMap(from.compareTo(prefix) > 0 ? from : prefix, true);
            List<Entry> found = new ArrayList<>();
            for (Map.Entry<Bytes, Bytes> entry : tail.entrySet()) {
                if (found.size() >= limit || !entry.getKey().startsWith(prefix)) {
                    break;
                }
                found.add(new Entry(entry.getKey(), entry.getValue()));
            }
            return found;
        }

        @Override
        public void put(Bytes key, Bytes value) {
            StateLimits.requireKey(key);
            StateLimits.requireValue(value);
            entries.put(key, value);
            changes.put(key, Optional.of(value));
        }

        @Override
        public boolean delete(Bytes key) {
            StateLimits.requireKey(key);
            boolean found = entries.remove(key) != null;
            if (found) {
                changes.put(key, Optional.empty());
            }
            return found;
        }
    }
}
