package io.pbft.replica.server;

import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.MemoryStateStore;
import io.pbft.checkpoint.StorageFailure;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A disk in memory, with a journal's thread of its own, that can be made to fail. It outlives the servers that open it.
 */
final class MemoryStorage implements Storage {
    private static final Comparator<JournalEntry> PLACE = Comparator.comparing(JournalEntry::kind)
            .thenComparingLong(JournalEntry::seq)
            .thenComparingLong(JournalEntry::view);

    private final TreeMap<JournalEntry, JournalEntry> durable = new TreeMap<>(PLACE);
    private final MemoryStateStore.Disk states = new MemoryStateStore.Disk();
    volatile boolean broken;

    @Override
    public boolean wasBegun(ReplicaFolder folder) {
        return true;
    }

    @Override
    public DiskWatch watch(Opened disk, Duration pass, Consumer<Throwable> failed) {
        return DiskWatch.NONE;
    }

    @Override
    public void putAside(ReplicaFolder folder, StorageFailure.Part part) {
        throw new IllegalStateException("nothing is ever damaged here");
    }

    @Override
    public Opened open(ReplicaFolder folder, Executor core, Consumer<Throwable> failed) {
        return new Opened(new JournalOfItsThread(core, failed), new MemoryStateStore(states));
    }

    private final class JournalOfItsThread implements Journal {
        private final Executor core;
        private final Consumer<Throwable> failed;
        private final ExecutorService thread = Executors.newSingleThreadExecutor();

        JournalOfItsThread(Executor core, Consumer<Throwable> failed) {
            this.core = core;
            this.failed = failed;
        }

        @Override
        public List<JournalEntry> load() {
            synchronized (durable) {
                return List.copyOf(durable.values());
            }
        }

        @Override
        public void append(Supplier<List<JournalEntry>> entries, Runnable onDurable) {
            thread.execute(() -> {
                if (broken) {
                    failed.accept(new StorageFailure("the disk of this test is broken"));
                    return;
                }
                List<JournalEntry> made = entries.get();
                synchronized (durable) {
                    made.forEach(entry -> {
                        durable.remove(entry);
                        durable.put(entry, entry);
                    });
                }
                core.execute(onDurable);
            });
        }

        @Override
        public void truncate(long seq) {
            thread.execute(() -> {
                synchronized (durable) {
                    durable.keySet().removeIf(entry -> switch (entry.kind()) {
                        case PROPOSAL, PREPARED, PREPARE, COMMIT -> entry.seq() <= seq;
                        case CHECKPOINT -> entry.seq() < seq;
                        case STABLE, VIEW_CHANGE, NEW_VIEW -> false;
                    });
                }
            });
        }

        @Override
        public void close() {
            thread.shutdown();
        }
    }
}
