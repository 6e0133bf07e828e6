package io.pbft.checkpoint;

import io.pbft.checkpoint.LmdbEnvironment.PartSize;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.LmdbException;
import org.lmdbjava.Txn;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@link StateStore} on LMDB, for states larger than memory.
 *
 * <p><b>Reading and writing.</b> What operations write is gathered in an overlay in memory; reads look there first and
 * then into LMDB, as of its last durable checkpoint. A checkpoint takes the changes since the one before and hands them
 * to the writer's thread, which puts entries, nodes of the tree, sequence number and root into one transaction.
 * Execution goes on over the overlay; a change leaves it when the checkpoint that it belongs to is durable, unless it
 * was overwritten since. Several checkpoints may be on their way.
 *
 * <pre>
 *   state().put -> overlay [ of checkpoint 20, under way | of checkpoint 30, under way | since ] over LMDB at 10
 * </pre>
 *
 * <p><b>Serving.</b> A checkpoint that others may fetch is an open LMDB read transaction: it costs no copy and does not
 * stop anyone. What it costs is that pages freed since are not used again, so their number is bounded
 * ({@link #CHECKPOINTS_KEPT_MAX}) and they go with the checkpoint ({@link #release}): the file holds at most what these
 * checkpoints changed, besides the state.
 *
 * <p><b>Growing.</b> LMDB's map may be enlarged only while no read transaction is open. The map begins so large
 * ({@link #MAP_BYTES}; address space, not memory or disk) that it hardly ever happens; when it does, the checkpoints
 * that are served are given up, except for the last durable one.
 *
 * <p><b>Repair.</b> {@link #scrub} looks for damage while the state is in use. Single records are put back: the tree
 * above says what they must be, so it does not matter who brings them. Damaged pages are not repaired in place.
 *
 * <p><b>Threads.</b> One thread calls it; callbacks go to the executor of the owner, which must bring them to that
 * thread. The lock guards the read transactions, which the writer's thread replaces.
 */
public final class LmdbStateStore implements StateStore {
    private static final Logger LOG = LoggerFactory.getLogger(LmdbStateStore.class);

    /** Checkpoints that are kept for others at most: the oldest goes first. */
    static final int CHECKPOINTS_KEPT_MAX = 8;

    /** Checkpoints that stay, whatever {@link #release} says. */
    static final int CHECKPOINTS_KEPT_MIN = 2;

    /** Bytes of nodes that may wait for the disk: while there are more, no further ones are asked for. */
    static final long STAGING_WAITING_BYTES_MAX = 16L << 20;

    /** Nodes are written to the staging area when so many bytes have come together. */
    static final long STAGING_GROUP_BYTES = 4L << 20;

    static final long MAP_BYTES = 64L << 30;

    /** What one transaction of an install changes, about: LMDB holds so much in memory, outside of the Java heap. */
    static final long PART_BYTES = 32L << 20;

    /** The address space that an install may take, as a multiple of what is there when it begins. */
    private static final int INSTALL_GROWTH = 4;

    /** Entries of a transfer while they are brought into order. */
    static final String SORT_FILE = "transfer.sort";

    /** A durable checkpoint, as others may see it. */
    private record Version(StateTables.Head head, Txn<ByteBuffer> txn) {}

    /** A value that is not in LMDB yet, and the checkpoint's generation that brings it there. Empty: deleted. */
    private record Pending(Optional<Bytes> value, long generation) {}

    private final LmdbEnvironment env;
    private final PartSize part;
    private final StateTables.Databases databases;
    private final Executor callbacks;
    private final Consumer<StorageFailure> onFailure;

    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by the lock, as is every use of the transactions in it. Never empty while the store is open. */
    private final TreeMap<Long, Version> versions = new TreeMap<>();

    private final LinkedBlockingQueue<Runnable> jobs = new LinkedBlockingQueue<>();
    private final Thread writer;
    private volatile @Nullable StorageFailure failure;
    private volatile boolean stopping;

    // The owner's thread.
    private final StateTables tables;
    private final OverlaidState state = new OverlaidState();
    private final TreeMap<Bytes, Pending> overlay = new TreeMap<>();
    private TreeMap<Bytes, Optional<Bytes>> changes = new TreeMap<>();
    private long generation;
    private long seqTaken;
    private int underWay;
    private @Nullable TreeInstall install;
    private boolean closed;

    /** Nodes on their way to the staging area. */
    private final ConcurrentSkipListMap<Bytes, Bytes> staging = new ConcurrentSkipListMap<>();

    private TreeMap<Bytes, Bytes> stagingGroup = new TreeMap<>();
    private long stagingGroupBytes;

    /** Of groups that were handed to the writer. */
    private final AtomicLong stagingWaitingBytes = new AtomicLong();

    // The writer's thread.
    private final StateTables writerTables;
    private final StateRepair repair;

    /** Found damaged, and not put back yet. */
    private final TreeSet<StateRepair.Place> damaged = new TreeSet<>();

    /** Where others have what is {@link #damaged}. Written by the writer's thread. */
    private volatile Lost lost = Lost.NOTHING;

    private volatile Repairs repairs = new Repairs(0, 0);

    // The scrub's thread.
    private final StateScrub scrub;

    /** Held while the scrub has a read transaction open. Taken before {@link #lock}. */
    private final ReentrantLock scrubbing = new ReentrantLock();

    private LmdbStateStore(LmdbEnvironment env, PartSize part, Executor callbacks, Consumer<StorageFailure> onFailure) {
        this.env = env;
        this.part = part;
        this.callbacks = callbacks;
        this.onFailure = onFailure;
        this.databases = StateTables.Databases.open(env);
        this.tables = new StateTables(databases);
        this.writerTables = new StateTables(databases);
        this.repair = new StateRepair(writerTables);
        this.scrub = new StateScrub(env, new StateTables(databases));
        begin();
        finishInstall();
        this.seqTaken = openVersion(tables).head().seq();
        this.writer = new Thread(this::run, "pbft-state");
        writer.setDaemon(true);
    }

    /**
     * Opens the state in a replica's folder, or begins an empty one.
     *
     * @param folder the replica's folder: the state is in {@code state} below it
     * @param callbacks brings completions, and the failure, to the thread that calls the store, in order
     * @param onFailure told once, of a checkpoint that could not be written
     * @throws StorageFailure when it cannot be opened, is in use, is damaged at its root, or is of another format
     */
    public static LmdbStateStore open(Path folder, Executor callbacks, Consumer<StorageFailure> onFailure) {
        return open(folder, MAP_BYTES, new PartSize(PART_BYTES, () -> {}), callbacks, onFailure);
    }

    static LmdbStateStore open(
            Path folder, long mapBytes, PartSize part, Executor callbacks, Consumer<StorageFailure> onFailure) {
        LmdbEnvironment env = LmdbEnvironment.open(
                folder(folder), "the state", mapBytes, StateTables.Databases.COUNT, new StateCheck());
        try {
            LmdbStateStore store = new LmdbStateStore(env, part, callbacks, onFailure);
            store.writer.start();
            return store;
        } catch (RuntimeException e) {
            env.close();
            throw e;
        }
    }

    /**
     * Takes a state out of use, so that an empty one takes its place and everything is fetched anew. It is kept, in the
     * place of what was put aside before.
     *
     * @throws StorageFailure when that cannot be done
     */
    public static void putAside(Path replica) {
        Folders.putAside(folder(replica), "the state", file -> file.endsWith(LmdbEnvironment.DATA_FILE), null);
    }

    /**
     * What a state's folder holds.
     *
     * @param bytes of its file; 0 where there is none
     * @param seq of the checkpoint that it stands at; -1 where there is none
     * @param root of that checkpoint
     * @param damages what is wrong, a sentence each
     */
    public record Contents(long bytes, long seq, Digest root, long entries, List<String> damages) {}

    /**
     * Looks at a state that no process has open, without changing anything.
     *
     * @throws StorageFailure when it is in use or cannot be read
     */
    @SuppressWarnings("try")
    public static Contents inspect(Path replica) {
        Path own = folder(replica);
        Path data = own.resolve(LmdbEnvironment.DATA_FILE);
        StateCheck check = new StateCheck();
        List<String> damages = new ArrayList<>();
        try (DirectoryLock.Probe probe = DirectoryLock.probe(own, "the state")) {
            long bytes = Files.exists(data) ? Files.size(data) : 0;
            try {
                LmdbPages.check(data, check);
            } catch (LmdbPages.Damage damage) {
                damages.add(data.toAbsolutePath() + ": " + damage.getMessage());
            }
            return new Contents(bytes, check.seq(), check.root(), check.entries(), damages);
        } catch (IOException e) {
            throw new StorageFailure(
                    "the state " + own.toAbsolutePath() + " cannot be read (" + StorageFailure.reason(e)
                            + "); check permissions and health of the disk",
                    e);
        }
    }

    static Path folder(Path replica) {
        return replica.resolve("state");
    }

    /** Records that were found damaged while the state was in use, and those of them that were put back. */
    public record Repairs(long found, long repaired) {}

    /** Any thread may ask. */
    public Repairs repairs() {
        return repairs;
    }

    /** Bytes of the file. */
    long fileBytes() throws IOException {
        return Files.size(env.data());
    }

    /**
     * Looks at the next few pages: what is damaged is written anew where it can be had here, and otherwise becomes one
     * of {@link #lost}. One thread calls it, which need not be the owner's.
     *
     * @return whether that was the end: the next call begins anew
     * @throws StorageFailure when the pages themselves are damaged, and nothing in them is to be trusted
     */
    boolean scrub() {
        List<StateRepair.Place> found;
        scrubbing.lock();
        try {
            if (stopping) {
                return true;
            }
            found = scrub.step();
        } catch (LmdbException e) {
            throw env.failed("cannot be read", e);
        } finally {
            scrubbing.unlock();
        }
        if (!found.isEmpty()) {
            jobs.add(() -> rewrite(found));
        }
        return scrub.isAtEnd();
    }

    /** On the writer's thread. */
    private void rewrite(Collection<StateRepair.Place> places) {
        boolean more = false;
        for (StateRepair.Place place : places) {
            if (damaged.add(place)) {
                LOG.warn("{} is damaged at {}; it is put back. Check the disk's health", env.data(), place.name());
                repairs = new Repairs(repairs.found() + 1, repairs.repaired());
                more = true;
            }
        }
        if (more) {
            rewriteDamaged();
        }
    }

    /** The state has changed: what is damaged may stand at another path now, or be gone. */
    private void placeDamagedAnew() {
        if (!damaged.isEmpty()) {
            rewriteDamaged();
        }
    }

    private void rewriteDamaged() {
        TreeMap<Bytes, Digest> missing = new TreeMap<>();
        List<StateRepair.Place> whole = new ArrayList<>();
        long[] seq = new long[1];
        env.write(
                txn -> {
                    missing.clear();
                    whole.clear();
                    seq[0] = writerTables.head(txn).orElseThrow().seq();
                    for (StateRepair.Place place : damaged) {
                        rewrite(txn, place)
                                .ifPresentOrElse(
                                        wanted -> missing.put(wanted.path(), wanted.digest()), () -> whole.add(place));
                    }
                },
                this::grow);
        if (!whole.isEmpty()) {
            // The checkpoints before have the damaged records still.
            renewAll();
        }
        whole.forEach(damaged::remove);
        lost = new Lost(seq[0], missing);
        repairs = new Repairs(repairs.found(), repairs.repaired() + whole.size());
    }

    /** What cannot be written before a node above it is whole waits for that one, which is damaged too. */
    private Optional<StateRepair.Wanted> rewrite(Txn<ByteBuffer> txn, StateRepair.Place place) {
        try {
            return repair.rewrite(txn, place);
        } catch (StateRepair.Unreachable above) {
            return Optional.of(above.wanted());
        }
    }

    @Override
    public Lost lost() {
        return lost;
    }

    @Override
    public void restore(StateNodes.Node node) {
        requireHealthy();
        jobs.add(() -> {
            boolean[] put = new boolean[1];
            env.write(txn -> put[0] = put(txn, node), this::grow);
            if (put[0]) {
                rewriteDamaged();
            }
        });
    }

    private boolean put(Txn<ByteBuffer> txn, StateNodes.Node node) {
        try {
            return repair.put(txn, node);
        } catch (StateRepair.Unreachable above) {
            return false;
        }
    }

    private void begin() {
        Optional<Integer> format;
        try (Txn<ByteBuffer> txn = env.read()) {
            format = tables.format(txn);
        } catch (LmdbException e) {
            throw env.failed("cannot be read", e);
        }
        if (format.isEmpty()) {
            env.write(txn -> {
                tables.putFormat(txn);
                tables.putNode(txn, Bytes.EMPTY, Leaf.EMPTY.encode());
                tables.putHead(txn, new StateTables.Head(0, Leaf.EMPTY.digest()));
            });
        } else if (format.get() != StateTables.FORMAT_VERSION) {
            throw new StorageFailure("the state " + env.data().toAbsolutePath() + " has format " + format.get()
                    + "; this version of the program reads format " + StateTables.FORMAT_VERSION
                    + ". Use the version that wrote it");
        }
    }

    /** Makes the last durable checkpoint one that is read and served. */
    private Version openVersion(StateTables view) {
        Txn<ByteBuffer> txn = env.read();
        try {
            StateTables.Head head =
                    view.head(txn).orElseThrow(() -> env.damaged("the record of the checkpoint", "it is missing"));
            view.root(txn, head);
            Version version = new Version(head, txn);
            closeVersion(versions.put(head.seq(), version));
            while (versions.size() > CHECKPOINTS_KEPT_MAX) {
                closeVersion(versions.pollFirstEntry().getValue());
            }
            return version;
        } catch (LmdbException e) {
            txn.close();
            throw env.failed("cannot be read", e);
        } catch (StorageFailure e) {
            txn.close();
            throw e;
        }
    }

    private static void closeVersion(@Nullable Version version) {
        if (version != null) {
            version.txn().close();
        }
    }

    private Version last() {
        return versions.lastEntry().getValue();
    }

    /** A small value that the disk has damaged stands in the tree once more: nobody waits for it. */
    private StateTables.Spare spare(Version version) {
        return (place, damage) -> {
            LeafEntry entry = new StateRepair(tables)
                    .smallInTree(version.txn(), version.head(), place)
                    .orElseThrow(() -> damage);
            jobs.add(() -> rewrite(List.of(new StateRepair.Place(true, place))));
            return entry;
        };
    }

    /** Reads from a version, while nobody may take it away. */
    private <T> T read(Function<Version, T> reading) {
        lock.lock();
        try {
            return reading.apply(last());
        } catch (LmdbException e) {
            throw env.failed("cannot be read", e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public State state() {
        return state;
    }

    @Override
    public long seq() {
        return read(version -> version.head().seq());
    }

    @Override
    public Digest root() {
        return read(version -> version.head().root());
    }

    @Override
    public List<StateView.Entry> systemEntries() {
        return read(version -> {
            List<StateView.Entry> entries = new ArrayList<>();
            tables.scan(version.txn(), Bytes.wrap(new byte[] {StateTree.SYSTEM}), spare(version), (key, value) -> {
                boolean mine = key.get(0) == StateTree.SYSTEM;
                if (mine) {
                    entries.add(new StateView.Entry(StateTree.bare(key), value));
                }
                return mine;
            });
            return entries;
        });
    }

    @Override
    public void checkpoint(long seq, Map<Bytes, Optional<Bytes>> systemChanges, Consumer<Digest> onDurable) {
        requireHealthy();
        if (install != null && !install.isFetching() && !install.isOver()) {
            throw new IllegalStateException("checkpoint " + seq + " while a state is being installed");
        }
        if (seq <= seqTaken) {
            throw new IllegalArgumentException("checkpoint " + seq + " after checkpoint " + seqTaken);
        }
        TreeMap<Bytes, Optional<Bytes>> taken = changes;
        List<Bytes> overlaid = List.copyOf(taken.keySet());
        systemChanges.forEach((key, value) -> {
            StateLimits.requireSystemEntry(key, value.orElse(Bytes.EMPTY));
            taken.put(StateTree.key(StateTree.SYSTEM, key), value);
        });
        long takenGeneration = generation++;
        changes = new TreeMap<>();
        seqTaken = seq;
        underWay++;
        jobs.add(() -> {
            Digest root = write(seq, taken);
            callbacks.execute(() -> {
                if (closed) {
                    return;
                }
                underWay--;
                settle(overlaid, takenGeneration);
                onDurable.accept(root);
            });
            placeDamagedAnew();
        });
    }

    /** A checkpoint is durable: what it brought is found in LMDB now. */
    private void settle(List<Bytes> overlaid, long durableGeneration) {
        for (Bytes key : overlaid) {
            Pending pending = overlay.get(key);
            if (pending != null && pending.generation() == durableGeneration) {
                overlay.remove(key);
            }
        }
        if (install != null) {
            install.replan();
        }
    }

    private Digest write(long seq, NavigableMap<Bytes, Optional<Bytes>> taken) {
        Digest[] root = new Digest[1];
        env.write(
                txn -> {
                    StateTables.Head before = writerTables.head(txn).orElseThrow();
                    StateTree tree = writerTables.tree(txn);
                    root[0] = tree.update(writerTables.root(txn, before), taken).digest();
                    taken.forEach((key, value) -> value.ifPresentOrElse(
                            present -> writerTables.putEntry(txn, key, present),
                            () -> writerTables.deleteEntry(txn, key)));
                    writerTables.putHead(txn, new StateTables.Head(seq, root[0]));
                },
                this::grow);
        lock.lock();
        try {
            openVersion(writerTables);
        } finally {
            lock.unlock();
        }
        return root[0];
    }

    private void grow(Runnable enlarge) {
        scrubbing.lock();
        lock.lock();
        try {
            versions.values().forEach(LmdbStateStore::closeVersion);
            versions.clear();
            enlarge.run();
            openVersion(writerTables);
        } finally {
            lock.unlock();
            scrubbing.unlock();
        }
    }

    /** Gives up the checkpoints that are served, and reads the last one anew. */
    private void renewAll() {
        lock.lock();
        try {
            versions.values().forEach(LmdbStateStore::closeVersion);
            versions.clear();
            openVersion(writerTables);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean holds(long seq) {
        return read(version -> versions.containsKey(seq));
    }

    @Override
    public Optional<StateNodes.Node> node(long seq, Bytes path) {
        return read(last -> {
            Version version = versions.get(seq);
            return version == null ? Optional.empty() : node(version, path);
        });
    }

    /** What is damaged here the others have: it is put back, and not served before. */
    private Optional<StateNodes.Node> node(Version version, Bytes path) {
        try {
            return Optional.ofNullable(tables.content(version.txn(), version.head(), path))
                    .map(content -> new StateNodes.Node(path, content));
        } catch (StorageFailure damage) {
            StateRepair.Place place = new StateRepair(tables)
                    .placeAt(version.txn(), version.head(), path)
                    .orElseThrow(() -> damage);
            jobs.add(() -> rewrite(List.of(place)));
            return Optional.empty();
        }
    }

    @Override
    public void release(long seq, Set<Long> served) {
        read(version -> {
            Iterator<Map.Entry<Long, Version>> oldest = versions.entrySet().iterator();
            for (int i = versions.size(); i > CHECKPOINTS_KEPT_MIN; i--) {
                Map.Entry<Long, Version> next = oldest.next();
                if (next.getKey() < seq && !served.contains(next.getKey())) {
                    closeVersion(next.getValue());
                    oldest.remove();
                }
            }
            return seq;
        });
    }

    @Override
    public StateInstall install(long seq, Digest root) {
        requireHealthy();
        TreeInstall before = install;
        if (before != null) {
            before.abandon();
        }
        // Whoever lacks a state is nobody's source, and an old checkpoint that stays open makes the file grow.
        read(version -> {
            while (versions.size() > 1) {
                closeVersion(versions.pollFirstEntry().getValue());
            }
            return seq;
        });
        TreeInstall begun = new TreeInstall(seq, root, new InstallLocal(), before);
        install = begun;
        return begun;
    }

    private void requireHealthy() {
        StorageFailure known = failure;
        if (known != null) {
            throw known;
        }
        if (closed) {
            throw new IllegalStateException("the state is closed");
        }
    }

    long mapBytes() {
        return env.mapBytes();
    }

    /** Writes what was taken, then ends; its completions do not come any more. May be called twice. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        flushStaging();
        jobs.add(() -> stopping = true);
        boolean interrupted = false;
        while (writer.isAlive()) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                // The file may not be closed under a thread that writes to it.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        scrubbing.lock();
        try {
            versions.values().forEach(LmdbStateStore::closeVersion);
            versions.clear();
            env.close();
        } finally {
            scrubbing.unlock();
        }
    }

    private void run() {
        try {
            while (!stopping) {
                jobs.take().run();
            }
        } catch (StorageFailure cause) {
            fail(cause);
        } catch (InterruptedException | RuntimeException | Error cause) {
            fail(new StorageFailure("the state's thread ended: " + cause, cause));
        }
    }

    private void fail(StorageFailure cause) {
        failure = cause;
        try {
            callbacks.execute(() -> onFailure.accept(cause));
        } catch (RejectedExecutionException e) {
            LOG.warn("nobody is there any more to be told", cause);
        }
    }

    private void flushStaging() {
        if (stagingGroup.isEmpty()) {
            return;
        }
        TreeMap<Bytes, Bytes> group = stagingGroup;
        long bytes = stagingGroupBytes;
        stagingGroup = new TreeMap<>();
        stagingGroupBytes = 0;
        stagingWaitingBytes.addAndGet(bytes);
        jobs.add(() -> {
            env.write(txn -> group.forEach((path, content) -> writerTables.stage(txn, path, content)), this::grow);
            renewLast();
            group.forEach(staging::remove);
            stagingWaitingBytes.addAndGet(-bytes);
        });
    }

    /**
     * Reads the last checkpoint through a new transaction: pages that were freed since the old one began may be used
     * again. A transfer would otherwise leave a copy of each page for each time that it was written.
     */
    private void renewLast() {
        lock.lock();
        try {
            openVersion(writerTables);
        } finally {
            lock.unlock();
        }
    }

    private final class InstallLocal implements TreeInstall.Local {
        @Override
        public @Nullable TreeNode node(Bytes path) {
            return read(version -> Optional.ofNullable(
                            tables.tree(version.txn()).find(tables.root(version.txn(), version.head()), path)))
                    .orElse(null);
        }

        @Override
        public @Nullable Bytes value(Bytes key) {
            return read(version -> Optional.ofNullable(tables.entry(version.txn(), key)))
                    .orElse(null);
        }

        @Override
        public @Nullable Bytes staged(Bytes path) {
            Bytes waiting = staging.get(path);
            if (waiting != null) {
                return waiting;
            }
            return read(version -> {
                        try (Txn<ByteBuffer> txn = env.read()) {
                            return Optional.ofNullable(tables.staged(txn, path));
                        }
                    })
                    .orElse(null);
        }

        @Override
        public void stage(Bytes path, Bytes content) {
            requireHealthy();
            staging.put(path, content);
            stagingGroup.put(path, content);
            stagingGroupBytes += content.size();
            if (stagingGroupBytes >= STAGING_GROUP_BYTES) {
                flushStaging();
            }
        }

        @Override
        public boolean keepsUp() {
            return stagingWaitingBytes.get() < STAGING_WAITING_BYTES_MAX;
        }

        @Override
        public boolean settled() {
            return underWay == 0;
        }

        @Override
        public void install(TreeInstall complete) {
            flushStaging();
            jobs.add(() -> {
                boolean installed = replace(complete);
                callbacks.execute(() -> {
                    if (!closed) {
                        if (installed) {
                            makeCurrent(complete);
                        }
                        complete.ended(installed);
                    }
                });
            });
        }
    }

    /**
     * What was installed is durable: from here on it is what is read. Until here everything read was of the state
     * before.
     */
    private void makeCurrent(TreeInstall installed) {
        lock.lock();
        try {
            // What came before is of another history than what is certified now, or far behind it.
            versions.values().forEach(LmdbStateStore::closeVersion);
            versions.clear();
            openVersion(tables);
        } finally {
            lock.unlock();
        }
        overlay.clear();
        changes = new TreeMap<>();
        generation++;
        seqTaken = installed.seq();
        install = null;
        jobs.add(this::placeDamagedAnew);
    }

    /** On the writer's thread. False: something staged was damaged, and nothing has changed. */
    private boolean replace(TreeInstall complete) {
        // Later the map could not grow without giving up the state before, which is read until all is there.
        env.reserve(INSTALL_GROWTH, this::grow);
        StateTables.Installing begun =
                new StateTables.Installing(new StateTables.Head(complete.seq(), complete.root()), false);
        try {
            env.writeInParts(part, parts -> install(parts, Optional.of(begun)), enlarge -> {
                throw new StorageFailure("the state " + env.data().toAbsolutePath()
                        + " has no address space left for what is installed; start again, and that goes on");
            });
            return true;
        } catch (StateReplacement.StagedDamage e) {
            LOG.warn("{}: {}; it is fetched again. The disk may be failing", env.data(), e.getMessage());
            return false;
        }
    }

    /** @param begun empty: what a crash has left is brought to its end */
    private void install(LmdbEnvironment.Parts parts, Optional<StateTables.Installing> begun) {
        try (Txn<ByteBuffer> old = env.read()) {
            new StateReplacement(writerTables, parts, old, begun.isEmpty())
                    .run(begun.or(() -> writerTables.installing(old)).orElseThrow(), env.file(SORT_FILE));
        }
    }

    /** Brings an install to its end that a crash has cut short: all that it needs was staged before it began. */
    private void finishInstall() {
        try (Txn<ByteBuffer> txn = env.read()) {
            Optional<StateTables.Installing> begun = tables.installing(txn);
            if (begun.isEmpty()) {
                return;
            }
            LOG.info(
                    "{}: the install of checkpoint {} was cut short; it goes on",
                    env.data(),
                    begun.get().target().seq());
        } catch (LmdbException e) {
            throw env.failed("cannot be read", e);
        }
        try {
            env.writeInParts(part, parts -> install(parts, Optional.empty()), Runnable::run);
            LmdbPages.check(env.data(), new StateCheck());
        } catch (StateReplacement.StagedDamage | LmdbPages.Damage e) {
            throw env.damaged("an install that was cut short", String.valueOf(e.getMessage()));
        } catch (IOException e) {
            throw env.damaged("a page", "it cannot be read (" + StorageFailure.reason(e) + ")");
        }
    }

    /** The application's keyspace: the overlay over the last durable checkpoint. */
    private final class OverlaidState implements State {
        @Override
        public Optional<Bytes> get(Bytes key) {
            StateLimits.requireKey(key);
            Bytes place = StateTree.key(StateTree.APPLICATION, key);
            Pending pending = overlay.get(place);
            return pending != null ? pending.value() : read(version -> durable(version, place));
        }

        private Optional<Bytes> durable(Version version, Bytes key) {
            try {
                return Optional.ofNullable(tables.entry(version.txn(), key));
            } catch (StorageFailure damage) {
                return Optional.of(
                        spare(version).of(StateTables.place(key), damage).valueAtHand());
            }
        }

        @Override
        public void put(Bytes key, Bytes value) {
            StateLimits.requireKey(key);
            StateLimits.requireValue(value);
            change(StateTree.key(StateTree.APPLICATION, key), Optional.of(value));
        }

        @Override
        public boolean delete(Bytes key) {
            boolean found = get(key).isPresent();
            if (found) {
                change(StateTree.key(StateTree.APPLICATION, key), Optional.empty());
            }
            return found;
        }

        private void change(Bytes place, Optional<Bytes> value) {
            overlay.put(place, new Pending(value, generation));
            changes.put(place, value);
        }

        @Override
        public List<Entry> scan(Bytes prefix, Bytes from, int limit) {
            Bytes first = StateTree.key(StateTree.APPLICATION, from.compareTo(prefix) > 0 ? from : prefix);
            Merge merge = new Merge(StateTree.key(StateTree.APPLICATION, prefix), first, limit);
            if (limit > 0) {
                read(version -> {
                    tables.scan(version.txn(), first, spare(version), merge);
                    return limit;
                });
                merge.overlaidBefore(null);
            }
            return merge.found;
        }
    }

    /** Brings the overlay and what LMDB has into one order; where both have a key, the overlay is right. */
    private final class Merge implements StateTables.EntrySink {
        private final Bytes prefix;
        private final int limit;
        private final List<StateView.Entry> found = new ArrayList<>();
        private final Iterator<Map.Entry<Bytes, Pending>> overlaid;
        private Map.@Nullable Entry<Bytes, Pending> next;

        Merge(Bytes prefix, Bytes first, int limit) {
            this.prefix = prefix;
            this.limit = limit;
            this.overlaid = overlay.tailMap(first, true).entrySet().iterator();
            this.next = overlaid.hasNext() ? overlaid.next() : null;
        }

        @Override
        public boolean take(Bytes key, Bytes value) {
            if (!key.startsWith(prefix)) {
                return false;
            }
            overlaidBefore(key);
            if (next != null && next.getKey().equals(key)) {
                return found.size() < limit;
            }
            add(key, value);
            return found.size() < limit;
        }

        /** @param end null: to the end of the prefix */
        void overlaidBefore(@Nullable Bytes end) {
            while (next != null
                    && found.size() < limit
                    && next.getKey().startsWith(prefix)
                    && (end == null || next.getKey().compareTo(end) < 0)) {
                Bytes key = next.getKey();
                next.getValue().value().ifPresent(value -> add(key, value));
                next = overlaid.hasNext() ? overlaid.next() : null;
            }
        }

        private void add(Bytes key, Bytes value) {
            if (found.size() < limit) {
                found.add(new StateView.Entry(StateTree.bare(key), value));
            }
        }
    }
}
