package io.pbft.replica.server;

import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signer;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.ConfigException;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.replica.DriverListener;
import io.pbft.replica.Outbox;
import io.pbft.replica.ReplicaDriver;
import io.pbft.replica.StateMachine;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Event;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.Replica;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.transport.FrameHandler;
import io.pbft.transport.Inbound;
import io.pbft.transport.Transport;
import io.pbft.transport.TransportConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A replica as it runs in a process: disk, network and threads around a driver and its core.
 *
 * <p>It halts by itself when its disk fails or when something of its own is not as it must be: it then sends nothing
 * more, says why in one line of the log and in {@link #status}, and calls {@link ServerOptions#onHalt}. It does not
 * exit the process.
 *
 * <p>Thread-safe.
 */
public final class ReplicaServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaServer.class);

    /** Valid signatures that the verifier remembers, some 250 bytes each. */
    private static final int VERIFIER_CACHE_ENTRIES = 50_000;

    /** Batches whose replies wait for their signature. */
    private static final int REPLIES_WAITING_MAX = 128;

    private static final long CLOSE_MILLIS_MAX = 10_000;

    private final int id;
    private final ReplicaFolder folder;
    private final String name;
    private final String signatures;
    private final ServerOptions options;
    private final long startedNanos = System.nanoTime();
    private final Counters counters = new Counters();
    private final Admission admission = new Admission();
    private final Inbox inbox = new Inbox();
    private final ConcurrentSkipListSet<Integer> connected = new ConcurrentSkipListSet<>();
    private final EvidenceFolder evidence;
    private final RejoinMark rejoinMark;
    private final Journal journal;
    private final DiskWatch diskWatch;
    private final TransportOutbox outbox;
    private final Transport transport;
    private final VerifierPool verifiers;
    private final ExecutorService replies;
    private final ReplicaDriver driver;
    private final CoreLoop loop;
    private final Thread coreThread;
    private final ServerMetrics metrics;
    private final AdminEndpoint admin;

    /** What was opened, the last first: closed in this order. */
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    private volatile boolean closing;
    private volatile @Nullable Throwable haltCause;

    /**
     * Starts replica {@code id}, which serves once this returns.
     *
     * @param folder the replica's own folder, with its key: {@link ReplicaFolder}
     * @throws ConfigException when there is no such replica, or its folder or key is not as it must be
     * @throws KeyFiles.KeyFileException when its key cannot be read or trusted
     * @throws StorageFailure when its disk does not hold what it must
     * @throws io.pbft.transport.TransportException when it cannot listen
     */
    public static ReplicaServer start(
            ClusterConfig config, int id, Path folder, StateMachine stateMachine, ServerOptions options) {
        return start(config, id, new ReplicaFolder(folder), stateMachine, options, Storage.ON_DISK);
    }

    static ReplicaServer start(
            ClusterConfig config,
            int id,
            ReplicaFolder folder,
            StateMachine stateMachine,
            ServerOptions options,
            Storage storage) {
        if (!config.has(NodeId.replica(id))) {
            throw new ConfigException(
                    "cluster configuration",
                    "replicas",
                    "there is no replica " + id + "; expected 0 to "
                            + (config.replicas().size() - 1));
        }
        folder.requireFolder();
        return new ReplicaServer(config, id, folder, stateMachine, options, storage);
    }

    private ReplicaServer(
            ClusterConfig cluster,
            int id,
            ReplicaFolder folder,
            StateMachine stateMachine,
            ServerOptions options,
            Storage storage) {
        this.id = id;
        this.folder = folder;
        this.name = "pbft-replica-" + id;
        this.options = options;
        this.evidence = new EvidenceFolder(folder.evidence());
        try {
            Bytes privateKey = privateKey(cluster, id, folder);
            Ed25519 scheme = Ed25519.accelerated();
            this.signatures = scheme.accelerator().orElse("Bouncy Castle");
            Signer signer = scheme.signer(privateKey);
            NodeId self = NodeId.replica(id);
            Verifier verifier =
                    new Verifier(VerifierContext.of(cluster).withSelf(self), scheme, VERIFIER_CACHE_ENTRIES);

            this.rejoinMark = new RejoinMark(folder);
            Config config = new Config(id, cluster.quorum(), cluster.clients().size(), cluster.parameters());
            DiskStart.Start start = new DiskStart(id, folder, storage, rejoinMark)
                    .start(config, verifier, options.rejoin(), inbox, this::failed);
            Storage.Opened disk = start.disk();
            this.journal = opened(disk.journal());
            opened(disk.store());
            this.diskWatch = opened(
                    options.scrub().isZero() ? DiskWatch.NONE : storage.watch(disk, options.scrub(), this::failed));

            this.replies = repliesExecutor();
            opened.push(replies::shutdownNow);
            this.verifiers = opened(new VerifierPool(
                    options.verifierThreads(), verifier, admission, inbox, counters, this::failed, name));
            this.transport = opened(new Transport(transportConfig(cluster, self, privateKey), new Frames()));
            OwnVotes ownVotes = new OwnVotes(id, start.recovered());
            this.outbox = new TransportOutbox(id, cluster.replicas().size(), transport::send);
            Sealer sealer = new Sealer(cluster.clusterId(), self, signer);
            Corruption.Parts honest =
                    new Corruption.Parts(new Replica(config, start.recovered()), remembering(ownVotes));
            Corruption.Parts parts = options.corruption()
                    .map(corruption -> corruption.corrupt(config, sealer, honest))
                    .orElse(honest);
            this.driver = new ReplicaDriver(config, parts.core(), seams(sealer, disk, stateMachine, parts.outbox()));
            this.loop = coreLoop(ownVotes, cluster.parameters().tickMillis());
            this.metrics = opened(metrics(disk.journal()));
            this.admin = opened(
                    AdminEndpoint.open(folder.admin(), ProcessHandle.current().pid(), this::status, metrics::scrape));
            this.coreThread = daemon(this::run, name + "-core");
            transport.start();
            coreThread.start();
            announce();
        } catch (IOException e) {
            closeOpened();
            throw new StorageFailure(
                    "cannot write " + folder.admin() + ": " + e
                            + "; the folder must be writable and its disk must have room",
                    e);
        } catch (RuntimeException | Error e) {
            closeOpened();
            throw e;
        }
    }

    private ReplicaDriver.Seams seams(Sealer sealer, Storage.Opened disk, StateMachine application, Outbox out) {
        return new ReplicaDriver.Seams(
                sealer, disk.journal(), disk.store(), application, out, new Listener(), this::reply);
    }

    private CoreLoop coreLoop(OwnVotes ownVotes, int tickMillis) {
        return new CoreLoop(
                driver, guard(ownVotes), inbox, admission, tickMillis, System::nanoTime, System::currentTimeMillis);
    }

    private ServerMetrics metrics(Journal disk) {
        return new ServerMetrics(
                loop::report, loop::transfer, counters, admission, inbox, transport::stats, disk, diskWatch::status);
    }

    private Consumer<Message> guard(OwnVotes ownVotes) {
        // One that is made to lie knows not all that it says.
        return options.corruption().isPresent() ? message -> {} : ownVotes::check;
    }

    private Outbox remembering(OwnVotes ownVotes) {
        return new Outbox() {
            @Override
            public void send(NodeId to, Message message) {
                outbox.send(to, message);
            }

            @Override
            public void broadcast(Message message) {
                ownVotes.sent(message);
                outbox.broadcast(message);
            }
        };
    }

    private void announce() {
        ReplicaReport report = loop.report();
        LOG.info(
                "replica {} serves on {}: view {}, executed up to {}, stable checkpoint {}; signatures by {}",
                id,
                transport.listenAddress(),
                report.view(),
                report.lastExecuted(),
                report.stableCheckpoint(),
                signatures);
    }

    private static Bytes privateKey(ClusterConfig cluster, int id, ReplicaFolder folder) {
        Bytes privateKey = KeyFiles.readPrivate(folder.key());
        PublicKey own = new Ed25519().signer(privateKey).publicKey();
        if (!own.equals(cluster.key(NodeId.replica(id)))) {
            throw new ConfigException(
                    folder.key().toString(),
                    "",
                    "this is not the private key of replica " + id
                            + ": its public key is not the one in the cluster's configuration; take the folder and the"
                            + " configuration from the same cluster");
        }
        return privateKey;
    }

    private static TransportConfig transportConfig(ClusterConfig cluster, NodeId self, Bytes privateKey) {
        Map<NodeId, InetSocketAddress> addresses = new TreeMap<>();
        Map<NodeId, PublicKey> keys = new TreeMap<>();
        for (ClusterConfig.ReplicaInfo replica : cluster.replicas()) {
            NodeId node = NodeId.replica(replica.id());
            addresses.put(node, InetSocketAddress.createUnresolved(replica.host(), replica.port()));
            keys.put(node, replica.publicKey());
        }
        for (ClusterConfig.ClientInfo client : cluster.clients()) {
            keys.put(NodeId.client(client.id()), client.publicKey());
        }
        ClusterConfig.ReplicaInfo own = cluster.replicas().get(self.index());
        return TransportConfig.replica(
                self, privateKey, new InetSocketAddress(own.host(), own.port()), addresses, keys);
    }

    /** What this replica does now, at most some hundred milliseconds old. */
    public ReplicaStatus status() {
        ReplicaReport report = loop.report();
        Throwable cause = haltCause;
        Map<String, Long> events = new TreeMap<>();
        for (io.pbft.replica.core.Event event : io.pbft.replica.core.Event.values()) {
            events.put(event.name(), counters.events(event));
        }
        return new ReplicaStatus(
                id,
                ProcessHandle.current().pid(),
                report.primary() ? "primary" : "backup",
                cause == null ? report.status().name() : "HALTED",
                report.view(),
                report.lastExecuted(),
                report.stableCheckpoint(),
                report.stateRoot().toHex(),
                report.executedOperations(),
                report.logSlots(),
                report.queued(),
                report.viewChanges(),
                java.util.List.copyOf(connected),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedNanos),
                report.ignored(),
                counters.refusedBySender(),
                events,
                diskWatch.status(),
                loop.transfer().orElse(null),
                cause == null ? null : describe(cause));
    }

    /** Where the loopback endpoint listens: see {@link AdminEndpoint}. */
    public int adminPort() {
        return admin.port();
    }

    /** Where other nodes connect. */
    public InetSocketAddress listenAddress() {
        return transport.listenAddress();
    }

    /** Stops serving and closes what is open, in order; what was promised is on disk. May be called twice. */
    @Override
    public void close() {
        synchronized (opened) {
            if (closing) {
                return;
            }
            closing = true;
        }
        outbox.stop();
        inbox.execute(() -> {});
        try {
            coreThread.join(CLOSE_MILLIS_MAX);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        closeOpened();
        LOG.info("replica {} is closed", id);
    }

    private void run() {
        try {
            // The core learns the time before it sees the first message, and so can vouch for the time of the first
            // proposal.
            driver.handle(new Input.Tick(System.currentTimeMillis()));
            outbox.others().forEach(other -> driver.handle(new Input.Absent(other.index())));
            TransferLog transfers = new TransferLog(id);
            while (!closing && !driver.halted()) {
                loop.pass();
                transfers.log(loop.transfer(), System.nanoTime());
            }
        } catch (Throwable cause) {
            driver.halt(cause);
        }
    }

    private void reply(Runnable signing) {
        if (closing) {
            return;
        }
        if (options.verifierThreads() == 0) {
            signing.run();
            return;
        }
        replies.execute(() -> {
            try {
                signing.run();
            } catch (Throwable cause) {
                failed(cause);
            }
        });
    }

    /**
     * One thread; when it cannot keep up, the core's thread signs replies itself, and so executes no faster than they
     * leave.
     */
    private ExecutorService repliesExecutor() {
        return new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(REPLIES_WAITING_MAX),
                task -> daemon(task, name + "-replies"),
                new ThreadPoolExecutor.CallerRunsPolicy());
    }

    private void failed(Throwable cause) {
        inbox.execute(() -> driver.halt(cause));
    }

    private <T extends AutoCloseable> T opened(T resource) {
        opened.push(resource);
        return resource;
    }

    private void closeOpened() {
        while (!opened.isEmpty()) {
            AutoCloseable next = opened.pop();
            try {
                next.close();
            } catch (Exception e) {
                LOG.warn("replica {}: {} did not close", id, next.getClass().getSimpleName(), e);
            }
        }
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    private static String describe(Throwable cause) {
        return cause instanceof StorageFailure ? String.valueOf(cause.getMessage()) : cause.toString();
    }

    private void noteStateDamaged() {
        try {
            folder.setStateDamaged(true);
        } catch (StorageFailure failure) {
            LOG.warn("replica {}: the next start will not know that the state is damaged", id, failure);
        }
    }

    /** Equal to every other of the same connection. */
    private record InboundFlow(Inbound connection) implements Admission.Flow {
        @Override
        public void pause() {
            connection.pauseReading();
        }

        @Override
        public void resume() {
            connection.resumeReading();
        }
    }

    private final class Frames implements FrameHandler {
        @Override
        public void onFrame(Inbound from, Bytes frame) {
            verifiers.submit(from.peer(), frame, new InboundFlow(from));
        }

        @Override
        public void onPeer(NodeId peer, boolean up) {
            if (!peer.isReplica()) {
                return;
            }
            if (up) {
                connected.add(peer.index());
            } else {
                connected.remove(peer.index());
            }
            LOG.debug("replica {}: the connection to {} is {}", id, peer, up ? "up" : "down");
            inbox.execute(() -> driver.handle(new Input.Connection(peer.index(), up)));
        }
    }

    private final class Listener implements DriverListener {
        @Override
        public void note(Effect.Note note) {
            counters.noted(note.event());
            NoteLog.log(id, note);
            if (note.event() == Event.STATUS_CHANGED
                    && driver.report().status() != ReplicaReport.Status.REJOINING
                    && rejoinMark.isSet()) {
                // Behind the proof of the checkpoint from which on it votes.
                journal.append(List::of, rejoinMark::remove);
            }
        }

        @Override
        public void accuse(Signed<?> first, Signed<?> second) {
            evidence.keep(first, second);
        }

        @Override
        public void halted(Throwable cause) {
            haltCause = cause;
            outbox.stop();
            if (cause instanceof StorageFailure failure && failure.isDamageOf(StorageFailure.Part.STATE)) {
                noteStateDamaged();
            }
            if (cause instanceof StorageFailure) {
                LOG.error("replica {} halted, its disk failed: {}", id, cause.getMessage(), cause);
            } else {
                LOG.error(
                        "replica {} halted, something of its own is not as it must be: {};"
                                + " keep its folder and its log for a report, then start it again",
                        id,
                        cause.toString(),
                        cause);
            }
            // On a thread of its own: whoever ends the process here waits for this server to close, and that for the
            // core.
            daemon(() -> options.onHalt().accept(cause), name + "-halt").start();
        }
    }
}
