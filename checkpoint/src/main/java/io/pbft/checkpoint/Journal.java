package io.pbft.checkpoint;

import java.util.List;
import java.util.function.Supplier;

/**
 * Where promises become durable before they leave. Entries become durable in the order in which they were appended, and
 * everything that waits goes into one synchronous write.
 *
 * <p>One thread calls it. A write that fails is final: the failure is handed to whoever opened the journal, nothing appended
 * after it is ever reported durable, and the replica halts.
 */
public interface Journal extends AutoCloseable {
    /** Everything durable, in ascending order of (kind, seq, view): called once, before the first append. */
    List<JournalEntry> load();

    /**
     * Appends entries, all or none.
     *
     * @param entries makes the entries, once, at the journal's own leisure and on its own thread: signing is done there, so
     *     that it overlaps with the replica's other work. Called in the order of the appends
     * @param onDurable run once they, and all before them, are durable; on the thread that the implementation's owner chose,
     *     in the order of the appends
     */
    void append(Supplier<List<JournalEntry>> entries, Runnable onDurable);

    /**
     * Forgets what lies behind a stable checkpoint: PROPOSAL, PREPARED, PREPARE and COMMIT entries up to {@code seq}, and
     * CHECKPOINT entries below it. Becomes durable with some later append, or never: no harm is done.
     */
    void truncate(long seq);

    @Override
    void close();
}
