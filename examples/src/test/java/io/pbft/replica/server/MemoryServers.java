package io.pbft.replica.server;

import io.pbft.checkpoint.MemoryJournal;
import io.pbft.checkpoint.MemoryStateStore;
import io.pbft.protocol.ClusterConfig;
import io.pbft.replica.StateMachine;
import java.nio.file.Path;

/** Real servers, connections and signatures, with disks in memory, so that a test is over quickly. */
public final class MemoryServers {
    private MemoryServers() {}

    public static ReplicaServer start(ClusterConfig config, int id, Path directory, StateMachine stateMachine) {
        return ReplicaServer.start(
                config,
                id,
                ReplicaFolder.of(directory, id),
                stateMachine,
                ServerOptions.DEFAULT,
                (folder, core, failed) -> new Storage.Opened(
                        new MemoryJournal(new MemoryJournal.Disk(), core::execute, failed::accept),
                        new MemoryStateStore(new MemoryStateStore.Disk(), core::execute)));
    }
}
