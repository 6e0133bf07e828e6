package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A file beside an environment with the number of its last transaction, written after each one and never synced. It is a lower
 * bound: a power loss may leave it behind, or leave nothing of it that can be read, and then it says nothing; but an environment
 * that is older than it says has lost transactions that were durable. NOT thread-safe.
 */
final class HighWaterMark implements AutoCloseable {
    private static final String FILE_NAME = "last-transaction";
    private static final int BYTES = Long.BYTES + Integer.BYTES;

    private final Path file;
    private final FileChannel channel;

    private HighWaterMark(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    static HighWaterMark open(Path folder) {
        Path file = folder.resolve(FILE_NAME);
        try {
            return new HighWaterMark(
                    file,
                    FileChannel.open(
                            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw failure(file, "opened", e);
        }
    }

    /** 0 when it says nothing. */
    long read() {
        ByteBuffer in = ByteBuffer.allocate(BYTES);
        try {
            int read = channel.read(in, 0);
            if (read < BYTES) {
                return 0;
            }
        } catch (IOException e) {
            throw failure(file, "read", e);
        }
        long number = in.flip().getLong();
        return in.getInt() == checksum(number) ? number : 0;
    }

    void write(long number) {
        ByteBuffer out = ByteBuffer.allocate(BYTES)
                .putLong(number)
                .putInt(checksum(number))
                .flip();
        try {
            while (out.hasRemaining()) {
                channel.write(out, out.position());
            }
        } catch (IOException e) {
            throw failure(file, "written", e);
        }
    }

    private static int checksum(long number) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Long.BYTES).putLong(number).flip());
        return (int) crc.getValue();
    }

    private static StorageFailure failure(Path file, String what, IOException cause) {
        return new StorageFailure(
                file.toAbsolutePath() + " cannot be " + what + " (" + cause.getMessage()
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
