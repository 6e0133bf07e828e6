package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the standard library leaves to do oneself with folders. */
final class Folders {
    private Folders() {}

    /**
     * Renames a folder to its name with {@code .aside}, in place of what had that name, and deletes {@code mark} with
     * it. Durable on return. Cut short anywhere, it is done again by the next call: where the folder holds nothing yet,
     * since what should follow it was only being begun, it goes, and what was put aside before stays.
     *
     * @param content the files in the folder that hold anything when they are not empty
     * @throws StorageFailure when that cannot be done
     */
    static void putAside(Path folder, String what, Predicate<Path> content, @Nullable Path mark) {
        Path own = folder.toAbsolutePath();
        Path aside = own.resolveSibling(own.getFileName() + ".aside");
        try {
            if (holdsAny(own, content)) {
                delete(aside);
                Files.move(own, aside, StandardCopyOption.ATOMIC_MOVE);
            } else {
                delete(own);
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

    /** What is no file holds something too: a disk that fails shows such things. */
    private static boolean holdsAny(Path folder, Predicate<Path> content) throws IOException {
        if (!Files.isDirectory(folder)) {
            return Files.exists(folder);
        }
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(content).toList();
        }
        for (Path file : files) {
            if (!Files.isRegularFile(file) || Files.size(file) > 0) {
                return true;
            }
        }
        return false;
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
