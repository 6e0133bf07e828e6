package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Makes sure that one process at a time uses a folder. The operating system gives the lock back when the process ends,
 * however it ends. Thread-safe.
 */
final class DirectoryLock implements AutoCloseable {
    static final String FILE_NAME = "in-use.lock";

    private final FileChannel channel;

    private DirectoryLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Creates the folder where it is missing, and locks it.
     *
     * @throws StorageFailure when it is no folder, may not be written, or is in use
     */
    static DirectoryLock acquire(Path folder, String what) {
        String place = what + " " + folder.toAbsolutePath();
        create(folder, place);
        try {
            FileChannel channel =
                    FileChannel.open(folder.resolve(FILE_NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (tryLock(channel) == null) {
                channel.close();
                throw new StorageFailure(place + " is in use by another process or store; stop that one first. "
                        + "A folder belongs to one running replica");
            }
            return new DirectoryLock(channel);
        } catch (IOException e) {
            throw new StorageFailure(
                    place + " cannot be written (" + reason(e) + "); check its permissions and its file system", e);
        }
    }

    private static void create(Path folder, String place) {
        try {
            Files.createDirectories(folder);
        } catch (FileAlreadyExistsException e) {
            throw new StorageFailure(place + " is not a folder: a file is in the way at " + e.getFile(), e);
        } catch (IOException e) {
            throw new StorageFailure(
                    place + " cannot be created (" + reason(e) + "); check the permissions of the folder above it", e);
        }
        if (!Files.isWritable(folder)) {
            throw new StorageFailure(place + " cannot be written; check its permissions and its file system");
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Somebody in this very process holds it.
            return null;
        }
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new StorageFailure("the lock of a folder cannot be given back: " + reason(e), e);
        }
    }
}
