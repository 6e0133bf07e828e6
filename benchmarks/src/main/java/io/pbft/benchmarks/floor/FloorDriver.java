package io.pbft.benchmarks.floor;

import io.pbft.benchmarks.Driver;
import io.pbft.client.ClientConfig;
import io.pbft.client.core.Config;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Limits;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Reply;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.transport.FrameHandler;
import io.pbft.transport.Inbound;
import io.pbft.transport.Lane;
import io.pbft.transport.Transport;
import io.pbft.transport.TransportConfig;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Clients of a {@link FloorServer}. Like a client of the replicated service each of them has a few signed requests in flight,
 * lets operations gather for the next one meanwhile, and believes a reply only with a valid signature.
 */
public final class FloorDriver implements Driver {
    private static final int CONNECT_SECONDS_MAX = 60;
    private static final NodeId SERVER = NodeId.replica(0);

    private final List<Client> clients = new ArrayList<>();
    private volatile int identities = 1;

    public FloorDriver(Path directory, int identities) throws InterruptedException {
        for (int i = 0; i < identities; i++) {
            clients.add(new Client(ClientConfig.fromDirectory(directory, i)));
        }
        for (Client client : clients) {
            client.transport.start();
        }
        for (Client client : clients) {
            if (!client.connected.await(CONNECT_SECONDS_MAX, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the server does not answer; see its log");
            }
        }
    }

    @Override
    public void prepare(int workers, int among) {
        identities = among;
        put(0, Bytes.EMPTY).join();
    }

    @Override
    public CompletableFuture<?> put(int worker, Bytes value) {
        return clients.get(worker % identities).submit(new KvOperation.Put(Driver.key(worker), value).encode());
    }

    @Override
    public void close() {
        clients.forEach(Client::close);
    }

    /** An operation and what is told of its end. */
    private record Call(Bytes operation, CompletableFuture<Bytes> done) {}

    private static final class Client implements FrameHandler {
        private final int id;
        private final Sealer sealer;
        private final Verifier verifier;
        private final Transport transport;
        private final CountDownLatch connected = new CountDownLatch(1);
        private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
            Thread own = new Thread(task, "floor-client");
            own.setDaemon(true);
            return own;
        });
        private final long epoch = System.currentTimeMillis() << 20;

        // The thread's own.
        private final Deque<Call> waiting = new ArrayDeque<>();
        private final Map<Long, Call> inFlight = new HashMap<>();
        private final TreeMap<Long, Integer> bundles = new TreeMap<>();
        private long next = 1;

        Client(ClientConfig config) {
            this.id = config.clientId();
            ClusterConfig cluster = config.cluster();
            NodeId self = NodeId.client(id);
            Ed25519 scheme = new Ed25519();
            this.sealer = new Sealer(cluster.clusterId(), self, scheme.signer(config.privateKey()));
            this.verifier = new Verifier(VerifierContext.of(cluster).withSelf(self), scheme, 1_024);
            ClusterConfig.ReplicaInfo server = cluster.replicas().get(SERVER.index());
            Map<NodeId, PublicKey> keys = new TreeMap<>(Map.of(SERVER, server.publicKey(), self, cluster.key(self)));
            Map<NodeId, InetSocketAddress> addresses =
                    Map.of(SERVER, InetSocketAddress.createUnresolved(server.host(), server.port()));
            this.transport = new Transport(
                    TransportConfig.client(self, config.privateKey(), new TreeMap<>(addresses), keys), this);
        }

        CompletableFuture<Bytes> submit(Bytes operation) {
            CompletableFuture<Bytes> done = new CompletableFuture<>();
            thread.execute(() -> {
                waiting.add(new Call(operation, done));
                send();
            });
            return done;
        }

        private void send() {
            if (bundles.size() >= Config.BUNDLES || waiting.isEmpty()) {
                return;
            }
            List<Bytes> operations = new ArrayList<>();
            long first = next;
            int bytes = 0;
            while (!waiting.isEmpty()
                    && operations.size() < Limits.REQUEST_OPERATIONS_MAX
                    && bytes + waiting.element().operation().size() <= Limits.REQUEST_BYTES_MAX) {
                Call call = waiting.remove();
                operations.add(call.operation());
                bytes += call.operation().size();
                inFlight.put(next++, call);
            }
            bundles.put(first, operations.size());
            long lowest = bundles.firstKey();
            Request request = new Request(id, epoch, lowest, first, -1, operations);
            transport.send(
                    SERVER,
                    Lane.BULK,
                    Bytes.wrap(Codec.encode(sealer.seal(request).message())));
        }

        @Override
        public void onFrame(Inbound from, Bytes frame) {
            thread.execute(() -> take(from.peer(), frame));
        }

        private void take(NodeId from, Bytes frame) {
            Verdict verdict;
            try {
                verdict = verifier.verify(from, Codec.decode(frame));
            } catch (MalformedMessage e) {
                throw new IllegalStateException("a server of this program sent what is no message", e);
            }
            if (!(verdict instanceof Verdict.Accepted accepted)) {
                throw new IllegalStateException("a server of this program sent a reply that does not hold: " + verdict);
            }
            for (Reply.Item item : accepted.message().message(Reply.class).items()) {
                long number = item.leaf().number();
                Call call = inFlight.remove(number);
                if (call != null) {
                    bundles.computeIfPresent(bundles.floorKey(number), (first, open) -> open == 1 ? null : open - 1);
                    call.done().completeAsync(() -> item.result().orElse(Bytes.EMPTY));
                }
            }
            send();
        }

        @Override
        public void onPeer(NodeId peer, boolean up) {
            if (up) {
                connected.countDown();
            }
        }

        void close() {
            transport.close();
            thread.shutdownNow();
        }
    }
}
