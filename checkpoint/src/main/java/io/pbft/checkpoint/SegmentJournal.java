package io.pbft.checkpoint;

import io.pbft.checkpoint.JournalFormat.GroupHead;
import io.pbft.checkpoint.JournalMark.Mark;
import io.pbft.checkpoint.StorageFailure.Part;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@link Journal} on disk: an append-only log in segments, whose bytes {@link JournalFormat} draws.
 *
 * <p><b>Writing.</b> One thread of its own writes. It takes everything that waits, calls the suppliers (which sign),
 * puts all records into one buffer, and makes them durable by one write and one sync; then it hands the completions to
 * the owner's executor, in order. While a write is under way the next group gathers: the slower the disk, the larger
 * the groups. A segment's blocks are on the disk before they are needed, so that the sync of a group has no metadata to
 * write, except where the segment grows by {@link #GROWTH_BYTES}. Segments that were used before have grown already.
 *
 * <p><b>Forgetting.</b> Only whole segments go, the oldest first, once all in them lies behind a truncation. What
 * truncation does not touch (the last VIEW-CHANGE and the like) is written again at the beginning of each segment, and
 * so is never only in an old one. Each group names the oldest segment that is needed, so that one that vanished is
 * missed.
 *
 * <p><b>Reading.</b> {@link JournalScan} reads everything when the journal is opened, and tells a torn tail from
 * damage. After a torn tail the journal goes on from the last whole group. That one is written and synced once more:
 * its write may have failed and left it to the system's cache alone.
 *
 * <p>One thread at a time calls the methods of {@link Journal}; {@link #counters} is for any.
 */
public final class SegmentJournal implements Journal {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentJournal.class);

    /** Appends and truncations that may wait: the next one waits for room. */
    static final int WAITING_MAX = 8_192;

    /** A group is closed when its records have so many bytes. */
    static final int GROUP_BYTES_MAX = 8 << 20;

    /** A segment that is not full grows by so much. */
    static final int GROWTH_BYTES = 1 << 20;

    /** The buffer is this large, except while a group needs more. */
    private static final int BUFFER_BYTES = 1 << 20;

    /** Since the journal was opened. Bytes are those of contents. */
    public record Counters(long writes, long entries, long bytes) {}

    private sealed interface Item permits Append, Truncate, Roll, Close {}

    private record Append(Supplier<List<JournalEntry>> entries, Runnable onDurable) implements Item {}

    private record Truncate(long seq) implements Item {}

    /** The next group begins a new segment. */
    private record Roll() implements Item {}

    private record Close() implements Item {}

    /** A segment that is complete. {@code highest} as in {@link JournalScan.Segment}. */
    private record Past(long number, long highest) {}

    /** How often a look is begun anew because a segment went meanwhile. */
    private static final int LOOKS_MAX = 5;

    private final Path folder;
    private final DirectoryLock lock;
    private final JournalMark mark;
    private final long id;
    private final JournalFormat format;
    private final Executor callbacks;
    private final Consumer<StorageFailure> onFailure;
    private final BlockingQueue<Item> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
    private final Thread writer;
    private volatile boolean failed;
    private volatile Counters counters = new Counters(0, 0, 0);
    private @Nullable List<JournalEntry> loaded;
    private boolean closed;

    // The writer's own.
    private final Deque<Past> past = new ArrayDeque<>();
    /** The entries that truncation does not touch. */
    private final TreeMap<JournalEntry, JournalEntry> lasting = new TreeMap<>(JournalEntry.BY_PLACE);

    private final ByteBuffer zeros = ByteBuffer.allocateDirect(GROWTH_BYTES);
    private ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private ByteBuffer view = buffer.duplicate();
    private @Nullable FileChannel channel;
    private long segment;
    private long position;
    private long allocated;
    private long highest;
    private long lastGroup;

    /** The same, for the thread that looks for damage. */
    private volatile long lastDurableGroup;

    private int records;
    private long groupHighest;
    private long truncateSeq = -1;
    private boolean rollNext;
    private long truncated;

    private SegmentJournal(
            Path folder,
            DirectoryLock lock,
            JournalMark mark,
            JournalScan.Result found,
            Executor callbacks,
            Consumer<StorageFailure> onFailure) {
        this.folder = folder;
        this.lock = lock;
        this.mark = mark;
        this.id = found.journal() != 0 ? found.journal() : new SecureRandom().nextLong() | 1;
        this.format = new JournalFormat(id);
        this.callbacks = callbacks;
        this.onFailure = onFailure;
        this.loaded = found.entries();
        this.writer = new Thread(this::run, "pbft-journal");
        writer.setDaemon(true);
    }

    /**
     * Opens the journal in a replica's folder, or begins one where there never was one.
     *
     * @param replica the replica's folder: the journal is in {@code journal} below it, and its mark beside that
     * @param callbacks runs completions and the failure, in order. It must take them without blocking, or an append
     *     that waits for room waits for ever
     * @param onFailure told once, of the write that failed
     * @throws StorageFailure when it cannot be opened, is in use, is of another format, or when promises in it are lost
     */
    public static SegmentJournal open(Path replica, Executor callbacks, Consumer<StorageFailure> onFailure) {
        Path own = folder(replica);
        DirectoryLock lock = DirectoryLock.acquire(own, "the journal");
        @Nullable JournalMark opened = null;
        try {
            boolean wasHere = Files.exists(JournalMark.file(replica));
            opened = wasHere ? JournalMark.open(replica) : null;
            JournalScan.Result found = JournalScan.read(own, opened == null ? Optional.empty() : opened.read());
            check(own, found, wasHere);
            opened = opened == null ? JournalMark.open(replica) : opened;
            SegmentJournal journal = new SegmentJournal(own, lock, opened, found, callbacks, onFailure);
            journal.begin(found);
            journal.writer.start();
            return journal;
        } catch (RuntimeException e) {
            if (opened != null) {
                opened.close();
            }
            lock.close();
            throw e;
        }
    }

    /**
     * What a journal's folder holds.
     *
     * @param bytes of its files, spares included
     * @param groups the number of the last group: how often it was written to
     * @param tornBytes of a last group that never became durable
     * @param damages what is wrong, a sentence each
     * @param promisesLost whether promises may be lost by it
     */
    public record Contents(
            List<JournalEntry> entries,
            int segments,
            long bytes,
            long groups,
            int tornBytes,
            List<String> damages,
            boolean promisesLost) {}

    /**
     * Looks at a journal that no process has open, without changing anything.
     *
     * @throws StorageFailure when it is in use, cannot be read or is of another format
     */
    @SuppressWarnings("try")
    public static Contents inspect(Path replica) {
        Path own = folder(replica);
        try (DirectoryLock.Probe probe = DirectoryLock.probe(own, "the journal")) {
            JournalScan.Result found = JournalScan.read(own, JournalMark.peek(replica));
            List<String> damages = new ArrayList<>();
            found.damages().forEach(damage -> damages.add(damage.sentence()));
            boolean gone = found.segments().isEmpty() && Files.exists(JournalMark.file(replica));
            if (gone) {
                damages.add(own.toAbsolutePath() + ": there was a journal, and it is gone");
            }
            return new Contents(
                    found.entries(),
                    found.segments().size(),
                    SegmentFiles.bytes(own),
                    found.lastGroup(),
                    found.tornBytes(),
                    damages,
                    gone || found.promisesLost());
        } catch (IOException e) {
            throw new StorageFailure(
                    "the journal " + own.toAbsolutePath() + " cannot be read (" + StorageFailure.reason(e)
                            + "); check permissions and health of the disk",
                    e);
        }
    }

    static Path folder(Path replica) {
        return replica.resolve("journal");
    }

    /**
     * Whether a journal was begun in a replica's folder and not put aside since, as far as anything there tells.
     *
     * @throws StorageFailure when its folder cannot be read
     */
    public static boolean wasBegun(Path replica) {
        Path own = folder(replica);
        try {
            return Files.exists(JournalMark.file(replica))
                    || !SegmentFiles.segments(own).isEmpty();
        } catch (IOException e) {
            throw new StorageFailure(
                    "the journal " + own.toAbsolutePath() + " cannot be read (" + StorageFailure.reason(e)
                            + "); check permissions and health of the disk, then start again",
                    e);
        }
    }

    /**
     * Takes what is left of a journal out of use, so that a new one can be begun. It is kept, in the place of what was
     * put aside before. The caller sees to it that nobody votes as if nothing had been promised.
     *
     * @throws StorageFailure when that cannot be done
     */
    public static void putAside(Path replica) {
        Folders.putAside(folder(replica), "the journal", SegmentFiles::isSegment, JournalMark.file(replica));
    }

    private static void check(Path own, JournalScan.Result found, boolean wasHere) {
        if (wasHere && found.segments().isEmpty()) {
            throw StorageFailure.damaged(
                    Part.JOURNAL,
                    "the journal " + own.toAbsolutePath()
                            + " is gone: there was one, and now no segment of it is there. Put it back if you have the"
                            + " folder itself, not an old copy; if it is lost, start this replica once with --rejoin");
        }
        if (found.promisesLost()) {
            throw StorageFailure.damaged(
                    Part.JOURNAL,
                    "the journal " + own.toAbsolutePath()
                            + " is damaged, and promises in it may be lost: "
                            + found.damages().stream()
                                    .filter(damage -> !damage.harmless())
                                    .limit(3)
                                    .map(JournalScan.Damage::sentence)
                                    .collect(Collectors.joining("; "))
                            + ". Check the disk's health, then start this replica once with --rejoin:"
                            + " it learns from the others what happened, and keeps what is left in journal.aside");
        }
        for (JournalScan.Damage damage : found.damages()) {
            LOG.warn("{}; nothing is lost by it", damage.sentence());
        }
        if (found.tornBytes() > 0) {
            LOG.info("the last write to the journal was cut short; it had not been reported durable, and is dropped");
        }
    }

    /** Makes the writer go on where {@code found} ends. */
    private void begin(JournalScan.Result found) {
        try {
            lastGroup = found.lastGroup();
            lastDurableGroup = lastGroup;
            found.entries().forEach(this::keepLasting);
            if (found.unbegun().isPresent()) {
                // As long as it is there, the segment before it does not look like the last one, which alone may be
                // torn.
                Files.delete(found.unbegun().get());
                SegmentFiles.forceFolder(folder);
            }
            if (found.segments().isEmpty()) {
                startSegment(1);
                forceChannel(true);
                SegmentFiles.forceFolder(folder);
            } else {
                for (JournalScan.Segment old : found.segments()) {
                    if (old.number() < found.oldestSegment()) {
                        SegmentFiles.retire(folder, old.number());
                    } else {
                        past.add(new Past(old.number(), old.highest()));
                        repairHead(old);
                    }
                }
                Past last = past.removeLast();
                segment = last.number();
                highest = last.highest();
                channel = FileChannel.open(
                        SegmentFiles.segment(folder, segment), StandardOpenOption.READ, StandardOpenOption.WRITE);
                allocated = channel.size() / JournalFormat.BLOCK_BYTES * JournalFormat.BLOCK_BYTES;
                position = found.tail().isPresent() ? rewrite(found.tail().get()) : JournalFormat.BLOCK_BYTES;
                if (found.tornBytes() > 0) {
                    // The next group may not fit here and begin a new segment: then a rest of this one would lie in the
                    // middle, and look like damage.
                    writeFully(current(), ByteBuffer.allocate(JournalFormat.BLOCK_BYTES), position);
                    forceChannel(true);
                }
            }
            mark.write(new Mark(id, lastGroup));
            mark.force();
        } catch (IOException e) {
            throw failure("cannot be opened", e);
        }
    }

    private void repairHead(JournalScan.Segment damaged) throws IOException {
        if (!damaged.headDamaged()) {
            return;
        }
        try (FileChannel file = FileChannel.open(damaged.file(), StandardOpenOption.WRITE)) {
            writeFully(file, format.segmentHead(damaged.number(), damaged.firstGroup()), 0);
            file.force(false);
        }
    }

    /** The end of the last group, which is durable afterwards. */
    private long rewrite(JournalScan.Tail tail) throws IOException {
        FileChannel file = current();
        ByteBuffer group = ByteBuffer.allocate(tail.bytes());
        while (group.hasRemaining() && file.read(group, tail.position() + group.position()) >= 0) {
            // Until all of it is there.
        }
        writeFully(file, group.flip(), tail.position());
        file.force(true);
        return tail.position() + (long) tail.bytes();
    }

    @Override
    public List<JournalEntry> load() {
        List<JournalEntry> entries = loaded;
        if (entries == null) {
            throw new IllegalStateException("the journal was loaded before");
        }
        loaded = null;
        return entries;
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

    /**
     * Reads from the disk all that was written, while more is written. Where promises are damaged the next write begins
     * a new segment: once a stable checkpoint has superseded what the damaged one holds, it goes.
     *
     * @return what is wrong, a sentence each
     * @throws StorageFailure when it cannot be read
     */
    List<String> scrub() {
        List<JournalScan.Damage> damages = look();
        if (!damages.isEmpty()) {
            // A segment that went while it was read, and was used for another one already, looks damaged, and so does
            // the one
            // behind it: once. Damage is seen again.
            Set<Path> seen = damages.stream().map(JournalScan.Damage::file).collect(Collectors.toSet());
            damages = look().stream()
                    .filter(damage -> seen.contains(damage.file()))
                    .toList();
        }
        return told(damages);
    }

    /** What is wrong with the groups that were durable when it began. */
    private List<JournalScan.Damage> look() {
        for (int i = 0; i < LOOKS_MAX; i++) {
            try {
                return JournalScan.readUncached(folder, new Mark(id, lastDurableGroup))
                        .damages();
            } catch (StorageFailure failure) {
                if (!(failure.getCause() instanceof NoSuchFileException)) {
                    throw failure;
                }
            }
        }
        return List.of();
    }

    private List<String> told(List<JournalScan.Damage> damages) {
        if (damages.stream().anyMatch(damage -> !damage.harmless()) && !waiting.offer(new Roll())) {
            LOG.debug("so much waits to be written that no new segment was asked for");
        }
        return damages.stream().map(JournalScan.Damage::sentence).toList();
    }

    /** Of segments and spares. */
    long fileBytes() throws IOException {
        return SegmentFiles.bytes(folder);
    }

    public Counters counters() {
        return counters;
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
        try {
            if (!failed) {
                mark.force();
            }
            mark.close();
            current().close();
        } catch (IOException e) {
            throw failure("cannot be closed", e);
        } finally {
            lock.close();
        }
    }

    private void run() {
        try {
            boolean open = true;
            while (open) {
                open = writeGroup();
            }
        } catch (StorageFailure failure) {
            fail(failure);
        } catch (IOException e) {
            fail(failure("cannot be written", e));
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
    private boolean writeGroup() throws IOException {
        List<Runnable> completions = new ArrayList<>();
        long bytes = 0;
        long entries = 0;
        boolean open = true;
        beginGroup();
        @Nullable Item item = take();
        while (item != null) {
            if (item instanceof Append append) {
                List<JournalEntry> made = append.entries().get();
                putTruncation();
                for (JournalEntry entry : made) {
                    putEntry(entry);
                    bytes += entry.content().size();
                }
                entries += made.size();
                completions.add(append.onDurable());
            } else if (item instanceof Truncate truncate) {
                truncateSeq = Math.max(truncateSeq, truncate.seq());
            } else if (item instanceof Roll) {
                rollNext = true;
            } else {
                open = false;
            }
            item = open && buffer.position() < GROUP_BYTES_MAX ? waiting.poll() : null;
        }
        if (!completions.isEmpty()) {
            writeDurably();
            Counters before = counters;
            counters = new Counters(before.writes() + 1, before.entries() + entries, before.bytes() + bytes);
            callbacks.execute(() -> completions.forEach(Runnable::run));
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

    private void beginGroup() {
        if (buffer.capacity() > BUFFER_BYTES) {
            buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
            view = buffer.duplicate();
        }
        buffer.clear().position(JournalFormat.GROUP_HEAD_BYTES);
        records = 0;
        groupHighest = 0;
    }

    private void putTruncation() {
        if (truncateSeq >= 0) {
            putRecord(JournalFormat.TRUNCATION, truncateSeq, 0, Bytes.EMPTY);
            truncated = Math.max(truncated, truncateSeq);
            truncateSeq = -1;
        }
    }

    private void putEntry(JournalEntry entry) {
        putRecord(entry.kind().code(), entry.seq(), entry.view(), entry.content());
        keepLasting(entry);
        groupHighest = Math.max(groupHighest, Truncation.neededUpTo(entry));
    }

    private void keepLasting(JournalEntry entry) {
        if (Truncation.neededUpTo(entry) == 0) {
            // The key of a TreeMap is not replaced with its value.
            lasting.remove(entry);
            lasting.put(entry, entry);
        }
    }

    private void putRecord(byte kind, long seq, long inView, Bytes content) {
        int begin = buffer.position();
        reserve(JournalFormat.RECORD_HEAD_BYTES + content.size());
        buffer.position(begin + JournalFormat.RECORD_HEAD_BYTES);
        buffer.put(content.asReadOnlyBuffer());
        format.putRecordHead(buffer, view, begin, lastGroup + 1, records, kind, seq, inView);
        records++;
    }

    /** Makes room for {@code bytes} more, and for what pads them. */
    private void reserve(int bytes) {
        int wanted = Math.addExact(buffer.position(), JournalFormat.padded(bytes) + JournalFormat.BLOCK_BYTES);
        if (wanted > buffer.capacity()) {
            ByteBuffer larger = ByteBuffer.allocateDirect(Math.max(wanted, 2 * buffer.capacity()));
            buffer = larger.put(buffer.flip());
            view = buffer.duplicate();
        }
    }

    private void writeDurably() throws IOException {
        boolean grown = false;
        boolean full = position + JournalFormat.padded(buffer.position()) > JournalFormat.SEGMENT_BYTES;
        if ((full || rollNext) && position > JournalFormat.BLOCK_BYTES) {
            rollNext = false;
            lasting.values()
                    .forEach(entry -> putRecord(entry.kind().code(), entry.seq(), entry.view(), entry.content()));
            roll();
            grown = true;
        }
        long oldest = oldestNeeded();
        int bytes = buffer.position() - JournalFormat.GROUP_HEAD_BYTES;
        format.putGroupHead(buffer, new GroupHead(lastGroup + 1, oldest, records, bytes));
        while (buffer.position() % JournalFormat.BLOCK_BYTES != 0) {
            buffer.put((byte) 0);
        }
        int size = buffer.position();
        writeFully(current(), buffer.flip(), position);
        position += size;
        if (position > allocated) {
            grow();
            grown = true;
        }
        forceChannel(grown);
        lastGroup++;
        lastDurableGroup = lastGroup;
        highest = Math.max(highest, groupHighest);
        mark.write(new Mark(id, lastGroup));
        retire(oldest);
    }

    private void roll() throws IOException {
        past.add(new Past(segment, highest));
        current().close();
        startSegment(segment + 1);
        SegmentFiles.forceFolder(folder);
    }

    private void startSegment(long number) throws IOException {
        Path file = SegmentFiles.segment(folder, number);
        List<Path> spares = SegmentFiles.spares(folder);
        if (!spares.isEmpty()) {
            Files.move(spares.get(0), file, StandardCopyOption.REPLACE_EXISTING);
        }
        FileChannel opened =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        channel = opened;
        writeFully(opened, format.segmentHead(number, lastGroup + 1), 0);
        segment = number;
        position = JournalFormat.BLOCK_BYTES;
        allocated = opened.size();
        highest = 0;
    }

    private void grow() throws IOException {
        long wanted = Math.min(JournalFormat.SEGMENT_BYTES, position + GROWTH_BYTES);
        if (wanted > position) {
            writeFully(current(), zeros.clear().limit((int) (wanted - position)), position);
        }
        allocated = Math.max(wanted, position);
    }

    private void forceChannel(boolean withMetadata) throws IOException {
        current().force(withMetadata);
    }

    private long oldestNeeded() {
        for (Past old : past) {
            if (old.highest() > truncated) {
                return old.number();
            }
        }
        return segment;
    }

    private void retire(long oldest) throws IOException {
        while (!past.isEmpty() && past.getFirst().number() < oldest) {
            SegmentFiles.retire(folder, past.removeFirst().number());
        }
    }

    private FileChannel current() {
        FileChannel open = channel;
        if (open == null) {
            throw new IllegalStateException("no segment is open");
        }
        return open;
    }

    private static void writeFully(FileChannel file, ByteBuffer bytes, long at) throws IOException {
        long place = at;
        while (bytes.hasRemaining()) {
            place += file.write(bytes, place);
        }
    }

    private StorageFailure failure(String problem, IOException cause) {
        return new StorageFailure(
                "the journal " + folder.toAbsolutePath() + " " + problem + " (" + StorageFailure.reason(cause)
                        + "); check free space, permissions and health of the disk, then start again. "
                        + "What was reported durable before is not affected",
                cause);
    }
}
