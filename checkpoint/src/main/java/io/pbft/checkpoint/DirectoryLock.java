package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentSkipListSet;
import org.jspecify.annotations.Nullable;

/**
 * Makes sure that one process at a time uses a folder. The operating system gives the lock back when the process ends,
 * however it ends. Thread-safe.
 */
final class DirectoryLock implements AutoCloseable {
    static final String FILE_NAME = "in-use.lock";

    /**
     * What this process holds. It must be looked up before the file is opened again: where locks belong to processes (POSIX),
     * closing a second descriptor of the file gives back the lock that was taken through the first.
     */
    private static final ConcurrentSkipListSet<Path> HELD = new ConcurrentSkipListSet<>();

    private final FileChannel channel;
    private final Path held;

    private DirectoryLock(FileChannel channel, Path held) {
        this.channel = channel;
        this.held = held;
    }

    /**
     * Creates the folder where it is missing, and locks it.
     *
     * @throws StorageFailure when it is no folder, may not be written, or is in use
     */
    static DirectoryLock acquire(Path folder, String what) {
        String place = what + " " + folder.toAbsolutePath();
        create(folder, place);
        @Nullable Path held = null;
        try {
            Path real = folder.toRealPath();
            if (!HELD.add(real)) {
                throw inUse(place);
            }
            held = real;
            FileChannel channel =
                    FileChannel.open(folder.resolve(FILE_NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (channel.tryLock() == null) {
                channel.close();
                throw inUse(place);
            }
            DirectoryLock lock = new DirectoryLock(channel, held);
            held = null;
            return lock;
        } catch (IOException e) {
            throw new StorageFailure(
                    place + " cannot be written (" + StorageFailure.reason(e)
                            + "); check its permissions and its file system",
                    e);
        } finally {
            if (held != null) {
                HELD.remove(held);
            }
        }
    }

    /** Keeps others out while somebody looks; where the folder cannot be written nobody else can either. */
    record Probe(@Nullable DirectoryLock lock) implements AutoCloseable {
        @Override
        public void close() {
            if (lock != null) {
                lock.close();
            }
        }
    }

    /**
     * Makes sure that no process uses a folder, where there is one; makes none.
     *
     * @throws StorageFailure when it is in use
     */
    static Probe probe(Path folder, String what) {
        return new Probe(Files.isWritable(folder.resolve(FILE_NAME)) ? acquire(folder, what) : null);
    }

    private static StorageFailure inUse(String place) {
        return new StorageFailure(place + " is in use by another process or store; stop that one first. "
                + "A folder belongs to one running replica");
    }

    private static void create(Path folder, String place) {
        try {
            Files.createDirectories(folder);
        } catch (FileAlreadyExistsException e) {
            throw new StorageFailure(place + " is not a folder: a file is in the way at " + e.getFile(), e);
        } catch (IOException e) {
            throw new StorageFailure(
                    place + " cannot be created (" + StorageFailure.reason(e)
                            + "); check the permissions of the folder above it",
                    e);
        }
        if (!Files.isWritable(folder)) {
            throw new StorageFailure(place + " cannot be written; check its permissions and its file system");
        }
    }

    /** May be called twice. */
    @Override
    public void close() {
        if (!channel.isOpen()) {
            return;
        }
        try {
            channel.close();
            HELD.remove(held);
        } catch (IOException e) {
            throw new StorageFailure("the lock of a folder cannot be given back: " + StorageFailure.reason(e), e);
        }
    }
}
