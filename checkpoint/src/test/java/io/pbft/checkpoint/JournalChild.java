package io.pbft.checkpoint;

import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.crypto.Bytes;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A process that appends to a journal until it is killed, and says of each entry when it is durable. */
final class JournalChild {
    private JournalChild() {}

    /** Arguments: the folder, and the first sequence number. */
    public static void main(String[] args) throws InterruptedException {
        PrintStream out = ChildProcess.reports();
        CountDownLatch begun = new CountDownLatch(1);
        SegmentJournal journal;
        try {
            journal = SegmentJournal.open(Path.of(args[0]), Runnable::run, failure -> {
                out.println(failure);
                Runtime.getRuntime().halt(1);
            });
        } catch (StorageFailure refused) {
            out.println(refused.getMessage());
            return;
        }
        for (long seq = Long.parseLong(args[1]); ; seq++) {
            JournalEntry entry = entry(seq);
            long reported = seq;
            journal.append(() -> List.of(entry), () -> {
                out.println(reported);
                begun.countDown();
            });
            // The first alone: a whole first group may already be more than a test leaves room for.
            begun.await();
            if (seq % 500 == 0) {
                journal.truncate(seq - 5_000);
            }
        }
    }

    static JournalEntry entry(long seq) {
        String content = "entry " + seq + ".".repeat((int) (seq * 37 % 900));
        return new JournalEntry(Kind.PREPARE, seq, 3, Bytes.utf8(content));
    }
}
