package io.pbft.replica.server;

import io.pbft.checkpoint.StorageFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Files that say: this replica lost its disk and may not vote yet. They are there before the new journal is, and go
 * only once the checkpoint from which on the replica votes is durable. Without them, one that dies while it rejoins,
 * and is started again as always, would take its new journal for all that it ever promised, and vote twice (trap 53).
 *
 * <p>There are two, one beside the journal and one in its folder, and either is enough: no single file may be lost that
 * makes a replica vote. Where the journal is put aside, the second goes with it, and has to be {@link #set} again.
 *
 * <p>One thread at a time.
 */
final class RejoinMark {
    private final List<Path> files;

    RejoinMark(ReplicaFolder folder) {
        this.files = List.of(folder.rejoining(), folder.journal().resolve("rejoining"));
    }

    boolean isSet() {
        return files.stream().anyMatch(Files::exists);
    }

    /** @throws StorageFailure when it cannot be made durable */
    void set() {
        for (Path file : files) {
            DurableFile.make(file);
        }
    }

    /** Should one come back after a crash, the replica rejoins once more: slow, and safe. */
    void remove() {
        for (Path file : files) {
            DurableFile.delete(file);
        }
    }
}
