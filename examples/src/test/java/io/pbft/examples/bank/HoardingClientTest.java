package io.pbft.examples.bank;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.client.ClientConfig;
import io.pbft.client.PbftClient;
import io.pbft.client.kv.KvClient;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Reply;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.replica.kv.KvStateMachine;
import io.pbft.transport.FrameHandler;
import io.pbft.transport.Inbound;
import io.pbft.transport.Lane;
import io.pbft.transport.Transport;
import io.pbft.transport.TransportConfig;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An authorised client that asks for large results and never says that it has one. */
@Timeout(180)
class HoardingClientTest {
    private static final int HOARDER = 1;
    private static final int VALUE_BYTES = 64 << 10;

    /** Each of two clients may keep a quarter of it. */
    private static final int RESULT_BYTES_MAX = 16 * VALUE_BYTES;

    private static final Bytes KEY = Bytes.utf8("large");

    @TempDir
    private Path directory;

    @Test
    void itsRoomEndsAndTheOthersGoOn() throws Exception {
        try (LocalCluster cluster = new LocalCluster(directory, 2, KvStateMachine::new, parameters());
                PbftClient client = PbftClient.connect(cluster.client(0));
                Hoarder hoarder = new Hoarder(cluster.client(HOARDER))) {
            KvClient honest = new KvClient(client);
            Bytes large = Bytes.wrap(new byte[VALUE_BYTES]);
            honest.put(KEY, large);

            Map<Outcome, Integer> outcomes = new EnumMap<>(Outcome.class);
            for (int i = 0; i < RESULT_BYTES_MAX / VALUE_BYTES; i++) {
                outcomes.merge(hoarder.ask(), 1, Integer::sum);
                assertThat(honest.increment(Bytes.utf8("count"), 1)).isEqualTo(i + 1L);
                assertThat(honest.get(KEY)).contains(large);
            }
            // A result is a little larger than the value in it.
            int room = RESULT_BYTES_MAX / 4 / VALUE_BYTES - 1;
            assertThat(outcomes)
                    .containsOnlyKeys(Outcome.EXECUTED, Outcome.RESULTS_FULL)
                    .containsEntry(Outcome.EXECUTED, room);
        }
    }

    private static ProtocolParameters parameters() {
        ProtocolParameters p = ProtocolParameters.DEFAULT;
        return new ProtocolParameters(
                p.checkpointInterval(),
                p.window(),
                p.pipelineDepth(),
                p.batchOperationsMax(),
                p.batchBytesMax(),
                p.tickMillis(),
                p.requestTimeoutMillis(),
                p.disconnectedTimeoutMillis(),
                p.fairnessTimeoutMillis(),
                p.viewChangeTimeoutMillis(),
                p.viewChangeTimeoutMaxMillis(),
                p.statusIntervalMillis(),
                p.clockSkewMillis(),
                p.sessionWindow(),
                p.sessionsPerClient(),
                RESULT_BYTES_MAX);
    }

    /** Speaks for a client without the library, which acknowledges what it has. */
    private static final class Hoarder implements AutoCloseable {
        private final ClusterConfig cluster;
        private final Verifier verifier;
        private final Sealer sealer;
        private final Transport transport;
        private final BlockingQueue<Reply> replies = new LinkedBlockingQueue<>();
        private final long epoch = System.currentTimeMillis() << 20;
        private long number;

        Hoarder(ClientConfig config) {
            NodeId self = NodeId.client(HOARDER);
            Bytes key = config.privateKey();
            this.cluster = config.cluster();
            this.verifier = new Verifier(cluster, new Ed25519(), 1_000);
            this.sealer = new Sealer(cluster.clusterId(), self, new Ed25519().signer(key));
            Map<NodeId, InetSocketAddress> addresses = new TreeMap<>();
            Map<NodeId, PublicKey> keys = new TreeMap<>();
            keys.put(self, cluster.key(self));
            for (ClusterConfig.ReplicaInfo replica : cluster.replicas()) {
                NodeId node = NodeId.replica(replica.id());
                addresses.put(node, InetSocketAddress.createUnresolved(replica.host(), replica.port()));
                keys.put(node, replica.publicKey());
            }
            this.transport = new Transport(TransportConfig.client(self, key, addresses, keys), new FrameHandler() {
                @Override
                public void onFrame(Inbound from, Bytes frame) {
                    if (verifier.verify(from.peer(), Codec.decode(frame)) instanceof Verdict.Accepted accepted
                            && accepted.message().message() instanceof Reply reply) {
                        replies.add(reply);
                    }
                }

                @Override
                public void onPeer(NodeId peer, boolean up) {
                    // What is not answered is sent again.
                }
            });
            transport.start();
        }

        /** What f + 1 replicas made of one operation more, with all before still said to be wanted. */
        Outcome ask() throws InterruptedException {
            number++;
            Request request = new Request(HOARDER, epoch, 1, number, -1, List.of(new KvOperation.Get(KEY).encode()));
            Bytes frame = Bytes.wrap(Codec.encode(sealer.seal(request).message()));
            Map<Outcome, TreeSet<Integer>> told = new EnumMap<>(Outcome.class);
            while (true) {
                for (ClusterConfig.ReplicaInfo replica : cluster.replicas()) {
                    transport.send(NodeId.replica(replica.id()), Lane.BULK, frame);
                }
                Reply reply = replies.poll(500, TimeUnit.MILLISECONDS);
                while (reply != null) {
                    int replica = reply.root().statement().replica();
                    for (Reply.Item item : reply.items()) {
                        if (item.leaf().number() == number) {
                            Outcome outcome = item.leaf().outcome();
                            told.computeIfAbsent(outcome, any -> new TreeSet<>())
                                    .add(replica);
                            if (told.get(outcome).size() == cluster.quorum().weak()) {
                                return outcome;
                            }
                        }
                    }
                    reply = replies.poll(500, TimeUnit.MILLISECONDS);
                }
            }
        }

        @Override
        public void close() {
            transport.close();
        }
    }
}
