package io.pbft.checkpoint;

import io.pbft.checkpoint.JournalEntry.Kind;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a journal on disk. Integers are big-endian.
 *
 * <pre>
 *   segment   header, padded to a block | group | group | ...        a file of {@link #SEGMENT_BYTES}, or of one large
 *   group header    "pbftjrnl" (8) | version of the format (4) | id of the journal (8) | number of the segment (8)
 *               | number of its first group (8) | checksum (4)
 *   group     "pbfg" (4) | checksum of what follows in the header (4) | number (8) | oldest segment that is needed (8)
 *               | records (4) | bytes of the records (4) | records, padded to a block
 *   record    checksum of what follows in its head (4) | checksum of the content (4) | kind (1) | seq (8) | view (8)
 *               | size of the content (4) | content
 * </pre>
 *
 * <p>A group is what one synchronous write made durable. Groups are numbered without a gap through all segments, and
 * begin at blocks, so that a write never touches a block that holds what is durable already, and so that the next group
 * can be found behind a damaged one.
 *
 * <p>Checksums are CRC-32C. Those of heads begin with the journal's id; a record's goes on with the number of its group
 * and its own place in it. So no bytes of another journal, of another group, or of what a file held before it was used
 * again pass for a record.
 *
 * <p>NOT thread-safe: an instance belongs to one reader or writer.
 */
final class JournalFormat {
    static final int BLOCK_BYTES = 4096;
    static final int SEGMENT_BYTES = 16 << 20;
    static final int GROUP_HEAD_BYTES = 32;
    static final int RECORD_HEAD_BYTES = 29;

    /** In place of a kind: what lies behind the checkpoint at {@code seq} is forgotten. */
    static final byte TRUNCATION = 0;

    private static final int VERSION = 1;
    private static final long SEGMENT_MAGIC = 0x7062_6674_6a72_6e6cL;
    private static final int GROUP_MAGIC = 0x7062_6667;
    private static final int SEGMENT_HEAD_BYTES = 40;
    private static final int CHECKSUM_BYTES = Integer.BYTES;

    /** Of a segment. {@code version} is told for what another version of the program wrote; nothing else holds then. */
    record SegmentHead(int version, long journal, long segment, long firstGroup) {
        boolean known() {
            return version == VERSION;
        }
    }

    record GroupHead(long number, long oldestSegment, int records, int bytes) {
        /** With its records, padded. */
        int blockBytes() {
            return padded(GROUP_HEAD_BYTES + bytes);
        }
    }

    /** @param kind its code, or {@link #TRUNCATION} */
    record RecordHead(byte kind, long seq, long view, int size, int contentChecksum) {}

    private final long journal;
    private final CRC32C crc = new CRC32C();
    private final ByteBuffer seed = ByteBuffer.allocate(Long.BYTES + Long.BYTES + Integer.BYTES);

    JournalFormat(long journal) {
        this.journal = journal;
    }

    static int padded(int bytes) {
        return Math.addExact(bytes, BLOCK_BYTES - 1) & -BLOCK_BYTES;
    }

    /** The first block of a segment. */
    ByteBuffer segmentHead(long segment, long firstGroup) {
        ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
        block.putLong(SEGMENT_MAGIC)
                .putInt(VERSION)
                .putLong(journal)
                .putLong(segment)
                .putLong(firstGroup);
        block.putInt(SEGMENT_HEAD_BYTES - CHECKSUM_BYTES, segmentChecksum(block));
        return block.clear();
    }

    /** What the first bytes of a file say; null when they do not say it, or not undamaged. */
    static @Nullable SegmentHead segmentHead(ByteBuffer file) {
        if (file.limit() < SEGMENT_HEAD_BYTES
                || file.getLong(0) != SEGMENT_MAGIC
                || file.getInt(SEGMENT_HEAD_BYTES - CHECKSUM_BYTES) != segmentChecksum(file)) {
            return null;
        }
        return new SegmentHead(file.getInt(8), file.getLong(12), file.getLong(20), file.getLong(28));
    }

    private static int segmentChecksum(ByteBuffer block) {
        CRC32C checksum = new CRC32C();
        checksum.update(block.duplicate().clear().limit(SEGMENT_HEAD_BYTES - CHECKSUM_BYTES));
        return (int) checksum.getValue();
    }

    /** Writes a group's head at the buffer's beginning. */
    void putGroupHead(ByteBuffer buffer, GroupHead head) {
        buffer.putInt(0, GROUP_MAGIC)
                .putLong(8, head.number())
                .putLong(16, head.oldestSegment())
                .putInt(24, head.records())
                .putInt(28, head.bytes())
                .putInt(4, groupChecksum(buffer.duplicate(), 0));
    }

    /** Of the group that begins at {@code position}; null when none begins there. */
    @Nullable
    GroupHead groupHead(ByteBuffer file, int position) {
        if (file.limit() - position < GROUP_HEAD_BYTES
                || file.getInt(position) != GROUP_MAGIC
                || file.getInt(position + 4) != groupChecksum(file.duplicate(), position)) {
            return null;
        }
        return new GroupHead(
                file.getLong(position + 8),
                file.getLong(position + 16),
                file.getInt(position + 24),
                file.getInt(position + 28));
    }

    private int groupChecksum(ByteBuffer view, int position) {
        begin(0, 0);
        crc.update(view.limit(position + GROUP_HEAD_BYTES).position(position + 8));
        return (int) crc.getValue();
    }

    /**
     * Completes the head of the record whose content, of {@code size} bytes, stands in {@code buffer} already, behind
     * room for the head at {@code position}.
     *
     * @param view another view of the buffer's bytes, for this method's use
     */
    void putRecordHead(
            ByteBuffer buffer, ByteBuffer view, int position, long group, int index, byte kind, long seq, long inView) {
        int size = buffer.position() - position - RECORD_HEAD_BYTES;
        crc.reset();
        crc.update(view.clear().limit(buffer.position()).position(position + RECORD_HEAD_BYTES));
        buffer.putInt(position + 4, (int) crc.getValue())
                .put(position + 8, kind)
                .putLong(position + 9, seq)
                .putLong(position + 17, inView)
                .putInt(position + 25, size)
                .putInt(position, recordChecksum(view, position, group, index));
    }

    /** Of the record at {@code position}; null when what stands there is none, or is damaged. */
    @Nullable
    RecordHead recordHead(ByteBuffer file, int position, long group, int index) {
        if (file.limit() - position < RECORD_HEAD_BYTES
                || file.getInt(position) != recordChecksum(file.duplicate(), position, group, index)) {
            return null;
        }
        return new RecordHead(
                file.get(position + 8),
                file.getLong(position + 9),
                file.getLong(position + 17),
                file.getInt(position + 25),
                file.getInt(position + 4));
    }

    private int recordChecksum(ByteBuffer view, int position, long group, int index) {
        begin(group, index);
        crc.update(view.limit(position + RECORD_HEAD_BYTES).position(position + CHECKSUM_BYTES));
        return (int) crc.getValue();
    }

    /** Whether the content at {@code position} is what its record's head says. */
    boolean isWhole(ByteBuffer file, int position, RecordHead head) {
        if (head.size() < 0 || file.limit() - position < head.size()) {
            return false;
        }
        crc.reset();
        crc.update(file.duplicate().limit(position + head.size()).position(position));
        return (int) crc.getValue() == head.contentChecksum();
    }

    private void begin(long group, int index) {
        crc.reset();
        seed.clear().putLong(journal).putLong(group).putInt(index);
        crc.update(seed.flip());
    }

    /** Null when no kind has this code. */
    static @Nullable Kind kind(byte code) {
        for (Kind kind : Kind.values()) {
            if (kind.code() == code) {
                return kind;
            }
        }
        return null;
    }
}
