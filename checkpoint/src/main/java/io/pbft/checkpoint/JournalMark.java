package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A file beside a journal's folder that says which journal is there, and up to which group it was durable at least. It
 * is made durable when the journal begins and when it is closed; in between it is written after each group and not
 * synced. So its being there says that a journal was begun; its number is a lower bound, which survives the end of the
 * process, and which a power loss may leave behind, or garbled, and then it says nothing. But a journal that is older
 * than its number has lost what was durable.
 *
 * <p>NOT thread-safe.
 */
final class JournalMark implements AutoCloseable {
    static final String FILE_NAME = "journal.mark";

    private static final int BYTES = 2 * Long.BYTES + Integer.BYTES;

    /** What the file says. */
    record Mark(long journal, long group) {}

    private final Path folder;
    private final Path file;
    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES);
    private final CRC32C crc = new CRC32C();

    private JournalMark(Path folder, FileChannel channel) {
        this.folder = folder;
        this.file = file(folder);
        this.channel = channel;
    }

    static Path file(Path folder) {
        return folder.resolve(FILE_NAME);
    }

    /** Empty when there is none, or none that can be trusted. */
    static Optional<Mark> read(Path folder) {
        Path file = file(folder);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer in = ByteBuffer.allocate(BYTES);
            if (channel.read(in, 0) < BYTES) {
                return Optional.empty();
            }
            CRC32C crc = new CRC32C();
            crc.update(in.flip().limit(BYTES - Integer.BYTES));
            in.clear();
            Mark mark = new Mark(in.getLong(), in.getLong());
            return in.getInt() == (int) crc.getValue() ? Optional.of(mark) : Optional.empty();
        } catch (IOException e) {
            throw failure(file, "read", e);
        }
    }

    /** Opens it for writing, making it where there is none. */
    static JournalMark open(Path folder) {
        Path file = file(folder);
        try {
            return new JournalMark(folder, FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw failure(file, "opened", e);
        }
    }

    void write(Mark mark) {
        buffer.clear().putLong(mark.journal()).putLong(mark.group());
        crc.reset();
        crc.update(buffer.flip());
        buffer.limit(BYTES).putInt((int) crc.getValue()).flip();
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer, buffer.position());
            }
        } catch (IOException e) {
            throw failure(file, "written", e);
        }
    }

    /** Makes it durable, and its being there. */
    void force() {
        try {
            channel.force(true);
            SegmentFiles.forceFolder(folder);
        } catch (IOException e) {
            throw failure(file, "made durable", e);
        }
    }

    private static StorageFailure failure(Path file, String what, IOException cause) {
        return new StorageFailure(
                file.toAbsolutePath() + " cannot be " + what + " (" + StorageFailure.reason(cause)
                        + "); check free space, permissions and health of the disk, then start again",
                cause);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failure(file, "closed", e);
        }
    }
}
