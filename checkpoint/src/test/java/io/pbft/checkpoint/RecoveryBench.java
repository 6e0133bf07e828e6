package io.pbft.checkpoint;

import io.pbft.checkpoint.JournalEntry.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * How long the journal takes to append, and to be opened and read after the end of a process, as it grows. Run by hand:
 * {@code RecoveryBench FOLDER MEGABYTES...}
 */
final class RecoveryBench {
    private static final int ENTRY_BYTES = 10_000;
    private static final int APPENDS = 2_000;
    private static final int ROUNDS = 5;

    private RecoveryBench() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        measureAppends(Path.of(args[0], "appends"));
        for (int i = 1; i < args.length; i++) {
            measureRecovery(Path.of(args[0], args[i]), Integer.parseInt(args[i]));
        }
    }

    private static JournalEntry entry(long seq, int bytes) {
        return new JournalEntry(Kind.PROPOSAL, seq, 0, StateStoreContract.large((int) seq, bytes));
    }

    private static SegmentJournal open(Path folder) {
        return SegmentJournal.open(folder, Runnable::run, failure -> {
            throw failure;
        });
    }

    private static void append(SegmentJournal journal, JournalEntry entry) throws InterruptedException {
        CountDownLatch durable = new CountDownLatch(1);
        journal.append(() -> List.of(entry), durable::countDown);
        durable.await();
    }

    /** One at a time: each waits for its own sync. */
    private static void measureAppends(Path folder) throws InterruptedException {
        long[] nanos = new long[APPENDS];
        try (SegmentJournal journal = open(folder)) {
            for (int i = 0; i < 2 * APPENDS; i++) {
                long before = System.nanoTime();
                append(journal, entry(i, 1_000));
                nanos[i % APPENDS] = System.nanoTime() - before;
            }
        }
        Arrays.sort(nanos);
        ByHandTest.report(
                "an append of 1,000 bytes: median %.3f ms, 99 %% %.3f ms, max %.1f ms",
                nanos[APPENDS / 2] / 1e6, nanos[APPENDS * 99 / 100] / 1e6, nanos[APPENDS - 1] / 1e6);
    }

    private static void measureRecovery(Path folder, int megabytes) throws InterruptedException {
        try (SegmentJournal journal = open(folder)) {
            long entries = megabytes * 1_000_000L / ENTRY_BYTES;
            for (long seq = 1; seq < entries; seq++) {
                JournalEntry entry = entry(seq, ENTRY_BYTES);
                journal.append(() -> List.of(entry), () -> {});
            }
            append(journal, entry(entries, ENTRY_BYTES));
        }
        long[] nanos = new long[ROUNDS];
        int loaded = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long before = System.nanoTime();
            try (SegmentJournal journal = open(folder)) {
                loaded = journal.load().size();
                nanos[round] = System.nanoTime() - before;
            }
        }
        Arrays.sort(nanos);
        ByHandTest.report(
                "a journal of %,d MB, %,d entries: opened and read in %.0f ms",
                megabytes, loaded, nanos[ROUNDS / 2] / 1e6);
    }
}
