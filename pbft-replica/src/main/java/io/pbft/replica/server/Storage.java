package io.pbft.replica.server;

import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.LmdbStateStore;
import io.pbft.checkpoint.SegmentJournal;
import io.pbft.checkpoint.StateStore;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** How a server opens what it keeps. */
@FunctionalInterface
interface Storage {
    /** LMDB, in the replica's folder. */
    Storage ON_DISK = (folder, core, failed) -> {
        Journal journal = SegmentJournal.open(folder.path(), core, failed::accept);
        try {
            return new Opened(journal, LmdbStateStore.open(folder.path(), core, failed::accept));
        } catch (RuntimeException e) {
            journal.close();
            throw e;
        }
    };

    /** The two of them, opened; whoever opened them closes them. */
    record Opened(Journal journal, StateStore store) {}

    /**
     * Opens a replica's journal and state, making them where there are none.
     *
     * @param core where both report what has become durable
     * @param failed told once, on any thread, when a write has failed
     * @throws io.pbft.checkpoint.StorageFailure when they cannot be opened
     */
    Opened open(ReplicaFolder folder, Executor core, Consumer<Throwable> failed);
}
