package io.pbft.checkpoint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Journal} in memory, for simulations and tests, with the group commit of the real one: while a write is under way,
 * what is appended gathers, and the next write takes all of it. Its {@link Disk} outlives it. A crash, which is a
 * {@link #close} or a new journal over the same disk, loses every append whose write had not been carried out.
 *
 * <p>NOT thread-safe.
 */
public final class MemoryJournal implements Journal {
    /** What may go wrong with a disk. Each method has the answer of a good one; a simulation overrides what it breaks. */
    public interface Fault {
        /** A disk that does what it must. */
        Fault NONE = new Fault() {};

        /**
         * Before a write: what of {@code group} gets to the disk. Fewer entries than the whole group are a write that was torn or
         * ignored, and still reported as done; other entries are a write gone astray.
         *
         * @throws StorageFailure the write fails, and the journal with it
         */
        default List<JournalEntry> write(List<JournalEntry> group) {
            return group;
        }

        /**
         * At load: what is read where {@code entry} was written.
         *
         * @throws StorageFailure it is recognised as damaged
         */
        default JournalEntry read(JournalEntry entry) {
            return entry;
        }
    }

    /** What survives a crash. */
    public static final class Disk {
        private final TreeMap<JournalEntry, JournalEntry> entries = new TreeMap<>(JournalEntry.BY_PLACE);
        private final Fault fault;
        private @Nullable MemoryJournal owner;

        public Disk() {
            this(Fault.NONE);
        }

        public Disk(Fault fault) {
            this.fault = fault;
        }

        /** Everything is lost. */
        public void wipe() {
            owner = null;
            entries.clear();
        }

        /** What is on it, without the faults of reading: for checkers. */
        public List<JournalEntry> entries() {
            return List.copyOf(entries.values());
        }
    }

    /**
     * Something that waits for its write.
     *
     * @param truncateSeq negative: nothing is truncated
     */
    private record Waiting(Supplier<List<JournalEntry>> entries, Runnable onDurable, long truncateSeq) {}

    private final Disk disk;
    private final Consumer<Runnable> scheduler;
    private final Consumer<StorageFailure> onFailure;
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private boolean writing;
    private boolean failed;
    private long writes;

    /** A journal on which everything is durable at once. */
    public MemoryJournal(Disk disk) {
        this(disk, Runnable::run, failure -> {
            throw failure;
        });
    }

    /**
     * @param scheduler given a write, carries it out after as long as the virtual disk takes; never, when the replica crashes
     *     before. It is given one write at a time
     * @param onFailure told of the write that failed; nothing is durable from then on
     */
    public MemoryJournal(Disk disk, Consumer<Runnable> scheduler, Consumer<StorageFailure> onFailure) {
        this.disk = disk;
        this.scheduler = scheduler;
        this.onFailure = onFailure;
        disk.owner = this;
    }

    @Override
    public List<JournalEntry> load() {
        List<JournalEntry> loaded = new ArrayList<>(disk.entries.size());
        for (JournalEntry entry : disk.entries.values()) {
            loaded.add(disk.fault.read(entry));
        }
        return loaded;
    }

    @Override
    public void append(Supplier<List<JournalEntry>> entries, Runnable onDurable) {
        waiting.add(new Waiting(entries, onDurable, -1));
        startWrite();
    }

    @Override
    public void truncate(long seq) {
        // It waits for an append to share its write with.
        waiting.add(new Waiting(List::of, () -> {}, seq));
    }

    /** Synchronous writes so far: with group commit, fewer than appends. */
    public long writes() {
        return writes;
    }

    @Override
    public void close() {
        if (disk.owner == this) {
            disk.owner = null;
        }
    }

    private boolean dead() {
        return failed || disk.owner != this;
    }

    private void startWrite() {
        if (!writing && !waiting.isEmpty() && !dead()) {
            writing = true;
            List<Waiting> group = new ArrayList<>(waiting);
            waiting.clear();
            scheduler.accept(() -> write(group));
        }
    }

    private void write(List<Waiting> group) {
        if (dead()) {
            return;
        }
        try {
            for (Waiting item : group) {
                writeOne(item);
            }
        } catch (StorageFailure failure) {
            failed = true;
            onFailure.accept(failure);
            return;
        }
        writes++;
        for (Waiting item : group) {
            item.onDurable().run();
            if (dead()) {
                return;
            }
        }
        writing = false;
        if (waiting.stream().anyMatch(item -> item.truncateSeq() < 0)) {
            startWrite();
        }
    }

    private void writeOne(Waiting item) {
        if (item.truncateSeq() >= 0) {
            deleteUpTo(item.truncateSeq());
            return;
        }
        for (JournalEntry entry : disk.fault.write(item.entries().get())) {
            // The key of a TreeMap is not replaced with its value.
            disk.entries.remove(entry);
            disk.entries.put(entry, entry);
        }
    }

    private void deleteUpTo(long seq) {
        for (Map.Entry<JournalEntry.Kind, Long> limit : Truncation.limits(seq).entrySet()) {
            JournalEntry first = new JournalEntry(limit.getKey(), 0, 0, io.pbft.crypto.Bytes.EMPTY);
            Iterator<JournalEntry> entries =
                    disk.entries.tailMap(first, true).keySet().iterator();
            while (entries.hasNext()) {
                JournalEntry entry = entries.next();
                if (entry.kind() != limit.getKey() || entry.seq() > limit.getValue()) {
                    break;
                }
                entries.remove();
            }
        }
    }
}
