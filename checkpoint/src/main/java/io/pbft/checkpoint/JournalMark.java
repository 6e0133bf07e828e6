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
 * <p>While it is open it is locked: unlike the file in the journal's folder that is there for nothing else, nobody
 * takes it for a leftover. Where locks belong to processes (POSIX) the lock goes when any channel to the file is
 * closed, so a process that has it open does not {@link #peek}.
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

    /** What the mark of a journal that nobody has open says. Empty when there is none, or none that can be trusted. */
    static Optional<Mark> peek(Path folder) {
        Path file = file(folder);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return read(channel);
        } catch (IOException e) {
            throw failure(file, "read", e);
        }
    }

    private static Optional<Mark> read(FileChannel channel) {
        ByteBuffer in = ByteBuffer.allocate(BYTES);
        try {
            if (channel.read(in, 0) < BYTES) {
                return Optional.empty();
            }
        } catch (IOException e) {
            // What the disk does not give back says nothing, as what it garbled.
            return Optional.empty();
        }
        CRC32C crc = new CRC32C();
        crc.update(in.flip().limit(BYTES - Integer.BYTES));
        in.clear();
        Mark mark = new Mark(in.getLong(), in.getLong());
        return in.getInt() == (int) crc.getValue() ? Optional.of(mark) : Optional.empty();
    }

    /**
     * Opens and locks it, making it where there is none.
     *
     * @throws StorageFailure when another process has it open, or it cannot be opened
     */
    static JournalMark open(Path folder) {
        Path file = file(folder);
        try {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (channel.tryLock() == null) {
                channel.close();
                throw new StorageFailure("the journal of " + file.toAbsolutePath()
                        + " is in use by another process; stop that one first."
                        + " A folder belongs to one running replica");
            }
            return new JournalMark(folder, channel);
        } catch (IOException e) {
            throw failure(file, "opened", e);
        }
    }

    /** What it says. Empty: nothing that can be trusted. */
    Optional<Mark> read() {
        return read(channel);
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
