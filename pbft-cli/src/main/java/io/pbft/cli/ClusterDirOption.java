package io.pbft.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** {@code --dir}, of every command that works on a cluster. */
final class ClusterDirOption {
    @Option(
            names = "--dir",
            required = true,
            paramLabel = "D",
            description = "The cluster's directory: cluster.json, replica-I/, client-J/.")
    private Path dir;

    ClusterFolder folder() {
        return new ClusterFolder(dir);
    }
}
