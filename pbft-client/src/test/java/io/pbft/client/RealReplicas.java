package io.pbft.client;

import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.NodeId;
import io.pbft.transport.FrameHandler;
import io.pbft.transport.Inbound;
import io.pbft.transport.Lane;
import io.pbft.transport.Transport;
import io.pbft.transport.TransportConfig;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;

/** Four replicas behind real connections, which answer by {@link FakeNetwork}; what one of them sends can be replaced. */
final class RealReplicas implements AutoCloseable {
    static final NodeId CLIENT = NodeId.client(0);

    /** Stands between a faulty replica and its connection: sends what it likes instead of {@code frame}. */
    interface Mouth {
        void send(Bytes frame, RealReplicas replicas);
    }

    private final TestCluster paper = new TestCluster(4);
    private final CountDownLatch connected = new CountDownLatch(4);
    private final List<Transport> transports = new ArrayList<>();
    private final ClusterConfig config;

    /** @param faulty the replica that speaks with {@code mouth} */
    RealReplicas(FakeNetwork replicas, int faulty, Mouth mouth) {
        List<ClusterConfig.ReplicaInfo> infos = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Transport transport = listen(i, replicas);
            transports.add(transport);
            ClusterConfig.ReplicaInfo info = paper.config().replicas().get(i);
            infos.add(new ClusterConfig.ReplicaInfo(
                    i, "127.0.0.1", transport.listenAddress().getPort(), info.publicKey()));
        }
        replicas.start(new Network.Listener() {
            @Override
            public void onFrame(int replica, Bytes frame) {
                if (replica == faulty) {
                    mouth.send(frame, RealReplicas.this);
                } else {
                    send(replica, frame);
                }
            }

            @Override
            public void onConnection(int replica, boolean up) {}
        });
        config = new ClusterConfig(
                paper.config().clusterId(),
                infos,
                paper.config().clients(),
                paper.config().parameters());
    }

    static RealReplicas correct(FakeNetwork replicas) {
        return new RealReplicas(replicas, -1, (frame, all) -> {});
    }

    private Transport listen(int replica, FakeNetwork replicas) {
        Transport transport = new Transport(
                TransportConfig.replica(
                        NodeId.replica(replica),
                        TestCluster.replicaKey(replica),
                        new InetSocketAddress("127.0.0.1", 0),
                        Map.of(),
                        keys()),
                new FrameHandler() {
                    @Override
                    public void onFrame(Inbound from, Bytes frame) {
                        replicas.send(replica, frame);
                    }

                    @Override
                    public void onPeer(NodeId peer, boolean up) {
                        connected.countDown();
                    }
                });
        transport.start();
        return transport;
    }

    private Map<NodeId, PublicKey> keys() {
        Map<NodeId, PublicKey> keys = new TreeMap<>();
        keys.put(CLIENT, paper.config().key(CLIENT));
        for (int i = 0; i < 4; i++) {
            keys.put(NodeId.replica(i), paper.config().key(NodeId.replica(i)));
        }
        return keys;
    }

    ClusterConfig config() {
        return config;
    }

    ClientConfig client() {
        return ClientConfig.of(config, 0, TestCluster.clientKey(0));
    }

    /** Who is not connected yet, or any more, is not answered, as it would be. */
    void send(int replica, Bytes frame) {
        transports.get(replica).send(CLIENT, Lane.BULK, frame);
    }

    void awaitConnections() throws InterruptedException {
        connected.await();
    }

    void stop(int replica) {
        transports.get(replica).close();
    }

    @Override
    public void close() {
        transports.forEach(Transport::close);
    }
}
