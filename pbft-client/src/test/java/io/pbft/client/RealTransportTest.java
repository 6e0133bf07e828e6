package io.pbft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.ClusterConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client over real connections, with replicas behind them that answer by {@link FakeNetwork}, and one that misbehaves. */
@Timeout(120)
class RealTransportTest {
    private final TestCluster paper = new TestCluster(4);

    @Test
    void operationsAndReadsGoThroughWhileOneReplicaLiesAndFloods() throws InterruptedException {
        FakeNetwork replicas = new FakeNetwork(paper).withLiar(1);
        SplittableRandom random = new SplittableRandom(7);
        try (RealReplicas real = RealReplicas.correct(replicas);
                PbftClient client = PbftClient.connect(real.client())) {
            real.awaitConnections();
            for (int i = 0; i < 50; i++) {
                Bytes operation = Bytes.utf8("operation " + i);
                assertThat(client.call(operation).result()).isEqualTo(TestCluster.reverse(operation));
                assertThat(client.query(operation, ReadMode.FAST).result()).isEqualTo(TestCluster.reverse(operation));
                for (int j = 0; j < 100; j++) {
                    byte[] garbage = new byte[1 + random.nextInt(2_000)];
                    random.nextBytes(garbage);
                    garbage[0] = (byte) random.nextInt(40);
                    real.send(1, Bytes.wrap(garbage));
                }
            }
        }
    }

    @Test
    void aReplicaThatGoesAwayIsNotMissed() {
        FakeNetwork replicas = new FakeNetwork(paper);
        try (RealReplicas real = RealReplicas.correct(replicas);
                PbftClient client = PbftClient.connect(real.client())) {
            Bytes operation = Bytes.utf8("operation");
            assertThat(client.call(operation).seq()).isEqualTo(1);
            replicas.withMute(0);
            real.stop(0);
            assertThat(client.call(operation).seq()).isEqualTo(2);
            assertThat(client.query(operation, ReadMode.FAST).result()).isEqualTo(TestCluster.reverse(operation));
        }
    }

    @Test
    void replicasWithOtherKeysThanTheConfigurationsAreNotTalkedTo() {
        try (RealReplicas replicas = RealReplicas.correct(new FakeNetwork(paper))) {
            ClusterConfig real = replicas.config();
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
}
