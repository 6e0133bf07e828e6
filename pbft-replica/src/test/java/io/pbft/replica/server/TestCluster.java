package io.pbft.replica.server;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Reply;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import io.pbft.replica.kv.KvStateMachine;
import io.pbft.transport.FrameHandler;
import io.pbft.transport.Inbound;
import io.pbft.transport.Lane;
import io.pbft.transport.Transport;
import io.pbft.transport.TransportConfig;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Four replicas in this process, over real connections, and the simplest client that believes f + 1 of them. */
final class TestCluster implements AutoCloseable {
    static final int REPLICAS = 4;

    /** The default ones, but with a checkpoint every 8 sequence numbers. */
    private static final ProtocolParameters PARAMETERS = new ProtocolParameters(
            8, 16, 8, 2_000, 1 << 20, 10, 1_000, 150, 4_000, 1_000, 60_000, 200, 10_000, 4_096, 16, 64 << 20);

    private static final int SECONDS_MAX = 60;

    final ClusterConfig config;
    final List<MemoryStorage> disks = new ArrayList<>();
    final Map<Integer, ReplicaServer> servers = new TreeMap<>();
    final Map<Integer, CompletableFuture<Throwable>> halts = new ConcurrentHashMap<>();
    private final Path directory;
    private final boolean onDisk;
    private final Duration scrub;
    private final Transport client;
    private final Verifier verifier;
    private final Map<Long, Map<Integer, Reply.Item>> replies = new ConcurrentHashMap<>();
    private final Semaphore arrived = new Semaphore(0);
    private final long epoch = System.currentTimeMillis() << 20;
    private long number;

    TestCluster(Path directory) throws IOException {
        this(directory, false);
    }

    /** @param onDisk on LMDB below {@code directory}, instead of in memory */
    TestCluster(Path directory, boolean onDisk) throws IOException {
        this(directory, onDisk, Duration.ZERO);
    }

    /** @param scrub how often it looks through its disk */
    TestCluster(Path directory, boolean onDisk, Duration scrub) throws IOException {
        this.scrub = scrub;
        this.directory = directory;
        this.onDisk = onDisk;
        this.config = config(directory);
        for (int id = 0; id < REPLICAS; id++) {
            disks.add(new MemoryStorage());
            start(id);
        }
        this.verifier = new Verifier(config, new Ed25519(), 1_000);
        this.client = new Transport(clientConfig(), new Frames());
        client.start();
    }

    /** Keys in folders under {@code directory}, and ports that are free now. */
    static ClusterConfig config(Path directory) throws IOException {
        List<ClusterConfig.ReplicaInfo> replicas = new ArrayList<>();
        List<ServerSocket> held = new ArrayList<>();
        for (int id = 0; id < REPLICAS; id++) {
            held.add(holdPort());
        }
        for (int id = 0; id < REPLICAS; id++) {
            ReplicaFolder folder = ReplicaFolder.of(directory, id);
            Files.createDirectories(folder.path());
            KeyFiles.writePrivate(folder.key(), privateKey(NodeId.replica(id)));
            folder.markNew();
            replicas.add(new ClusterConfig.ReplicaInfo(
                    id, "127.0.0.1", held.get(id).getLocalPort(), publicKey(NodeId.replica(id))));
            held.get(id).close();
        }
        return new ClusterConfig(
                Digest.of(Bytes.utf8("test cluster")),
                replicas,
                List.of(new ClusterConfig.ClientInfo(0, publicKey(NodeId.client(0)))),
                PARAMETERS);
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

    void start(int id) {
        start(id, false);
    }

    void start(int id, boolean rejoin) {
        CompletableFuture<Throwable> halted = new CompletableFuture<>();
        halts.put(id, halted);
        servers.put(
                id,
                ReplicaServer.start(
                        config,
                        id,
                        ReplicaFolder.of(directory, id),
                        new KvStateMachine(),
                        ServerOptions.DEFAULT
                                .withRejoin(rejoin)
                                .withScrub(scrub)
                                .withOnHalt(halted::complete),
                        onDisk ? Storage.ON_DISK : disks.get(id)));
    }

    void stop(int id) {
        ReplicaServer server = servers.remove(id);
        if (server != null) {
            server.close();
        }
    }

    /** Has an operation ordered, and returns the result that f + 1 replicas signed. */
    Bytes run(Bytes operation) throws InterruptedException {
        number++;
        Bytes request = Bytes.wrap(Codec.encode(
                new Sealer(config.clusterId(), NodeId.client(0), new Ed25519().signer(privateKey(NodeId.client(0))))
                        .seal(new Request(0, epoch, number, number, -1, List.of(operation)))
                        .message()));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
        while (System.nanoTime() < deadline) {
            for (int id = 0; id < REPLICAS; id++) {
                client.send(NodeId.replica(id), Lane.BULK, request);
            }
            // Sent again when nothing came for a while: a replica may not be connected yet.
            while (arrived.tryAcquire(500, TimeUnit.MILLISECONDS)) {
                Map<Integer, Reply.Item> mine = replies.getOrDefault(number, Map.of());
                for (Reply.Item item : mine.values()) {
                    long same = mine.values().stream()
                            .filter(other -> other.leaf().equals(item.leaf()))
                            .count();
                    if (same >= config.quorum().weak()) {
                        return item.result().orElseThrow();
                    }
                }
            }
        }
        StringBuilder state = new StringBuilder();
        servers.values().forEach(server -> state.append('\n').append(server.status()));
        throw new AssertionError(
                "no f + 1 equal replies to operation " + number + ": " + replies.get(number) + ", replicas:" + state);
    }

    @Override
    public void close() {
        client.close();
        List.copyOf(servers.keySet()).forEach(this::stop);
    }

    private final class Frames implements FrameHandler {
        @Override
        public void onFrame(Inbound from, Bytes frame) {
            if (verifier.verify(from.peer(), Codec.decode(frame)) instanceof Verdict.Accepted accepted
                    && accepted.message().message() instanceof Reply reply) {
                for (Reply.Item item : reply.items()) {
                    replies.computeIfAbsent(item.leaf().number(), key -> new ConcurrentHashMap<>())
                            .put(reply.root().statement().replica(), item);
                }
                arrived.release();
            }
        }

        @Override
        public void onPeer(NodeId peer, boolean up) {
            arrived.release();
        }
    }

    private TransportConfig clientConfig() {
        Map<NodeId, InetSocketAddress> addresses = new TreeMap<>();
        Map<NodeId, PublicKey> keys = new TreeMap<>();
        for (ClusterConfig.ReplicaInfo replica : config.replicas()) {
            addresses.put(
                    NodeId.replica(replica.id()), InetSocketAddress.createUnresolved(replica.host(), replica.port()));
            keys.put(NodeId.replica(replica.id()), replica.publicKey());
        }
        keys.put(NodeId.client(0), publicKey(NodeId.client(0)));
        return TransportConfig.client(NodeId.client(0), privateKey(NodeId.client(0)), addresses, keys);
    }

    static PublicKey publicKey(NodeId node) {
        return new Ed25519().signer(privateKey(node)).publicKey();
    }

    static Bytes privateKey(NodeId node) {
        byte[] seed = new byte[Ed25519.PRIVATE_KEY_SIZE];
        seed[0] = (byte) (node.index() + 1);
        seed[1] = (byte) (node.isReplica() ? 1 : 2);
        return Bytes.wrap(seed);
    }
}
