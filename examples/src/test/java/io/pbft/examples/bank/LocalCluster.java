package io.pbft.examples.bank;

import io.pbft.client.ClientConfig;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.replica.StateMachine;
import io.pbft.replica.server.ReplicaFolder;
import io.pbft.replica.server.ReplicaServer;
import io.pbft.replica.server.ServerOptions;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/** Four replicas and a client's folder in this process: what {@code pbft init} and four processes are elsewhere. */
final class LocalCluster implements AutoCloseable {
    private static final int REPLICAS = 4;

    private final Path directory;
    private final List<ReplicaServer> servers = new ArrayList<>();

    LocalCluster(Path directory, int clients, Supplier<StateMachine> stateMachine) throws IOException {
        this(directory, clients, stateMachine, ProtocolParameters.DEFAULT);
    }

    LocalCluster(Path directory, int clients, Supplier<StateMachine> stateMachine, ProtocolParameters parameters)
            throws IOException {
        this.directory = directory;
        List<ClusterConfig.ReplicaInfo> replicas = new ArrayList<>();
        List<ServerSocket> ports = new ArrayList<>();
        for (int id = 0; id < REPLICAS; id++) {
            ports.add(holdPort());
        }
        for (int id = 0; id < REPLICAS; id++) {
            replicas.add(new ClusterConfig.ReplicaInfo(
                    id, "127.0.0.1", ports.get(id).getLocalPort(), newKey(directory.resolve("replica-" + id))));
        }
        List<ClusterConfig.ClientInfo> known = new ArrayList<>();
        for (int id = 0; id < clients; id++) {
            known.add(new ClusterConfig.ClientInfo(id, newKey(directory.resolve("client-" + id))));
        }
        Digest clusterId = Digest.of(Bytes.utf8(directory.toString()));
        ClusterConfig config = new ClusterConfig(clusterId, replicas, known, parameters);
        config.write(directory.resolve("cluster.json"));
        for (int id = 0; id < REPLICAS; id++) {
            ports.get(id).close();
            ReplicaFolder.of(directory, id).markNew();
            servers.add(ReplicaServer.start(
                    config, id, ReplicaFolder.of(directory, id).path(), stateMachine.get(), ServerOptions.DEFAULT));
        }
    }

    /**
     * Holds a free port below those that systems give to outgoing connections: of the latter, a replica that starts and
     * dials could take the one that the next replica is to listen on.
     */
    private static ServerSocket holdPort() throws IOException {
        while (true) {
            ServerSocket socket = new ServerSocket();
            try {
                int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
                socket.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 1);
                return socket;
            } catch (BindException e) {
                // Somebody listens there: another one, then.
                socket.close();
            }
        }
    }

    ClientConfig client(int id) {
        return ClientConfig.fromDirectory(directory, id);
    }

    ReplicaServer server(int id) {
        return servers.get(id);
    }

    private static PublicKey newKey(Path folder) throws IOException {
        Files.createDirectories(folder);
        Bytes key = Ed25519.newPrivateKey(new SecureRandom());
        KeyFiles.writePrivate(folder.resolve(ClientConfig.KEY_FILE), key);
        return new Ed25519().signer(key).publicKey();
    }

    @Override
    public void close() {
        servers.forEach(ReplicaServer::close);
    }
}
