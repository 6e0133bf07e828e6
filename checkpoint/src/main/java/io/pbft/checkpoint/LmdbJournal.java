package io.pbft.checkpoint;

import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.crypto.Bytes;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.GetOp;
import org.lmdbjava.LmdbException;
import org.lmdbjava.Txn;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@link Journal} on LMDB.
 *
 * <p>One thread of its own writes. It takes everything that waits, calls the suppliers (which sign), puts all entries into one
 * synchronous transaction, and hands the completions to the owner's executor, in order. While a write is under way the next
 * group gathers: the slower the disk, the larger the groups.
 *
 * <pre>
 *   key      kind (1 byte), seq (8), view (8), big-endian: the order of {@link #load}
 *   record   CRC-32C of key and content (4), content
 *   key 00   the version of this format (4), with the checksum before it
 *   key 01   number of records (8), sum over their checksums, each spread to 64 bits (8), number of the LMDB transaction
 *            that wrote this (8), with the checksum before it
 * </pre>
 *
 * <p>The checksum covers the place, so that a record that turns up elsewhere is as damaged as one with a flipped bit. The sum
 * covers the whole, so that a record that is gone, or that is there again in an older form, does not pass for what was
 * promised; and since every transaction writes the sum, one that is not the last transaction's tells of an older tree.
 *
 * <p>One thread at a time calls the methods of {@link Journal}; {@link #counters} is for any.
 */
public final class LmdbJournal implements Journal {
    private static final Logger LOG = LoggerFactory.getLogger(LmdbJournal.class);

    /** Appends and truncations that may wait: the next one waits for room. */
    static final int WAITING_MAX = 8_192;

    /** A group is closed when its entries have so many bytes. */
    static final long GROUP_BYTES_MAX = 64L << 20;

    private static final long MAP_BYTES = 1L << 30;
    private static final int FORMAT_VERSION = 1;
    private static final byte[] FORMAT_KEY = {0};
    private static final byte[] SUMMARY_KEY = {1};
    private static final int KEY_BYTES = 1 + 2 * Long.BYTES;
    private static final int CHECKSUM_BYTES = Integer.BYTES;

    /** Since the journal was opened. Bytes are those of contents. */
    public record Counters(long writes, long entries, long bytes) {}

    private sealed interface Item permits Append, Truncate, Close {}

    private record Append(Supplier<List<JournalEntry>> entries, Runnable onDurable) implements Item {}

    private record Truncate(long seq) implements Item {}

    private record Close() implements Item {}

    /** What a group does to the file, worked out before its transaction, which may have to be done twice. */
    private record Step(List<JournalEntry> entries, long truncateSeq) {}

    /** What the whole journal must be. The sum does not depend on the order, so each change of a record changes it at once. */
    private record Summary(long records, long sum, long transaction) {
        static final Summary EMPTY = new Summary(0, 0, 0);

        Summary with(int checksum) {
            return new Summary(records + 1, sum + spread(checksum), transaction);
        }

        Summary without(int checksum) {
            return new Summary(records - 1, sum - spread(checksum), transaction);
        }

        Summary writtenBy(long number) {
            return new Summary(records, sum, number);
        }

        private static long spread(int checksum) {
            long product = (checksum & 0xffff_ffffL) * 0x9e37_79b9_7f4a_7c15L;
            return product ^ product >>> 29;
        }

        static Summary decode(Bytes content) {
            ByteBuffer in = content.asReadOnlyBuffer();
            return new Summary(in.getLong(), in.getLong(), in.getLong());
        }

        Bytes encode() {
            return Bytes.wrap(ByteBuffer.allocate(3 * Long.BYTES)
                    .putLong(records)
                    .putLong(sum)
                    .putLong(transaction)
                    .array());
        }
    }

    private final LmdbEnvironment env;
    private final Dbi<ByteBuffer> database;
    private final HighWaterMark lastTransaction;
    private final LmdbEnvironment.KeyBuffer key = new LmdbEnvironment.KeyBuffer();
    private final Executor callbacks;
    private final Consumer<StorageFailure> onFailure;
    private final BlockingQueue<Item> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
    private final Thread writer;
    private volatile boolean failed;
    private volatile Counters counters = new Counters(0, 0, 0);
    private boolean closed;

    // The writer's own.
    private long truncateSeq = -1;
    private Summary summary = Summary.EMPTY;

    private LmdbJournal(
            LmdbEnvironment env,
            HighWaterMark lastTransaction,
            Executor callbacks,
            Consumer<StorageFailure> onFailure) {
        this.env = env;
        this.callbacks = callbacks;
        this.onFailure = onFailure;
        this.database = env.database("journal");
        this.lastTransaction = lastTransaction;
        checkFormat();
        checkLastTransaction();
        this.writer = new Thread(this::run, "pbft-journal");
        writer.setDaemon(true);
    }

    /**
     * Opens the journal in a replica's folder, or begins one.
     *
     * @param folder the replica's folder: the journal is in {@code journal} below it
     * @param callbacks runs completions and the failure, in order. It must take them without blocking, or an append that
     *     waits for room waits for ever
     * @param onFailure told once, of the write that failed
     * @throws StorageFailure when it cannot be opened, is in use, or is of another format
     */
    public static LmdbJournal open(Path folder, Executor callbacks, Consumer<StorageFailure> onFailure) {
        return open(folder, MAP_BYTES, callbacks, onFailure);
    }

    static LmdbJournal open(Path folder, long mapBytes, Executor callbacks, Consumer<StorageFailure> onFailure) {
        Path own = folder.resolve("journal");
        LmdbEnvironment env = LmdbEnvironment.open(own, "the journal", mapBytes, 1);
        @Nullable HighWaterMark lastTransaction = null;
        try {
            lastTransaction = HighWaterMark.open(own);
            LmdbJournal journal = new LmdbJournal(env, lastTransaction, callbacks, onFailure);
            journal.writer.start();
            return journal;
        } catch (RuntimeException e) {
            if (lastTransaction != null) {
                lastTransaction.close();
            }
            env.close();
            throw e;
        }
    }

    private void checkFormat() {
        Optional<Integer> version = Optional.empty();
        try (Txn<ByteBuffer> txn = env.read()) {
            ByteBuffer record = database.get(txn, key.of(FORMAT_KEY));
            if (record != null) {
                Bytes content = checked(ByteBuffer.wrap(FORMAT_KEY), record, "the version of its format");
                version = Optional.of(content.asReadOnlyBuffer().getInt());
            }
        } catch (LmdbException e) {
            throw env.failed("cannot be read", e);
        }
        if (version.isEmpty()) {
            byte[] content =
                    ByteBuffer.allocate(Integer.BYTES).putInt(FORMAT_VERSION).array();
            env.write(txn -> {
                putChecked(txn, FORMAT_KEY, Bytes.wrap(content));
                putChecked(
                        txn, SUMMARY_KEY, Summary.EMPTY.writtenBy(txn.getId()).encode());
            });
        } else if (version.get() != FORMAT_VERSION) {
            throw new StorageFailure("the journal " + env.data().toAbsolutePath() + " has format " + version.get()
                    + "; this version of the program reads format " + FORMAT_VERSION
                    + ". Use the version that wrote it");
        }
        try (Txn<ByteBuffer> txn = env.read()) {
            summary = summary(txn);
        } catch (LmdbException e) {
            throw env.failed("cannot be read", e);
        }
    }

    private void checkLastTransaction() {
        long atLeast = lastTransaction.read();
        if (summary.transaction() < atLeast) {
            throw env.damaged(
                    "its end",
                    "the last transaction there is number " + summary.transaction() + ", but number " + atLeast
                            + " had been durable. It is an older copy, or what points to the newest part is damaged");
        }
    }

    private Summary summary(Txn<ByteBuffer> txn) {
        ByteBuffer record = database.get(txn, key.of(SUMMARY_KEY));
        if (record == null) {
            throw env.damaged("its summary", "it is missing");
        }
        return Summary.decode(checked(ByteBuffer.wrap(SUMMARY_KEY), record, "its summary"));
    }

    @Override
    public List<JournalEntry> load() {
        List<JournalEntry> entries = new ArrayList<>();
        try (Txn<ByteBuffer> txn = env.read();
                Cursor<ByteBuffer> cursor = database.openCursor(txn)) {
            Summary found = Summary.EMPTY;
            boolean more = cursor.first();
            while (more) {
                if (cursor.key().remaining() != FORMAT_KEY.length) {
                    entries.add(decode(cursor.key(), cursor.val()));
                    found = found.with(cursor.val().getInt(0));
                }
                more = cursor.next();
            }
            Summary written = summary(txn);
            if (!found.writtenBy(written.transaction()).equals(written)) {
                throw env.damaged(
                        "its summary",
                        "records are missing, or older than what was written: there are " + found.records()
                                + ", and should be " + written.records());
            }
            if (written.transaction() != txn.getId()) {
                throw env.damaged(
                        "its summary",
                        "it is of transaction " + written.transaction() + ", and the last one was " + txn.getId());
            }
        } catch (LmdbException e) {
            throw env.failed("cannot be read", e);
        }
        return entries;
    }

    private JournalEntry decode(ByteBuffer place, ByteBuffer record) {
        ByteBuffer fields = place.duplicate();
        if (fields.remaining() != KEY_BYTES) {
            throw env.damaged("a key of " + fields.remaining() + " bytes", "keys have " + KEY_BYTES);
        }
        byte code = fields.get();
        long seq = fields.getLong();
        long view = fields.getLong();
        for (Kind kind : Kind.values()) {
            if (kind.code() == code) {
                String name = kind + " of sequence number " + seq + " in view " + view;
                return new JournalEntry(kind, seq, view, checked(place, record, name));
            }
        }
        throw env.damaged("sequence number " + seq + " in view " + view, "there is no kind of entry " + code);
    }

    /** The content of a record whose checksum is right. */
    private Bytes checked(ByteBuffer place, ByteBuffer record, String name) {
        if (record.remaining() < CHECKSUM_BYTES) {
            throw env.damaged(name, "the record ends early");
        }
        ByteBuffer content = record.duplicate();
        int checksum = content.getInt();
        if (checksum != checksum(place, content)) {
            throw env.damaged(name, "its checksum is wrong");
        }
        return LmdbEnvironment.copy(content);
    }

    private static int checksum(ByteBuffer place, ByteBuffer content) {
        CRC32C crc = new CRC32C();
        crc.update(place.duplicate());
        crc.update(content.duplicate());
        return (int) crc.getValue();
    }

    @Override
    public void append(Supplier<List<JournalEntry>> entries, Runnable onDurable) {
        enqueue(new Append(entries, onDurable));
    }

    @Override
    public void truncate(long seq) {
        enqueue(new Truncate(seq));
    }

    private void enqueue(Item item) {
        if (closed) {
            throw new IllegalStateException("the journal is closed");
        }
        put(item);
    }

    private void put(Item item) {
        try {
            if (!failed) {
                waiting.put(item);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while an append waited for room", e);
        }
    }

    public Counters counters() {
        return counters;
    }

    long mapBytes() {
        return env.mapBytes();
    }

    /** Writes what waits, then ends. May be called twice. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        put(new Close());
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
        lastTransaction.close();
        env.close();
    }

    private void run() {
        try {
            boolean open = true;
            while (open) {
                open = writeGroup();
            }
        } catch (StorageFailure failure) {
            fail(failure);
        } catch (RuntimeException | Error cause) {
            fail(new StorageFailure("the journal's thread ended: " + cause, cause));
        }
    }

    private void fail(StorageFailure failure) {
        failed = true;
        // Whoever waits for room need not wait any longer.
        waiting.clear();
        try {
            callbacks.execute(() -> onFailure.accept(failure));
        } catch (RejectedExecutionException e) {
            LOG.warn("nobody is there any more to be told", failure);
        }
    }

    /** Whether there is to be another. */
    private boolean writeGroup() {
        List<Step> steps = new ArrayList<>();
        List<Runnable> completions = new ArrayList<>();
        long bytes = 0;
        long entries = 0;
        boolean open = true;
        @Nullable Item item = take();
        while (item != null) {
            if (item instanceof Append append) {
                List<JournalEntry> made = append.entries().get();
                if (truncateSeq >= 0) {
                    steps.add(new Step(List.of(), truncateSeq));
                    truncateSeq = -1;
                }
                steps.add(new Step(made, -1));
                completions.add(append.onDurable());
                entries += made.size();
                for (JournalEntry entry : made) {
                    bytes += entry.content().size();
                }
            } else if (item instanceof Truncate truncate) {
                truncateSeq = Math.max(truncateSeq, truncate.seq());
            } else {
                open = false;
            }
            item = open && bytes < GROUP_BYTES_MAX ? waiting.poll() : null;
        }
        if (!steps.isEmpty()) {
            Summary[] written = new Summary[1];
            env.write(txn -> {
                Summary sum = summary;
                for (Step step : steps) {
                    sum = write(txn, step, sum);
                }
                written[0] = sum.writtenBy(txn.getId());
                putChecked(txn, SUMMARY_KEY, written[0].encode());
            });
            summary = written[0];
            lastTransaction.write(summary.transaction());
            Counters before = counters;
            counters = new Counters(before.writes() + 1, before.entries() + entries, before.bytes() + bytes);
            completions.forEach(callbacks::execute);
        }
        return open;
    }

    private Item take() {
        try {
            return waiting.take();
        } catch (InterruptedException e) {
            throw new StorageFailure("the journal's thread was interrupted", e);
        }
    }

    /** The summary after {@code step}. */
    private Summary write(Txn<ByteBuffer> txn, Step step, Summary before) {
        Summary sum = before;
        if (step.truncateSeq() >= 0) {
            for (Map.Entry<Kind, Long> limit :
                    Truncation.limits(step.truncateSeq()).entrySet()) {
                sum = deleteUpTo(txn, limit.getKey(), limit.getValue(), sum);
            }
        }
        for (JournalEntry entry : step.entries()) {
            sum = put(txn, key(entry.kind(), entry.seq(), entry.view()), entry.content(), sum);
        }
        return sum;
    }

    private Summary deleteUpTo(Txn<ByteBuffer> txn, Kind kind, long seq, Summary before) {
        Summary sum = before;
        try (Cursor<ByteBuffer> cursor = database.openCursor(txn)) {
            byte[] first = key(kind, 0, 0);
            boolean found = cursor.get(key.of(first), GetOp.MDB_SET_RANGE);
            while (found && cursor.key().get(0) == kind.code() && cursor.key().getLong(1) <= seq) {
                sum = sum.without(cursor.val().getInt(0));
                cursor.delete();
                found = cursor.get(key.of(first), GetOp.MDB_SET_RANGE);
            }
        }
        return sum;
    }

    private Summary put(Txn<ByteBuffer> txn, byte[] place, Bytes content, Summary before) {
        ByteBuffer old = database.get(txn, key.of(place));
        Summary sum = old == null ? before : before.without(old.getInt(0));
        return sum.with(putChecked(txn, place, content));
    }

    /** The checksum of what it puts. */
    private int putChecked(Txn<ByteBuffer> txn, byte[] place, Bytes content) {
        ByteBuffer bytes = content.asReadOnlyBuffer();
        int checksum = checksum(ByteBuffer.wrap(place), bytes);
        database.reserve(txn, key.of(place), CHECKSUM_BYTES + content.size())
                .putInt(checksum)
                .put(bytes);
        return checksum;
    }

    private static byte[] key(Kind kind, long seq, long view) {
        return ByteBuffer.allocate(KEY_BYTES)
                .put(kind.code())
                .putLong(seq)
                .putLong(view)
                .array();
    }
}
