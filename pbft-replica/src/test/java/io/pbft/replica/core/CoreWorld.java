package io.pbft.replica.core;

import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signature;
import io.pbft.crypto.SignatureScheme;
import io.pbft.crypto.Signer;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Commit;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Equivocation;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verified;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.protocol.ViewChange;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A cluster of real cores with nothing around them: promises are kept at once, messages are delivered when the test says so,
 * and everything that was said, run and noted can be looked at. Build, step, compare.
 */
final class CoreWorld {
    static final ProtocolParameters PARAMETERS = keeping(1 << 20);
    static final long START_MILLIS = 1_700_000_000_000L;
    static final long EPOCH = (START_MILLIS - 1_000) << 20;
    static final Digest CLUSTER = Digest.of(Bytes.utf8("core world"));

    /** The parameters with another bound of results. */
    static ProtocolParameters keeping(int resultBytesMax) {
        return new ProtocolParameters(
                4, 12, 4, 100, 1 << 20, 10, 500, 100, 2_000, 500, 8_000, 100, 5_000, 64, 4, resultBytesMax);
    }

    /** What a node says to another. */
    record Letter(NodeId from, int to, Message message) {}

    /** Which letters arrive. */
    interface Link {
        boolean delivers(Letter letter);
    }

    /** How many ticks a letter is under way, besides the time until the next {@link #deliver}. */
    interface Delay {
        int ticks(Letter letter);
    }

    /** One replica with its disk. */
    final class Node {
        final int id;
        Replica core;
        boolean up = true;
        /** Promises are kept only while this holds; otherwise they wait in {@link #unkept}. */
        boolean disk = true;

        /** Checkpoints become durable only while this holds; otherwise they wait in {@link #unkeptSnapshots}. */
        boolean store = true;

        /** After so many more promises have become durable the process dies. */
        int promisesToLive = Integer.MAX_VALUE;
        /** Whether the last of them still leaves. */
        boolean lastWords = true;

        /** Everything that this replica ever signed for others, in order, across its lives. */
        final List<Statement> signedEver = new ArrayList<>();

        final Deque<Promise> unkept = new ArrayDeque<>();
        final TreeMap<Long, Snapshot> unkeptSnapshots = new TreeMap<>();
        final Deque<Input> inputs = new ArrayDeque<>();
        final List<Effect> effects = new ArrayList<>();
        final List<String> executed = new ArrayList<>();
        final TreeMap<Bytes, Bytes> system = new TreeMap<>();
        final TreeMap<Long, Snapshot> snapshots = new TreeMap<>();

        Optional<CheckpointCertificate> installing = Optional.empty();

        CheckpointCertificate stable = CheckpointCertificate.GENESIS;
        Optional<Signed<NewView>> newView = Optional.empty();
        Optional<Signed<ViewChange>> viewChange = Optional.empty();
        final List<Proposal> proposals = new ArrayList<>();
        final List<PreparedCertificate> prepared = new ArrayList<>();
        final List<Signed<Prepare>> prepares = new ArrayList<>();
        final List<Signed<Commit>> commits = new ArrayList<>();
        final List<Signed<Checkpoint>> checkpoints = new ArrayList<>();

        Node(int id) {
            this.id = id;
            this.core = new Replica(config(id), Recovered.nothing());
        }

        ReplicaReport report() {
            return core.report();
        }

        <E extends Effect> List<E> effects(Class<E> kind) {
            List<E> found = new ArrayList<>();
            for (Effect effect : effects) {
                if (kind.isInstance(effect)) {
                    found.add(kind.cast(effect));
                }
            }
            return found;
        }

        <P extends Promise> List<P> promises(Class<P> kind) {
            List<P> found = new ArrayList<>();
            for (Effect.Bind bind : effects(Effect.Bind.class)) {
                if (kind.isInstance(bind.promise())) {
                    found.add(kind.cast(bind.promise()));
                }
            }
            return found;
        }

        List<Effect.Note> notes(Event event) {
            return effects(Effect.Note.class).stream()
                    .filter(note -> note.event() == event)
                    .toList();
        }
    }

    /** A checkpoint's state as this world keeps it. */
    record Snapshot(Digest root, List<String> executed, TreeMap<Bytes, Bytes> system) {}

    final int n;
    final ProtocolParameters parameters;
    final List<Node> nodes = new ArrayList<>();
    final Deque<Letter> mail = new ArrayDeque<>();
    /** Everything that was ever sent between replicas. */
    final List<Letter> sent = new ArrayList<>();

    private final List<Sealer> sealers = new ArrayList<>();
    private final Map<Integer, Sealer> clientSealers = new HashMap<>();
    private final Verifier verifier;
    long wallMillis = START_MILLIS;
    Link link = letter -> true;
    Delay delay = letter -> 0;
    private final TreeMap<Long, List<Letter>> later = new TreeMap<>();
    private long ticks;
    /** While it holds, nobody hands out states. */
    boolean holdSnapshots;

    CoreWorld(int n) {
        this(n, PARAMETERS);
    }

    CoreWorld(int n, ProtocolParameters parameters) {
        this.n = n;
        this.parameters = parameters;
        HashedScheme scheme = new HashedScheme();
        List<PublicKey> replicaKeys = new ArrayList<>();
        List<PublicKey> clientKeys = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            Signer signer = scheme.signer(Digest.of(Bytes.utf8("replica " + i)).toBytes());
            replicaKeys.add(signer.publicKey());
            sealers.add(new Sealer(CLUSTER, NodeId.replica(i), signer));
        }
        for (int c = 0; c < 8; c++) {
            Signer signer = scheme.signer(Digest.of(Bytes.utf8("client " + c)).toBytes());
            clientKeys.add(signer.publicKey());
            clientSealers.put(c, new Sealer(CLUSTER, NodeId.client(c), signer));
        }
        verifier = new Verifier(
                new VerifierContext(CLUSTER, new Quorum(n), replicaKeys, clientKeys, parameters, Optional.empty()),
                scheme,
                10_000);
        for (int i = 0; i < n; i++) {
            nodes.add(new Node(i));
        }
        tick(1);
    }

    Config config(int id) {
        return new Config(id, new Quorum(n), 8, parameters);
    }

    Node node(int id) {
        return nodes.get(id);
    }

    Sealer sealer(int replica) {
        return sealers.get(replica);
    }

    Signed<Request> request(int client, long number, String... operations) {
        List<Bytes> payloads = new ArrayList<>();
        for (String operation : operations) {
            payloads.add(Bytes.utf8(operation));
        }
        return request(new Request(client, EPOCH, 1, number, -1, payloads));
    }

    Signed<Request> request(Request request) {
        Sealer sealer = clientSealers.get(request.client());
        return sealer.seal(request).message();
    }

    /** A client's request arrives at these replicas. */
    Signed<Request> submit(int client, long number, String operation, int... replicas) {
        Signed<Request> request = request(client, number, operation);
        for (int replica : replicas) {
            mail.add(new Letter(NodeId.client(client), replica, request));
        }
        return request;
    }

    int[] all() {
        int[] all = new int[n];
        for (int i = 0; i < n; i++) {
            all[i] = i;
        }
        return all;
    }

    /** The verifier's word on a message; the test fails where it is a no. */
    Verified<?> verified(NodeId from, Message message) {
        Verdict verdict = verifier.verify(from, message);
        if (verdict instanceof Verdict.Accepted accepted) {
            return accepted.message();
        }
        throw new AssertionError("not accepted: " + verdict);
    }

    /** Whether the verifier is convinced by it. */
    boolean isEvidence(Equivocation evidence) {
        return evidence.verify(verifier);
    }

    /** Delivers until nothing is on its way. */
    void deliver() {
        while (!mail.isEmpty()) {
            Letter letter = mail.poll();
            if (node(letter.to()).up && link.delivers(letter)) {
                step(letter.to(), new Input.Received(verified(letter.from(), letter.message())));
            }
        }
    }

    /** Ticks every replica that is up, and delivers, {@code times} times. */
    void tick(int times) {
        for (int i = 0; i < times; i++) {
            wallMillis += parameters.tickMillis();
            ticks++;
            while (!later.isEmpty() && later.firstKey() <= ticks) {
                mail.addAll(later.pollFirstEntry().getValue());
            }
            for (Node node : nodes) {
                if (node.up) {
                    install(node);
                    step(node.id, new Input.Tick(wallMillis));
                }
            }
            deliver();
        }
    }

    int ticks(int millis) {
        return millis / parameters.tickMillis();
    }

    void step(int id, Input input) {
        node(id).inputs.add(input);
        work(node(id));
    }

    private void work(Node node) {
        while (!node.inputs.isEmpty()) {
            Effects out = new Effects();
            node.core.step(node.inputs.poll(), out);
            for (Effect effect : out.drain()) {
                if (!node.up) {
                    return;
                }
                node.effects.add(effect);
                carryOut(node, effect);
            }
        }
    }

    /** A replica's message arrives at another at once, past all links. */
    void receive(int to, int from, Message message) {
        step(to, new Input.Received(verified(NodeId.replica(from), message)));
    }

    private void carryOut(Node node, Effect effect) {
        if (effect instanceof Effect.Bind bind) {
            node.unkept.add(bind.promise());
            if (node.disk) {
                keepPromises(node);
            }
        } else if (effect instanceof Effect.Send send) {
            if (send.to().isReplica()) {
                post(node.id, send.to().index(), send.message());
            }
        } else if (effect instanceof Effect.Broadcast broadcast) {
            post(node.id, broadcast.message());
        } else if (effect instanceof Effect.Execute execute) {
            execute(node, execute);
        } else if (effect instanceof Effect.TakeSnapshot take) {
            take.systemChanges()
                    .forEach((key, value) -> value.ifPresentOrElse(
                            present -> node.system.put(key, present), () -> node.system.remove(key)));
            Digest root = root(node.executed, node.system);
            node.unkeptSnapshots.put(
                    take.seq(), new Snapshot(root, List.copyOf(node.executed), new TreeMap<>(node.system)));
            if (node.store) {
                keptSnapshots(node);
            }
        } else if (effect instanceof Effect.InstallState install) {
            node.installing = Optional.of(install.checkpoint());
            install(node);
        } else if (effect instanceof Effect.KeepProof keep) {
            node.stable = keep.stable();
        } else if (effect instanceof Effect.Truncate truncate) {
            node.stable = truncate.stable();
        }
    }

    /** The store catches up: the checkpoints taken become durable. */
    void keepSnapshots(Node node) {
        keptSnapshots(node);
        work(node);
    }

    private static void keptSnapshots(Node node) {
        while (!node.unkeptSnapshots.isEmpty()) {
            Map.Entry<Long, Snapshot> taken = node.unkeptSnapshots.pollFirstEntry();
            node.snapshots.put(taken.getKey(), taken.getValue());
            node.inputs.add(
                    new Input.SnapshotTaken(taken.getKey(), taken.getValue().root()));
        }
    }

    private static void execute(Node node, Effect.Execute execute) {
        List<Input.Result> results = new ArrayList<>();
        for (Effect.Call call : execute.calls()) {
            node.executed.add(call.operation().toUtf8());
            results.add(new Input.Result(
                    Outcome.EXECUTED, Bytes.utf8("did " + call.operation().toUtf8())));
        }
        node.inputs.add(new Input.Executed(execute.seq(), results));
    }

    private static Digest root(List<String> executed, TreeMap<Bytes, Bytes> system) {
        StringBuilder text = new StringBuilder(executed.toString());
        system.forEach((key, value) -> text.append(key.toHex()).append('=').append(value.toHex()));
        return Digest.of(Bytes.utf8(text.toString()));
    }

    /** A state transfer ends as soon as somebody who is up has the state. */
    private void install(Node node) {
        if (node.installing.isEmpty() || holdSnapshots) {
            return;
        }
        CheckpointCertificate target = node.installing.get();
        for (Node other : nodes) {
            Snapshot snapshot = other.snapshots.get(target.seq());
            if (other.up && snapshot != null && snapshot.root().equals(target.state())) {
                node.executed.clear();
                node.executed.addAll(snapshot.executed());
                node.system.clear();
                node.system.putAll(snapshot.system());
                node.snapshots.put(target.seq(), snapshot);
                List<StateView.Entry> entries = new ArrayList<>();
                node.system.forEach((key, value) -> entries.add(new StateView.Entry(key, value)));
                node.inputs.add(new Input.StateInstalled(target.seq(), target.state(), entries));
                node.installing = Optional.empty();
                return;
            }
        }
    }

    /** The disk catches up: what was promised becomes durable, leaves, and comes back. */
    void keepPromises(Node node) {
        while (!node.unkept.isEmpty() && node.up) {
            keepOne(node);
        }
    }

    /** The first promise that waits becomes durable, and all that follows from it happens. */
    void keepNext(Node node) {
        keepOne(node);
        work(node);
    }

    private void keepOne(Node node) {
        Verified<?> kept = keep(node, node.unkept.remove());
        boolean dies = --node.promisesToLive == 0;
        if (kept != null && (node.lastWords || !dies)) {
            node.signedEver.addAll(statements(kept.message()));
            post(node.id, kept.message());
        }
        if (dies) {
            crash(node.id);
        } else if (kept != null) {
            node.inputs.add(new Input.Received(kept));
        }
    }

    private Verified<?> keep(Node node, Promise promise) {
        Sealer sealer = sealer(node.id);
        if (promise instanceof Promise.Propose p) {
            return with(sealer.propose(p.prePrepare(), p.batch()), v -> node.proposals.add(v.message()));
        } else if (promise instanceof Promise.AgreeTo p) {
            node.proposals.add(p.proposal());
            return with(sealer.seal(p.prepare()), v -> node.prepares.add(v.message()));
        } else if (promise instanceof Promise.CommitTo p) {
            node.prepared.add(p.certificate());
            return with(sealer.seal(p.commit()), v -> node.commits.add(v.message()));
        } else if (promise instanceof Promise.Vouch p) {
            return with(sealer.seal(p.checkpoint()), v -> node.checkpoints.add(v.message()));
        } else if (promise instanceof Promise.LeaveView p) {
            return with(sealer.seal(p.viewChange()), v -> node.viewChange = Optional.of(v.message()));
        } else if (promise instanceof Promise.LeadView p) {
            Verified<Signed<NewView>> newView = sealer.newView(p.view(), p.viewChanges(), p.proposals(), node.id);
            List<Signed<PrePrepare>> signed = newView.message().statement().proposals();
            for (int i = 0; i < signed.size(); i++) {
                node.proposals.add(new Proposal(signed.get(i), p.batches().get(i)));
            }
            node.newView = Optional.of(newView.message());
            return newView;
        } else if (promise instanceof Promise.EnterView p) {
            node.newView = Optional.of(p.newView());
            return null;
        }
        throw new AssertionError(promise);
    }

    /** What a message binds its sender to. */
    private static List<Statement> statements(Message message) {
        List<Statement> statements = new ArrayList<>();
        if (message instanceof Proposal proposal) {
            statements.add(proposal.prePrepare().statement());
        } else if (message instanceof Signed<?> signed) {
            if (signed.statement() instanceof NewView newView) {
                newView.proposals().forEach(proposal -> statements.add(proposal.statement()));
            }
            statements.add(signed.statement());
        }
        return statements;
    }

    private static <T> T with(T value, Consumer<T> use) {
        use.accept(value);
        return value;
    }

    void post(int from, Message message) {
        for (int to = 0; to < n; to++) {
            if (to != from) {
                post(from, to, message);
            }
        }
    }

    void post(int from, int to, Message message) {
        Letter letter = new Letter(NodeId.replica(from), to, message);
        sent.add(letter);
        int delayed = delay.ticks(letter);
        if (delayed > 0) {
            later.computeIfAbsent(ticks + delayed, due -> new ArrayList<>()).add(letter);
        } else {
            mail.add(letter);
        }
    }

    <S extends Statement> Signed<S> signed(int replica, S statement) {
        return sealer(replica).seal(statement).message();
    }

    /** The process dies: what was not durable is gone, the disk stays. */
    void crash(int id) {
        node(id).up = false;
        node(id).unkept.clear();
        node(id).unkeptSnapshots.clear();
        node(id).inputs.clear();
        node(id).installing = Optional.empty();
    }

    /** The disk is empty after a crash. */
    void loseDisk(int id) {
        Node node = node(id);
        node.snapshots.clear();
        node.stable = CheckpointCertificate.GENESIS;
        node.newView = Optional.empty();
        node.viewChange = Optional.empty();
        node.proposals.clear();
        node.prepared.clear();
        node.prepares.clear();
        node.commits.clear();
        node.checkpoints.clear();
    }

    /** Starts again from the disk: the state at the last checkpoint, and the journal. */
    void restart(int id) {
        restart(id, false);
    }

    void restart(int id, boolean rejoining) {
        Node node = node(id);
        node.promisesToLive = Integer.MAX_VALUE;
        Map.Entry<Long, Snapshot> last = node.snapshots.lastEntry();
        node.executed.clear();
        node.system.clear();
        long seq = 0;
        Digest root = Digest.ZERO;
        if (last != null) {
            seq = last.getKey();
            root = last.getValue().root();
            node.executed.addAll(last.getValue().executed());
            node.system.putAll(last.getValue().system());
        }
        List<StateView.Entry> entries = new ArrayList<>();
        node.system.forEach((key, value) -> entries.add(new StateView.Entry(key, value)));
        node.core = new Replica(
                config(id),
                new Recovered(
                        node.stable,
                        node.newView,
                        node.viewChange,
                        node.proposals,
                        node.prepared,
                        node.prepares,
                        node.commits,
                        node.checkpoints,
                        seq,
                        root,
                        entries,
                        rejoining));
        node.up = true;
        step(id, new Input.Tick(wallMillis));
    }

    long wallMillis() {
        return wallMillis;
    }

    Batch batch(String... operations) {
        List<Signed<Request>> requests = new ArrayList<>();
        for (int i = 0; i < operations.length; i++) {
            requests.add(request(7, 1 + i, operations[i]));
        }
        return new Batch(wallMillis, requests);
    }

    // What a replica may sign, for tests that play a faulty one or feed a single core.

    Proposal proposal(long view, long seq, Batch batch) {
        int primary = new Quorum(n).primary(view);
        return sealer(primary)
                .propose(new PrePrepare(view, seq, batch.digest(), primary), batch)
                .message();
    }

    Signed<Prepare> prepare(int replica, long view, long seq, Batch batch) {
        return signed(replica, new Prepare(view, seq, batch.digest(), replica));
    }

    Signed<Commit> commit(int replica, long view, long seq, Batch batch) {
        return signed(replica, new Commit(view, seq, batch.digest(), replica));
    }

    Signed<Checkpoint> checkpoint(int replica, long seq, Digest state) {
        return signed(replica, new Checkpoint(seq, state, replica));
    }

    /** A prepared certificate by the first backups. */
    PreparedCertificate preparedCertificate(long view, long seq, Batch batch) {
        Quorum quorum = new Quorum(n);
        List<Signed<Prepare>> prepares = new ArrayList<>();
        for (int replica = 0; prepares.size() < quorum.prepares(); replica++) {
            if (replica != quorum.primary(view)) {
                prepares.add(prepare(replica, view, seq, batch));
            }
        }
        return new PreparedCertificate(proposal(view, seq, batch).prePrepare(), prepares);
    }

    /** A commit certificate, with its batch, by the last replicas. */
    Decision decision(long view, long seq, Batch batch) {
        List<Signed<Commit>> commits = new ArrayList<>();
        for (int replica = n - new Quorum(n).quorum(); replica < n; replica++) {
            commits.add(commit(replica, view, seq, batch));
        }
        return new Decision(new CommitCertificate(view, seq, batch.digest(), commits), batch);
    }

    /** A checkpoint certificate by the last replicas. */
    CheckpointCertificate checkpointCertificate(long seq, Digest state) {
        List<Signed<Checkpoint>> proof = new ArrayList<>();
        for (int replica = n - new Quorum(n).quorum(); replica < n; replica++) {
            proof.add(checkpoint(replica, seq, state));
        }
        return new CheckpointCertificate(seq, state, proof);
    }

    Signed<ViewChange> viewChange(
            int replica, long view, CheckpointCertificate stable, PreparedCertificate... prepared) {
        return signed(replica, new ViewChange(view, stable, List.of(prepared), replica));
    }

    /** A NEW-VIEW with these digests from {@code first} on, right or wrong. */
    Signed<NewView> newView(long view, List<Signed<ViewChange>> viewChanges, long first, Digest... digests) {
        int primary = new Quorum(n).primary(view);
        List<PrePrepare> proposals = new ArrayList<>();
        for (int i = 0; i < digests.length; i++) {
            proposals.add(new PrePrepare(view, first + i, digests[i], primary));
        }
        return sealer(primary).newView(view, viewChanges, proposals, primary).message();
    }

    /** Signs by hashing a secret: enough where every signer is trusted with its own key alone. */
    private static final class HashedScheme implements SignatureScheme {
        private final Map<PublicKey, Bytes> secrets = new HashMap<>();

        @Override
        public PublicKey publicKey(Bytes encoded) {
            return new PublicKey(encoded);
        }

        @Override
        public Signer signer(Bytes privateKey) {
            PublicKey key = new PublicKey(Digest.of(privateKey).toBytes());
            secrets.put(key, privateKey);
            return new Signer() {
                @Override
                public PublicKey publicKey() {
                    return key;
                }

                @Override
                public Signature sign(byte[] payload) {
                    return hash(privateKey, payload);
                }
            };
        }

        @Override
        public boolean verify(PublicKey key, byte[] payload, Signature signature) {
            Bytes secret = secrets.get(key);
            return secret != null && hash(secret, payload).equals(signature);
        }

        private static Signature hash(Bytes secret, byte[] payload) {
            byte[] signature = new byte[Signature.SIZE];
            Digest digest = Digest.of(secret.concat(Bytes.copyOf(payload)));
            digest.copyTo(signature, 0);
            digest.copyTo(signature, Digest.SIZE);
            return Signature.copyOf(signature, 0, signature.length);
        }
    }
}
