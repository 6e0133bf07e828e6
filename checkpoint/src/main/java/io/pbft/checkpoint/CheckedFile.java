package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A file that is looked through. Uncached, it is read as the disk has it and not as the system's cache remembers it,
 * which says nothing about the disk; where the file system cannot do that, it is read like any other.
 *
 * <p>NOT thread-safe.
 */
final class CheckedFile implements AutoCloseable {
    /** Direct reads begin and end at multiples of it: no device has larger sectors. */
    private static final int ALIGNMENT = 4096;

    /** The JDK's option for direct reads, which not every JDK has. */
    private static final Optional<OpenOption> DIRECT = directOption();

    private final FileChannel channel;
    private final boolean direct;
    private ByteBuffer aligned = allocate(ALIGNMENT);

    private CheckedFile(FileChannel channel, boolean direct) {
        this.channel = channel;
        this.direct = direct;
    }

    static CheckedFile cached(Path file) throws IOException {
        return new CheckedFile(FileChannel.open(file, StandardOpenOption.READ), false);
    }

    static CheckedFile uncached(Path file) throws IOException {
        if (DIRECT.isPresent()) {
            try {
                return new CheckedFile(FileChannel.open(file, StandardOpenOption.READ, DIRECT.get()), true);
            } catch (UnsupportedOperationException | IOException e) {
                // Not all file systems have direct reads. If it is the file itself, the next line says so.
            }
        }
        return cached(file);
    }

    private static Optional<OpenOption> directOption() {
        try {
            for (Object option :
                    Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants()) {
                if (option instanceof OpenOption direct && option.toString().equals("DIRECT")) {
                    return Optional.of(direct);
                }
            }
        } catch (ClassNotFoundException e) {
            // Then files are read through the cache.
        }
        return Optional.empty();
    }

    long size() throws IOException {
        return channel.size();
    }

    /** The system could open the file, and not read it: the medium is damaged. */
    static final class Unreadable extends IOException {
        private static final long serialVersionUID = 1L;

        Unreadable(IOException cause) {
            super("it cannot be read (" + StorageFailure.reason(cause) + ")", cause);
        }
    }

    /**
     * Fills {@code to} from {@code offset} on, as far as the file goes.
     *
     * @throws Unreadable when the medium does not give back what is there
     */
    void read(long offset, ByteBuffer to) throws IOException {
        if (!direct) {
            readFully(offset, to);
            return;
        }
        long begin = offset / ALIGNMENT * ALIGNMENT;
        long end = (offset + to.remaining() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        int bytes = Math.toIntExact(end - begin);
        if (aligned.capacity() < bytes) {
            aligned = allocate(bytes);
        }
        readFully(begin, aligned.clear().limit(bytes));
        aligned.flip();
        int skipped = (int) Math.min(offset - begin, aligned.limit());
        aligned.position(skipped).limit(Math.min(aligned.limit(), skipped + to.remaining()));
        to.put(aligned);
    }

    private void readFully(long offset, ByteBuffer to) throws IOException {
        int first = to.position();
        try {
            while (to.hasRemaining() && channel.read(to, offset + to.position() - first) >= 0) {
                // Until all of it is there or the file ends.
            }
        } catch (ClosedChannelException e) {
            throw e;
        } catch (IOException e) {
            throw new Unreadable(e);
        }
    }

    private static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocateDirect(bytes + ALIGNMENT).alignedSlice(ALIGNMENT);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
