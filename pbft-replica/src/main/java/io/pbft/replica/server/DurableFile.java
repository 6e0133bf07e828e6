package io.pbft.replica.server;

import io.pbft.checkpoint.StorageFailure;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Empty files whose being there says something. Both methods are durable on return. */
final class DurableFile {
    private DurableFile() {}

    /**
     * Makes its folder, too, where that is missing.
     *
     * @throws StorageFailure when it cannot be made durable
     */
    static void make(Path file) {
        try {
            Path folder = file.toAbsolutePath().resolveSibling("");
            if (!Files.isDirectory(folder)) {
                Files.createDirectories(folder);
                forceFolder(folder);
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            forceFolder(file);
        } catch (IOException e) {
            throw failed(file, "written", e);
        }
    }

    /** @throws StorageFailure when it cannot be deleted */
    static void delete(Path file) {
        try {
            if (Files.deleteIfExists(file)) {
                forceFolder(file);
            }
        } catch (IOException e) {
            throw failed(file, "removed", e);
        }
    }

    private static void forceFolder(Path file) throws IOException {
        try (FileChannel folder = FileChannel.open(file.resolveSibling("."), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    private static StorageFailure failed(Path file, String what, IOException e) {
        return new StorageFailure(
                file + " cannot be " + what + ": " + e + "; the folder must be writable and its disk must have room",
                e);
    }
}
