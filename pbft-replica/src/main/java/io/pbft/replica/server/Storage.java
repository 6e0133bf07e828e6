package io.pbft.replica.server;

import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.LmdbStateStore;
import io.pbft.checkpoint.SegmentJournal;
import io.pbft.checkpoint.StateStore;
import io.pbft.checkpoint.StorageFailure;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** How a server opens what it keeps. */
interface Storage {
    /** In the replica's folder: a journal of segments, and the state on LMDB. */
    Storage ON_DISK = new Storage() {
        @Override
        public boolean wasBegun(ReplicaFolder folder) {
            return SegmentJournal.wasBegun(folder.path());
        }

        @Override
        public Opened open(ReplicaFolder folder, Executor core, Consumer<Throwable> failed) {
            Journal journal = SegmentJournal.open(folder.path(), core, failed::accept);
            try {
                return new Opened(journal, LmdbStateStore.open(folder.path(), core, failed::accept));
            } catch (RuntimeException e) {
                journal.close();
                throw e;
            }
        }

        @Override
        public DiskWatch watch(Opened disk, Duration pass, Consumer<Throwable> failed) {
            if (disk.journal() instanceof SegmentJournal journal && disk.store() instanceof LmdbStateStore store) {
                return DiskWatch.start(journal, store, pass, failed);
            }
            throw new IllegalArgumentException("this was not opened here");
        }

        @Override
        public void putAside(ReplicaFolder folder, StorageFailure.Part part) {
            switch (part) {
                case JOURNAL -> SegmentJournal.putAside(folder.path());
                case STATE -> LmdbStateStore.putAside(folder.path());
            }
        }
    };

    /** The two of them, opened; whoever opened them closes them. */
    record Opened(Journal journal, StateStore store) {
        void close() {
            store.close();
            journal.close();
        }
    }

    /** Whether a replica has made promises here, as far as the disk tells. */
    boolean wasBegun(ReplicaFolder folder);

    /**
     * Opens a replica's journal and state, making them where there are none.
     *
     * @param core where both report what has become durable
     * @param failed told once, on any thread, when a write has failed
     * @throws StorageFailure when they cannot be opened, or what is there cannot be trusted
     */
    Opened open(ReplicaFolder folder, Executor core, Consumer<Throwable> failed);

    /**
     * Begins to look for damage in what {@link #open} has opened, while it is in use.
     *
     * @param pass how long a look at everything takes
     * @param failed told once, on any thread, of damage that cannot be repaired while it is in use
     */
    DiskWatch watch(Opened disk, Duration pass, Consumer<Throwable> failed);

    /**
     * Takes what is damaged out of use: the next {@link #open} begins it anew.
     *
     * @throws StorageFailure when that cannot be done
     */
    void putAside(ReplicaFolder folder, StorageFailure.Part part);
}
