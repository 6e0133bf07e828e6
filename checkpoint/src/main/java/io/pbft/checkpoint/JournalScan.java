package io.pbft.checkpoint;

import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.checkpoint.JournalFormat.GroupHead;
import io.pbft.checkpoint.JournalFormat.RecordHead;
import io.pbft.checkpoint.JournalFormat.SegmentHead;
import io.pbft.checkpoint.JournalMark.Mark;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads a journal's segments from the first to the last, and tells apart how they may end.
 *
 * <p><b>A torn tail</b> is a last group that is not whole and that was never reported durable: a power loss in the
 * middle of its write. It is as if it had never been appended.
 *
 * <p><b>Damage</b> is everything else that is not as it was written: a group that is not whole and has others behind
 * it; a number that is missing; an end before what the {@link JournalMark} says was durable. A write begins only after
 * the one before has become durable, so a group whose number is followed by a higher one had been durable, whatever is
 * there now.
 *
 * <p>Damage is harmless where all that it can have hit is superseded: it lies in a segment that was not needed any
 * more, or the damaged record's place is known and was taken by a later record, or lies behind a later truncation.
 * Otherwise a promise may be lost.
 *
 * <p>It only reads. Used once, by one thread.
 */
final class JournalScan {
    /** No file of a journal is so large: what lies behind is not looked at. */
    private static final long FILE_BYTES_MAX = 1L << 30;

    /**
     * @param firstGroup the number of the first group in it, or of the next when it has none
     * @param highest the highest sequence number that must be truncated before it is superseded; 0: none
     * @param groups whole ones in it
     */
    record Segment(
            long number, Path file, long bytes, boolean headDamaged, long firstGroup, long highest, long groups) {}

    /** @param harmless whether all that it can have hit is superseded */
    record Damage(Path file, String what, boolean harmless) {
        String sentence() {
            return file.toAbsolutePath() + ": " + what;
        }
    }

    /** The last whole group: empty journals have none. */
    record Tail(long segment, int position, int bytes) {}

    /**
     * @param journal its id; 0 when nothing says it
     * @param entries what it holds, in ascending order of place
     * @param lastGroup the number of the last group, 0 before the first
     * @param oldestSegment that is needed
     * @param tornBytes of a last group that never became durable
     * @param unbegun the file that a crash left between its making and its first group: it is not part of the journal
     */
    record Result(
            long journal,
            List<JournalEntry> entries,
            List<Segment> segments,
            List<Damage> damages,
            long lastGroup,
            long oldestSegment,
            Optional<Tail> tail,
            int tornBytes,
            Optional<Path> unbegun) {
        boolean promisesLost() {
            return damages.stream().anyMatch(damage -> !damage.harmless());
        }
    }

    /**
     * Something wrong, before it is known whether it matters. {@code place}: of the one record that it hit, if known.
     */
    private record Suspect(long segment, Path file, long group, String what, Optional<JournalEntry> place) {}

    /**
     * The records of a group. {@code damaged}: places of those whose content is not whole; {@code cut}: the rest is
     * unknown.
     */
    private record Group(GroupHead head, List<Object> records, List<JournalEntry> damaged, boolean cut) {
        boolean whole() {
            return damaged.isEmpty() && !cut;
        }
    }

    private record Truncated(long seq) {}

    private final Path folder;
    private final Optional<Mark> mark;
    private final boolean uncached;
    private final TreeMap<JournalEntry, Long> entries = new TreeMap<>(JournalEntry.BY_PLACE);
    private final TreeMap<Long, Long> truncations = new TreeMap<>();
    private final List<Suspect> suspects = new ArrayList<>();
    private final List<Segment> segments = new ArrayList<>();
    private @Nullable JournalFormat format;
    private ByteBuffer buffer = ByteBuffer.allocate(JournalFormat.SEGMENT_BYTES);

    /** Groups with higher numbers may be on their way to the disk, and are not looked at. */
    private long groupsMax = Long.MAX_VALUE;

    private long journal;
    private long lastSegment;
    private long lastGroup;
    private long oldestSegment;
    private @Nullable Tail tail;
    private int tornBytes;

    // Of the segment that is being read.
    private long highest;
    private long groups;
    private long firstGroup;

    private JournalScan(Path folder, Optional<Mark> mark, boolean uncached) {
        this.folder = folder;
        this.mark = mark;
        this.uncached = uncached;
    }

    /**
     * @param folder the journal's own
     * @throws StorageFailure when it cannot be read, or is of another format
     */
    static Result read(Path folder, Optional<Mark> mark) {
        return read(new JournalScan(folder, mark, false));
    }

    /**
     * The same of a journal that is being written to, from the disk itself. A segment that goes while it is read may be
     * used again at once, and then passes for a damaged one.
     *
     * @param mark the journal, and its last group that was durable before this is called: what is written since is not
     *     looked at
     */
    static Result readUncached(Path folder, Mark mark) {
        JournalScan scan = new JournalScan(folder, Optional.of(mark), true);
        scan.groupsMax = mark.group();
        return read(scan);
    }

    private static Result read(JournalScan scan) {
        try {
            return scan.read();
        } catch (IOException e) {
            throw new StorageFailure(
                    "the journal " + scan.folder.toAbsolutePath() + " cannot be read (" + StorageFailure.reason(e)
                            + "); check permissions and health of the disk, then start again",
                    e);
        }
    }

    private Result read() throws IOException {
        TreeMap<Long, Path> files = SegmentFiles.segments(folder);
        journal = findId(files);
        lastSegment = files.isEmpty() ? 0 : files.lastKey();
        format = new JournalFormat(journal);
        long expected = -1;
        for (Map.Entry<Long, Path> file : files.entrySet()) {
            if (expected >= 0 && file.getKey() != expected) {
                suspect(expected, SegmentFiles.segment(folder, expected), "it is missing");
            }
            readSegment(file.getKey(), file.getValue());
            expected = file.getKey() + 1;
        }
        Optional<Path> unbegun = dropUnbegun();
        checkEnd(files);
        return new Result(
                journal,
                List.copyOf(entries.keySet()),
                List.copyOf(segments),
                judge(),
                lastGroup,
                oldestSegment,
                Optional.ofNullable(tail),
                tornBytes,
                unbegun);
    }

    private long findId(TreeMap<Long, Path> files) throws IOException {
        if (mark.isPresent()) {
            return mark.get().journal();
        }
        for (Map.Entry<Long, Path> file : files.entrySet()) {
            SegmentHead head = JournalFormat.segmentHead(loadOrNothing(file.getKey(), file.getValue()));
            if (head != null && head.known()) {
                return head.journal();
            }
        }
        return 0;
    }

    /** A file that the disk does not give back is one in which nothing is right. */
    private ByteBuffer loadOrNothing(long segment, Path file) throws IOException {
        try {
            return load(file);
        } catch (CheckedFile.Unreadable e) {
            suspect(segment, file, String.valueOf(e.getMessage()));
            return buffer.clear().limit(0);
        }
    }

    /** A file's bytes, in the buffer that all files share. */
    private ByteBuffer load(Path file) throws IOException {
        try (CheckedFile open = uncached ? CheckedFile.uncached(file) : CheckedFile.cached(file)) {
            int bytes = (int) Math.min(open.size(), FILE_BYTES_MAX);
            if (buffer.capacity() < bytes) {
                buffer = ByteBuffer.allocate(bytes);
            }
            open.read(0, buffer.clear().limit(bytes));
            return buffer.flip();
        }
    }

    private void readSegment(long number, Path path) throws IOException {
        ByteBuffer file = loadOrNothing(number, path);
        SegmentHead head = JournalFormat.segmentHead(file);
        if (head != null && !head.known()) {
            throw new StorageFailure("the journal " + path.toAbsolutePath() + " has format " + head.version()
                    + ", which this version of the program does not read. Use the version that wrote it");
        }
        boolean headDamaged = head == null || head.journal() != journal || head.segment() != number;
        if (segments.isEmpty() && head != null && !headDamaged) {
            lastGroup = head.firstGroup() - 1;
        }
        highest = 0;
        groups = 0;
        firstGroup = lastGroup + 1;
        int position = JournalFormat.BLOCK_BYTES;
        while (position < file.limit()) {
            position = readGroup(number, path, file, position);
        }
        segments.add(new Segment(number, path, file.limit(), headDamaged, firstGroup, highest, groups));
    }

    /** Where to go on. */
    private int readGroup(long segment, Path path, ByteBuffer file, int position) {
        GroupHead head = nextHead(file, position);
        if (head == null) {
            // The rest of the segment was never written. If it was, the next number is missing.
            return position + JournalFormat.BLOCK_BYTES;
        }
        Group group = records(file, position, head);
        boolean reportedDurable =
                mark.isPresent() && head.number() <= mark.get().group();
        if (!group.whole() && !reportedDurable && segment == lastSegment && !hasGroupBehind(file, position)) {
            tornBytes = head.blockBytes();
            return file.limit();
        }
        // Where the first segment's head is damaged too, its first group stands in the first place.
        boolean firstOfAll = tail == null && lastGroup == 0 && position == JournalFormat.BLOCK_BYTES;
        if (!firstOfAll && head.number() != lastGroup + 1) {
            suspect(
                    segment,
                    path,
                    "groups " + (lastGroup + 1) + " to " + (head.number() - 1) + " are missing or damaged");
        }
        take(segment, path, group);
        firstGroup = groups == 0 ? head.number() : firstGroup;
        lastGroup = head.number();
        oldestSegment = head.oldestSegment();
        tail = new Tail(segment, position, head.blockBytes());
        groups++;
        return position + head.blockBytes();
    }

    /** The head of a group that goes on from what was read, at {@code position}. */
    private @Nullable GroupHead nextHead(ByteBuffer file, int position) {
        GroupHead head = format().groupHead(file, position);
        boolean goesOn = head != null && head.number() > lastGroup && head.number() <= groupsMax && head.bytes() >= 0;
        return goesOn ? head : null;
    }

    private boolean hasGroupBehind(ByteBuffer file, int position) {
        for (int next = position + JournalFormat.BLOCK_BYTES; next < file.limit(); next += JournalFormat.BLOCK_BYTES) {
            if (nextHead(file, next) != null) {
                return true;
            }
        }
        return false;
    }

    private Group records(ByteBuffer file, int begin, GroupHead head) {
        List<Object> records = new ArrayList<>();
        List<JournalEntry> damaged = new ArrayList<>();
        int position = begin + JournalFormat.GROUP_HEAD_BYTES;
        for (int i = 0; i < head.records(); i++) {
            RecordHead record = format().recordHead(file, position, head.number(), i);
            if (record == null || record.size() < 0) {
                return new Group(head, records, damaged, true);
            }
            int content = position + JournalFormat.RECORD_HEAD_BYTES;
            Kind kind = JournalFormat.kind(record.kind());
            if (kind == null) {
                records.add(new Truncated(record.seq()));
            } else if (format().isWhole(file, content, record)) {
                byte[] bytes = new byte[record.size()];
                file.get(content, bytes);
                records.add(new JournalEntry(kind, record.seq(), record.view(), Bytes.wrap(bytes)));
            } else {
                damaged.add(new JournalEntry(kind, record.seq(), record.view(), Bytes.EMPTY));
            }
            position = content + record.size();
        }
        return new Group(head, records, damaged, false);
    }

    private void take(long segment, Path path, Group group) {
        long number = group.head().number();
        for (Object record : group.records()) {
            if (record instanceof JournalEntry entry) {
                // The key of a TreeMap is not replaced with its value.
                entries.remove(entry);
                entries.put(entry, number);
                highest = Math.max(highest, Truncation.neededUpTo(entry));
            } else if (record instanceof Truncated truncated) {
                truncations.put(number, truncated.seq());
                for (Map.Entry<Kind, Long> limit :
                        Truncation.limits(truncated.seq()).entrySet()) {
                    entries.keySet().removeIf(old -> old.kind() == limit.getKey() && old.seq() <= limit.getValue());
                }
            }
        }
        for (JournalEntry place : group.damaged()) {
            highest = Math.max(highest, Truncation.neededUpTo(place));
            suspects.add(new Suspect(
                    segment,
                    path,
                    number,
                    place.kind() + " of sequence number " + place.seq() + " in view " + place.view() + " is damaged",
                    Optional.of(place)));
        }
        if (group.cut()) {
            suspect(segment, path, "group " + number + " is damaged");
        }
    }

    private Optional<Path> dropUnbegun() {
        Segment last = segments.isEmpty() ? null : segments.get(segments.size() - 1);
        if (last == null || segments.size() == 1 || last.groups() > 0) {
            return Optional.empty();
        }
        segments.remove(segments.size() - 1);
        return Optional.of(last.file());
    }

    private void checkEnd(TreeMap<Long, Path> files) {
        long durable = mark.map(Mark::group).orElse(0L);
        if (durable > lastGroup) {
            Path file = files.isEmpty() ? folder : files.lastEntry().getValue();
            suspect(
                    Long.MAX_VALUE,
                    file,
                    "it ends with group " + lastGroup + ", but group " + durable
                            + " had been durable: it is an older copy, or its end is damaged");
        }
        if (!segments.isEmpty() && segments.get(0).number() > oldestSegment && lastGroup > 0) {
            suspect(oldestSegment, SegmentFiles.segment(folder, oldestSegment), "it is missing");
        }
    }

    private void suspect(long segment, Path file, String what) {
        suspects.add(new Suspect(segment, file, 0, what, Optional.empty()));
    }

    private List<Damage> judge() {
        List<Damage> damages = new ArrayList<>();
        for (Suspect suspect : suspects) {
            boolean harmless = suspect.segment() < oldestSegment
                    || suspect.place()
                            .filter(place -> superseded(place, suspect.group()))
                            .isPresent();
            damages.add(new Damage(suspect.file(), suspect.what(), harmless));
        }
        for (Segment segment : segments) {
            if (segment.headDamaged() && segment.number() >= oldestSegment) {
                // All that it says is known from elsewhere once one group in the file fits.
                damages.add(new Damage(segment.file(), "its first block is damaged", segment.groups() > 0));
            }
        }
        return damages;
    }

    private boolean superseded(JournalEntry place, long group) {
        Long later = entries.get(place);
        if (later != null && later > group) {
            return true;
        }
        EnumMap<Kind, Long> limits = new EnumMap<>(Kind.class);
        truncations
                .tailMap(group, false)
                .values()
                .forEach(seq -> Truncation.limits(seq).forEach((kind, limit) -> limits.merge(kind, limit, Math::max)));
        return place.seq() <= limits.getOrDefault(place.kind(), -1L);
    }

    private JournalFormat format() {
        JournalFormat known = format;
        if (known == null) {
            throw new IllegalStateException("the journal's id is not known yet");
        }
        return known;
    }
}
