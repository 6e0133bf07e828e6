package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** What the standard library leaves to do oneself with folders. */
final class Folders {
    private Folders() {}

    /**
     * Renames a folder to its name with {@code .aside}, in place of what had that name, and deletes {@code mark} with
     * it. Durable on return.
     *
     * @throws StorageFailure when that cannot be done
     */
    static void putAside(Path folder, String what, @Nullable Path mark) {
        Path own = folder.toAbsolutePath();
        Path aside = own.resolveSibling(own.getFileName() + ".aside");
        try {
            if (Files.exists(own)) {
                delete(aside);
                Files.move(own, aside, StandardCopyOption.ATOMIC_MOVE);
            }
            if (mark != null) {
                Files.deleteIfExists(mark);
            }
            SegmentFiles.forceFolder(own.resolveSibling("."));
        } catch (IOException e) {
            throw new StorageFailure(
                    what + " " + own + " cannot be moved to " + aside + " (" + StorageFailure.reason(e)
                            + "); check permissions and health of the disk",
                    e);
        }
    }

    /** Deletes a folder with all that is in it; nothing where there is none. Links are not followed. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failed) throws IOException {
                if (failed != null) {
                    throw failed;
                }
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
