package io.pbft.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Message;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.Refusal;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One faulty replica of four against a client, over real connections. Whatever it sends, the application sees the right results
 * and no error. What it sends is, each time, made from what a correct replica would have sent.
 */
@Timeout(120)
class ByzantineReplicaTest {
    private static final int FAULTY = 1;
    private static final int OPERATIONS = 25;
    private static final int FLOOD = 300;

    private static final TestCluster CLUSTER = new TestCluster(4);
    private static final TestCluster OTHER_CLUSTER = new TestCluster(4, "another cluster");

    /** What the replica does with its answer. */
    enum Attack {
        /** Says that it is far ahead, in a view that would make it the primary. */
        FUTURE_VIEW {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                return honest instanceof Reply reply
                        ? List.of(rooted(
                                reply,
                                new ReplyRoot(
                                        4_000_001,
                                        root(reply).root(),
                                        root(reply).leaves(),
                                        FAULTY)))
                        : List.of(honest);
            }
        },
        /** Answers everything with what it said first. */
        REPLAY {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                return before;
            }
        },
        /** Signs with its own key in the name of another. */
        IN_ANOTHERS_NAME {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                if (honest instanceof Reply reply) {
                    ReplyRoot root = root(reply);
                    ReplyRoot forged = new ReplyRoot(root.view(), root.root(), root.leaves(), 2);
                    return List.of(new Reply(new Signed<>(forged, reply.root().signature()), reply.items()));
                }
                return List.of(honest);
            }
        },
        /** A lie about the result under a signature that is good, and a path that does not lead to the lie. */
        WRONG_PATH {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                return honest instanceof Reply reply ? List.of(changed(reply, Change.PATH)) : List.of(honest);
            }
        },
        /** The right leaf with bytes that do not have its digest. */
        WRONG_BYTES {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                return honest instanceof Reply reply ? List.of(changed(reply, Change.BYTES)) : List.of(honest);
            }
        },
        /** Everything right, signed for another cluster with the same keys. */
        OTHER_CLUSTER_ID {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                if (honest instanceof Reply reply) {
                    return List.of(new Reply(
                            OTHER_CLUSTER.sealer(FAULTY).seal(root(reply)).message(), reply.items()));
                }
                return List.of(honest);
            }
        },
        /** Reads answered with old results, of no write at all. */
        STALE_READS {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                if (honest instanceof ReadReply read) {
                    Bytes old = Bytes.utf8("what was there before");
                    return List.of(new ReadReply(read.nonce(), 0, 1, read.outcome(), Digest.of(old), Optional.of(old)));
                }
                return List.of(honest);
            }
        },
        /** Refuses everything, as overloaded and as a session that it does not know. */
        REFUSE {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                if (honest instanceof Reply reply) {
                    long epoch = reply.items().get(0).leaf().epoch();
                    long number = reply.items().get(0).leaf().number();
                    return List.of(
                            new Refusal(epoch, number, Refusal.Reason.OVERLOADED),
                            new Refusal(epoch, number, Refusal.Reason.SESSION_EXPIRED));
                }
                return List.of();
            }
        },
        /** Valid messages of no use, and its answer many times over. */
        FLOOD {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                List<Message> flood = new ArrayList<>();
                for (int i = 0; i < ByzantineReplicaTest.FLOOD; i++) {
                    flood.add(i % 2 == 0 ? new Status(i, false, i, 0, true) : honest);
                }
                return flood;
            }
        },
        /** Its answer many times over, with signatures that each have to be looked at. */
        FORGED_FLOOD {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                if (!(honest instanceof Reply reply)) {
                    return List.of(honest);
                }
                List<Message> flood = new ArrayList<>();
                for (int i = 0; i < ByzantineReplicaTest.FLOOD; i++) {
                    byte[] forged = reply.root().signature().toByteArray();
                    forged[0] ^= (byte) (1 + i % 255);
                    flood.add(new Reply(
                            new Signed<>(root(reply), Signature.copyOf(forged, 0, forged.length)), reply.items()));
                }
                return flood;
            }
        },
        /** Says nothing at all, over a connection that is kept up. */
        MUTE {
            @Override
            List<Message> instead(Message honest, List<Message> before) {
                return List.of();
            }
        };

        abstract List<Message> instead(Message honest, List<Message> before);
    }

    private enum Change {
        PATH,
        BYTES
    }

    private static ReplyRoot root(Reply reply) {
        return reply.root().statement();
    }

    private static Reply rooted(Reply reply, ReplyRoot root) {
        return new Reply(CLUSTER.sealer(FAULTY).seal(root).message(), reply.items());
    }

    private static Reply changed(Reply reply, Change change) {
        List<Reply.Item> items = new ArrayList<>();
        for (Reply.Item item : reply.items()) {
            List<Digest> path = new ArrayList<>(item.path());
            if (change == Change.PATH) {
                path.set(0, Digest.of(Bytes.utf8("a lie")));
            }
            Optional<Bytes> result = change == Change.BYTES ? Optional.of(Bytes.utf8("a lie")) : item.result();
            items.add(new Reply.Item(item.leaf(), result, item.index(), path));
        }
        return new Reply(reply.root(), items);
    }

    @ParameterizedTest
    @EnumSource(Attack.class)
    void theApplicationDoesNotNotice(Attack attack) throws InterruptedException {
        AtomicInteger changed = new AtomicInteger();
        List<Message> before = new ArrayList<>();
        RealReplicas.Mouth mouth = (frame, replicas) -> {
            Message honest = Codec.decode(frame);
            if (before.isEmpty()) {
                before.add(honest);
            }
            List<Message> sent = attack.instead(honest, before);
            changed.addAndGet(sent.equals(List.of(honest)) ? 0 : 1);
            sent.forEach(message -> replicas.send(FAULTY, Bytes.wrap(Codec.encode(message))));
        };
        try (RealReplicas replicas = new RealReplicas(new FakeNetwork(CLUSTER), FAULTY, mouth);
                PbftClient client = PbftClient.connect(replicas.client())) {
            replicas.awaitConnections();
            work(client);
            assertThat(client.report().join().view())
                    .as("f replicas move nobody's view")
                    .isZero();
        }
        assertThat(changed).as("the attack happened").hasPositiveValue();
    }

    private static void work(PbftClient client) {
        for (int i = 0; i < OPERATIONS; i++) {
            Bytes operation = Bytes.utf8("operation " + i);
            io.pbft.client.Reply written = client.call(operation);
            assertThat(written.result()).isEqualTo(TestCluster.reverse(operation));
            assertThat(written.receipt().orElseThrow().verify(CLUSTER.config(), TestCluster.SCHEME))
                    .isEqualTo(new Receipt.Verdict(true, ""));
            for (ReadMode mode : ReadMode.values()) {
                assertThat(client.query(operation, mode).result()).isEqualTo(TestCluster.reverse(operation));
            }
        }
    }

    /** It accepts every connection, and sends bytes without end that are no TLS, or closes at once, in turn. */
    @Test
    void endlessConnectionsToWhatIsNoReplicaAreNotNoticed() throws Exception {
        AtomicInteger accepted = new AtomicInteger();
        Thread stranger;
        try (ServerSocket socket = new ServerSocket(0, 16, InetAddress.getByName("127.0.0.1"));
                RealReplicas replicas = RealReplicas.correct(new FakeNetwork(CLUSTER).withMute(FAULTY))) {
            stranger = new Thread(() -> babble(socket, accepted), "stranger");
            stranger.start();
            List<ClusterConfig.ReplicaInfo> infos =
                    new ArrayList<>(replicas.config().replicas());
            infos.set(
                    FAULTY,
                    new ClusterConfig.ReplicaInfo(
                            FAULTY,
                            "127.0.0.1",
                            socket.getLocalPort(),
                            infos.get(FAULTY).publicKey()));
            ClusterConfig config = new ClusterConfig(
                    replicas.config().clusterId(),
                    infos,
                    replicas.config().clients(),
                    replicas.config().parameters());
            try (PbftClient client = PbftClient.connect(ClientConfig.of(config, 0, TestCluster.clientKey(0)))) {
                while (accepted.get() < 4) {
                    work(client);
                }
            }
        }
        stranger.join();
    }

    private static void babble(ServerSocket socket, AtomicInteger accepted) {
        byte[] nonsense = new byte[64 << 10];
        while (!socket.isClosed()) {
            try (Socket connection = socket.accept()) {
                while (accepted.incrementAndGet() % 2 == 0) {
                    connection.getOutputStream().write(nonsense);
                }
            } catch (IOException e) {
                // The client has closed this connection, or the test the socket: on to the next one, or the end.
                accepted.incrementAndGet();
            }
        }
    }
}
