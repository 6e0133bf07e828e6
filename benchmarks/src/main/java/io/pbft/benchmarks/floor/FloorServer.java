package io.pbft.benchmarks.floor;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.LmdbStateStore;
import io.pbft.checkpoint.SegmentJournal;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signer;
import io.pbft.protocol.Batch;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.replica.Operation;
import io.pbft.replica.ReplySealer;
import io.pbft.replica.core.Effect;
import io.pbft.replica.kv.KvStateMachine;
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
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The key-value service on one server that is not replicated: the floor under what replication costs. All else is as in a
 * replica: TLS, signed and verified requests, a synchronous journal with group commit, the state with its checkpoints, one
 * signature for the replies of a batch. There is no agreement, and no protection against a request that comes twice.
 *
 * <p>It goes by the keys and the address of replica 0.
 *
 * <pre>
 *   network -> verify -> core: gather, append -> journal -> core: apply -> replies: sign -> network
 * </pre>
 */
public final class FloorServer implements FrameHandler, AutoCloseable {
    private static final NodeId SELF = NodeId.replica(0);
    private static final int CACHE_ENTRIES = 50_000;

    private final KvStateMachine service = new KvStateMachine();
    private final Verifier verifier;
    private final ReplySealer replySealer;
    private final int checkpointInterval;
    private final int batchOperationsMax;
    private final int pipelineDepth;
    private final ExecutorService verifying = Executors.newSingleThreadExecutor(task -> daemon(task, "floor-verify"));
    private final ExecutorService core = Executors.newSingleThreadExecutor(task -> daemon(task, "floor-core"));
    private final ExecutorService replies = Executors.newSingleThreadExecutor(task -> daemon(task, "floor-replies"));
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final SegmentJournal journal;
    private final LmdbStateStore store;
    private final Transport transport;

    // The core thread's own.
    private final Deque<Signed<Request>> waiting = new ArrayDeque<>();
    private long seq;
    private int inFlight;

    /**
     * Starts it.
     *
     * @param folder with the private key of replica 0; journal and state are made in it
     */
    public FloorServer(ClusterConfig cluster, Path folder) {
        Bytes privateKey = KeyFiles.readPrivate(folder.resolve("key.pem"));
        Ed25519 scheme = new Ed25519();
        Signer signer = scheme.signer(privateKey);
        this.verifier = new Verifier(VerifierContext.of(cluster).withSelf(SELF), scheme, CACHE_ENTRIES);
        this.replySealer = new ReplySealer(SELF.index(), new Sealer(cluster.clusterId(), SELF, signer));
        this.checkpointInterval = cluster.parameters().checkpointInterval();
        this.batchOperationsMax = cluster.parameters().batchOperationsMax();
        this.pipelineDepth = cluster.parameters().pipelineDepth();
        this.journal = SegmentJournal.open(folder, this::onCore, failure::set);
        if (!journal.load().isEmpty()) {
            throw new IllegalStateException("this server begins with an empty folder");
        }
        this.store = LmdbStateStore.open(folder, this::onCore, failure::set);
        Map<NodeId, PublicKey> keys = new TreeMap<>();
        keys.put(SELF, cluster.key(SELF));
        for (ClusterConfig.ClientInfo client : cluster.clients()) {
            keys.put(NodeId.client(client.id()), client.publicKey());
        }
        ClusterConfig.ReplicaInfo own = cluster.replicas().get(SELF.index());
        InetSocketAddress address = new InetSocketAddress(own.host(), own.port());
        this.transport =
                new Transport(TransportConfig.replica(SELF, privateKey, address, Map.of(SELF, address), keys), this);
        transport.start();
    }

    /** Why it stopped serving, if it did. */
    public @Nullable Throwable failure() {
        return failure.get();
    }

    private void onCore(Runnable task) {
        try {
            core.execute(() -> guarded(task));
        } catch (RejectedExecutionException e) {
            failure.compareAndSet(null, e);
        }
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
            throw e;
        }
    }

    @Override
    public void onFrame(Inbound from, Bytes frame) {
        verifying.execute(() -> guarded(() -> verify(from.peer(), frame)));
    }

    @Override
    public void onPeer(NodeId peer, boolean up) {
        // Replies to a client that is gone are dropped by the transport.
    }

    private void verify(NodeId from, Bytes frame) {
        try {
            if (verifier.verify(from, Codec.decode(frame)) instanceof Verdict.Accepted accepted) {
                Signed<Request> request = accepted.message().signed(Request.class);
                onCore(() -> {
                    waiting.add(request);
                    propose();
                });
            }
        } catch (MalformedMessage e) {
            // What is not a message is not answered.
            return;
        }
    }

    /** Everything that waits becomes one batch, unless as many are under way as a primary would have. */
    private void propose() {
        if (waiting.isEmpty() || inFlight == pipelineDepth) {
            return;
        }
        List<Signed<Request>> requests = new ArrayList<>();
        int operations = 0;
        while (!waiting.isEmpty() && operations < batchOperationsMax) {
            Signed<Request> next = waiting.remove();
            requests.add(next);
            operations += next.statement().operations().size();
        }
        Batch batch = new Batch(System.currentTimeMillis(), requests);
        long number = ++seq;
        inFlight++;
        journal.append(
                () -> List.of(new JournalEntry(JournalEntry.Kind.PROPOSAL, number, 0, Bytes.wrap(Codec.encode(batch)))),
                () -> execute(number, batch));
    }

    private void execute(long number, Batch batch) {
        inFlight--;
        List<Effect.Answer> answers = new ArrayList<>();
        for (Signed<Request> signed : batch.requests()) {
            Request request = signed.statement();
            for (int i = 0; i < request.operations().size(); i++) {
                Bytes payload = request.operations().get(i);
                Bytes result = service.apply(
                        new Operation(payload, request.client(), number, batch.timeMillis(), Digest.ZERO),
                        store.state());
                answers.add(new Effect.Answer(
                        request.client(),
                        request.epoch(),
                        request.first() + i,
                        number,
                        batch.timeMillis(),
                        Digest.of(payload),
                        Outcome.EXECUTED,
                        result,
                        true));
            }
        }
        replies.execute(() -> guarded(() -> replySealer.seal(
                new Effect.Reply(0, answers),
                (client, reply) -> transport.send(client, Lane.BULK, Bytes.wrap(Codec.encode(reply))))));
        if (number % checkpointInterval == 0) {
            store.checkpoint(number, Map.of(), root -> {
                journal.truncate(number);
                store.release(number, Set.of());
            });
        }
        propose();
    }

    @Override
    public void close() {
        transport.close();
        verifying.shutdownNow();
        journal.close();
        store.close();
        core.shutdownNow();
        replies.shutdownNow();
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }
}
