package io.pbft.replica.server;

import io.pbft.protocol.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A replica's own folder, {@code replica-I} beside {@code cluster.json}, and what lies in it.
 *
 * <pre>
 *   key.pem       the private key, mode 0600
 *   never-started there from the making of the folder until the first start
 *   journal/      what it promised
 *   journal.mark  which journal that is, and up to where it is there at least
 *   state/        the replicated state with its checkpoints
 *   state.damaged there when the state was found damaged, until it is put aside
 *   *.aside       what was damaged and taken out of use
 *   rejoining     there, and in journal/ as well, from a start with --rejoin until it may vote again
 *   evidence/     proofs that another replica lied
 *   admin.json    while it runs: {"pid", "port"} of its loopback endpoint
 * </pre>
 */
public record ReplicaFolder(Path path) {
    /** The folder of replica {@code id} of the cluster in {@code directory}. */
    public static ReplicaFolder of(Path directory, int id) {
        return new ReplicaFolder(directory.resolve("replica-" + id));
    }

    public Path key() {
        return path.resolve("key.pem");
    }

    public Path journal() {
        return path.resolve("journal");
    }

    public Path state() {
        return path.resolve("state");
    }

    public Path rejoining() {
        return path.resolve("rejoining");
    }

    public Path evidence() {
        return path.resolve("evidence");
    }

    public Path admin() {
        return path.resolve("admin.json");
    }

    /**
     * Says that the replica of this folder never ran, so that it may begin with nothing. For whoever makes the folder,
     * with a new key, for a new cluster: what says so of a replica that ran makes it forget what it promised.
     *
     * @throws io.pbft.checkpoint.StorageFailure when it cannot be written
     */
    public void markNew() {
        DurableFile.make(neverStarted());
    }

    boolean isNew() {
        return Files.exists(neverStarted());
    }

    void setStarted() {
        DurableFile.delete(neverStarted());
    }

    boolean isStateDamaged() {
        return Files.exists(stateDamaged());
    }

    void setStateDamaged(boolean damaged) {
        if (damaged) {
            DurableFile.make(stateDamaged());
        } else {
            DurableFile.delete(stateDamaged());
        }
    }

    private Path neverStarted() {
        return path.resolve("never-started");
    }

    private Path stateDamaged() {
        return path.resolve("state.damaged");
    }

    /** @throws ConfigException when it is not a folder */
    void requireFolder() {
        if (!Files.isDirectory(path)) {
            throw new ConfigException(
                    path.toString(),
                    "",
                    Files.exists(path)
                            ? "expected a replica's folder, found a file"
                            : "no such folder; make it with: pbft init, or copy it from where that was run");
        }
    }

    /** Makes a folder where there is none. */
    static Path made(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ConfigException(folder.toString(), "", "cannot make this folder: " + e);
        }
    }
}
