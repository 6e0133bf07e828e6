package io.pbft.replica.server;

import io.pbft.checkpoint.LmdbStateStore;
import io.pbft.checkpoint.Scrub;
import io.pbft.checkpoint.SegmentJournal;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Looks for damage on the disk while the replica runs, and says what it found. Thread-safe. */
final class DiskWatch implements AutoCloseable {
    /** For what is on no disk, and for a replica that is not to look. */
    static final DiskWatch NONE = new DiskWatch(() -> new DiskStatus(0, 0, 0, List.of()), () -> {});

    private final Supplier<DiskStatus> status;
    private final Runnable end;

    private DiskWatch(Supplier<DiskStatus> status, Runnable end) {
        this.status = status;
        this.end = end;
    }

    static DiskWatch start(SegmentJournal journal, LmdbStateStore store, Duration pass, Consumer<Throwable> failed) {
        Scrub scrub = Scrub.start(journal, store, pass, failed::accept);
        return new DiskWatch(
                () -> new DiskStatus(
                        scrub.report().passes(),
                        store.repairs().found(),
                        store.repairs().repaired(),
                        scrub.report().journalDamages()),
                scrub::close);
    }

    DiskStatus status() {
        return status.get();
    }

    @Override
    public void close() {
        end.run();
    }
}
