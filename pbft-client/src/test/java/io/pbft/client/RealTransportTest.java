package io.pbft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client over real connections, with replicas behind them that answer by {@link FakeNetwork}, and one that misbehaves. */
@Timeout(120)
class RealTransportTest {
    private static final NodeId CLIENT = NodeId.client(0);

    private final TestCluster paper = new TestCluster(4);
    private final CountDownLatch connected = new CountDownLatch(4);
    private final List<Transport> transports = new ArrayList<>();

    @AfterEach
    void closeAll() {
        transports.forEach(Transport::close);
    }

    /** Replicas that listen on ports of the system's choice; the configuration says which. */
    private ClusterConfig listen(FakeNetwork replicas) {
        List<ClusterConfig.ReplicaInfo> infos = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int replica = i;
            Transport transport = new Transport(
                    TransportConfig.replica(
                            NodeId.replica(i),
                            TestCluster.replicaKey(i),
                            new InetSocketAddress("127.0.0.1", 0),
                            Map.of(),
                            keys()),
                    new FrameHandler() {
                        @Override
                        public void onFrame(Inbound from, Bytes frame) {
                            assertThat(replicas.send(replica, frame)).isTrue();
                        }

                        @Override
                        public void onPeer(NodeId peer, boolean up) {
                            connected.countDown();
                        }
                    });
            transport.start();
            transports.add(transport);
            ClusterConfig.ReplicaInfo info = paper.config().replicas().get(i);
            infos.add(new ClusterConfig.ReplicaInfo(
                    i, "127.0.0.1", transport.listenAddress().getPort(), info.publicKey()));
        }
        replicas.start(new Network.Listener() {
            @Override
            public void onFrame(int replica, Bytes frame) {
                // Who is not connected yet, or any more, is not answered, as it would be.
                transports.get(replica).send(CLIENT, Lane.BULK, frame);
            }

            @Override
            public void onConnection(int replica, boolean up) {}
        });
        return new ClusterConfig(
                paper.config().clusterId(),
                infos,
                paper.config().clients(),
                paper.config().parameters());
    }

    private Map<NodeId, PublicKey> keys() {
        Map<NodeId, PublicKey> keys = new TreeMap<>();
        keys.put(CLIENT, paper.config().key(CLIENT));
        for (int i = 0; i < 4; i++) {
            keys.put(NodeId.replica(i), paper.config().key(NodeId.replica(i)));
        }
        return keys;
    }

    @Test
    void operationsAndReadsGoThroughWhileOneReplicaLiesAndFloods() throws InterruptedException {
        FakeNetwork replicas = new FakeNetwork(paper).withLiar(1);
        ClientConfig config = ClientConfig.of(listen(replicas), 0, TestCluster.clientKey(0));
        SplittableRandom random = new SplittableRandom(7);
        try (PbftClient client = PbftClient.connect(config)) {
            connected.await();
            for (int i = 0; i < 50; i++) {
                Bytes operation = Bytes.utf8("operation " + i);
                assertThat(client.call(operation).result()).isEqualTo(TestCluster.reverse(operation));
                assertThat(client.query(operation, ReadMode.FAST).result()).isEqualTo(TestCluster.reverse(operation));
                for (int j = 0; j < 100; j++) {
                    byte[] garbage = new byte[1 + random.nextInt(2_000)];
                    random.nextBytes(garbage);
                    garbage[0] = (byte) random.nextInt(40);
                    assertThat(transports.get(1).send(CLIENT, Lane.BULK, Bytes.wrap(garbage)))
                            .isTrue();
                }
            }
        }
    }

    @Test
    void aReplicaThatGoesAwayIsNotMissed() {
        FakeNetwork replicas = new FakeNetwork(paper);
        ClientConfig config = ClientConfig.of(listen(replicas), 0, TestCluster.clientKey(0));
        try (PbftClient client = PbftClient.connect(config)) {
            Bytes operation = Bytes.utf8("operation");
            assertThat(client.call(operation).seq()).isEqualTo(1);
            replicas.withMute(0);
            transports.get(0).close();
            assertThat(client.call(operation).seq()).isEqualTo(2);
            assertThat(client.query(operation, ReadMode.FAST).result()).isEqualTo(TestCluster.reverse(operation));
        }
    }

    @Test
    void replicasWithOtherKeysThanTheConfigurationsAreNotTalkedTo() {
        ClusterConfig real = listen(new FakeNetwork(paper));
        List<ClusterConfig.ReplicaInfo> swapped = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            swapped.add(new ClusterConfig.ReplicaInfo(
                    i,
                    "127.0.0.1",
                    real.replicas().get((i + 1) % 4).port(),
                    real.replicas().get(i).publicKey()));
        }
        ClusterConfig wrong = new ClusterConfig(real.clusterId(), swapped, real.clients(), real.parameters());
        ClientConfig config = ClientConfig.of(wrong, 0, TestCluster.clientKey(0));
        try (PbftClient client = PbftClient.connect(config)) {
            assertThatThrownBy(() -> PbftClient.await(client.submit(Bytes.utf8("x"), Duration.ofMillis(500))))
                    .isInstanceOf(NotSentException.class);
            assertThat(client.report().join().heldBytes()).isZero();
        }
    }
}
