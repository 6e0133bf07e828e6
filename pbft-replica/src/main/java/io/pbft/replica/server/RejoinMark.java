package io.pbft.replica.server;

import io.pbft.checkpoint.StorageFailure;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file that says: this replica lost its disk and may not vote yet. It is there before the new journal is, and goes
 * only once the checkpoint from which on the replica votes is durable. Without it, one that dies while it rejoins, and
 * is started again as always, would take its new journal for all that it ever promised, and vote twice (trap 53).
 *
 * <p>One thread at a time.
 */
final class RejoinMark {
    private final Path file;

    RejoinMark(Path file) {
        this.file = file;
    }

    boolean isSet() {
        return Files.exists(file);
    }

    /** @throws StorageFailure when it cannot be made durable */
    void set() {
        DurableFile.make(file);
    }

    /** Should it come back after a crash, the replica rejoins once more: slow, and safe. */
    void remove() {
        DurableFile.delete(file);
    }
}
