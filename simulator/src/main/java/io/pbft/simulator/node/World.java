package io.pbft.simulator.node;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.SignatureScheme;
import io.pbft.crypto.Signer;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.workload.Application;
import io.pbft.simulator.workload.Generator;
import io.pbft.simulator.world.EventQueue;
import io.pbft.simulator.world.FastScheme;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.FaultPlan;
import io.pbft.simulator.world.Keyed;
import io.pbft.simulator.world.Mix;
import io.pbft.simulator.world.Network;
import io.pbft.simulator.world.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * What all nodes of a run share: time, chance, the network, the trace, the keys. Nobody gets another's signer from it:
 * sealers are handed out once, to the node whose they are. NOT thread-safe.
 */
public final class World {
    /** Signatures that each verifier remembers. */
    private static final int CACHE_ENTRIES = 4_096;

    /** The wall clock's reading when a run begins, in milliseconds since 1970: a fixed day, 2025-01-01. */
    public static final long WALL_MILLIS = 1_735_689_600_000L;

    private final SimOptions options;
    private final EventQueue events = new EventQueue();
    private final FaultPlan plan;
    private final Keyed keyed;
    private final Trace trace;
    private final Network network;
    private final SignatureScheme scheme;
    private final VerifierContext context;
    private final Verifier verifier;
    private final Application application;
    private final Map<NodeId, Signer> signers = new TreeMap<>();
    private final Map<String, Long> probes = new TreeMap<>();
    private final List<Long> latenciesMicros = new ArrayList<>();

    public World(SimOptions options, boolean keepTrace) {
        this(options, keepTrace, keyed -> new Generator(options.workload(), options.readShare(), keyed));
    }

    /** @param applications makes what is replicated from the chance of the run */
    public World(SimOptions options, boolean keepTrace, Function<Keyed, Application> applications) {
        this.options = options;
        this.plan = new FaultPlan(options.removed(), options.only());
        this.keyed = new Keyed(options.seed(), plan);
        this.application = applications.apply(keyed);
        this.trace = new Trace(events, keepTrace);
        this.network = new Network(events, keyed, trace, options);
        this.scheme = options.realCrypto() ? new Ed25519() : new FastScheme();
        this.context = new VerifierContext(
                Digest.of(Bytes.utf8("simulated cluster")),
                options.quorum(),
                keys(NodeId.Kind.REPLICA, options.replicas()),
                keys(NodeId.Kind.CLIENT, options.clients()),
                options.parameters(),
                Optional.empty());
        this.verifier = new Verifier(context, scheme, CACHE_ENTRIES);
    }

    private List<PublicKey> keys(NodeId.Kind kind, int count) {
        List<PublicKey> keys = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            NodeId node = new NodeId(kind, i);
            byte[] secret = new byte[PublicKey.SIZE];
            for (int j = 0; j < secret.length; j++) {
                secret[j] = (byte) keyed.bits(Fault.KEY, Mix.mix(node.isReplica() ? 1 : 2, i), j);
            }
            Signer signer = scheme.signer(Bytes.wrap(secret));
            signers.put(node, signer);
            keys.add(signer.publicKey());
        }
        return keys;
    }

    /** The power to sign for {@code node}: to be asked for once, by the node itself. */
    public Sealer takeSealer(NodeId node) {
        Signer signer = signers.remove(node);
        if (signer == null) {
            throw new IllegalStateException("the signer of " + node + " was handed out already");
        }
        return new Sealer(context.clusterId(), node, signer);
    }

    /** A verifier of one's own: for clients, who take only what is meant for them, and for who checks receipts. */
    public Verifier verifierOf(NodeId node) {
        return new Verifier(context.withSelf(node), scheme, CACHE_ENTRIES);
    }

    /** A verifier that remembers nothing, for checkers: what it says was computed and not looked up. */
    public Verifier verifierWithoutMemory() {
        return new Verifier(context, scheme, 0);
    }

    /** The verifier of all replicas. */
    public Verifier verifier() {
        return verifier;
    }

    public SimOptions options() {
        return options;
    }

    public Application application() {
        return application;
    }

    public EventQueue events() {
        return events;
    }

    public long now() {
        return events.now();
    }

    public FaultPlan plan() {
        return plan;
    }

    public Keyed keyed() {
        return keyed;
    }

    public Trace trace() {
        return trace;
    }

    public Network network() {
        return network;
    }

    /** A client got an answer this long after it asked. */
    void answered(long micros) {
        latenciesMicros.add(micros);
    }

    /** How long clients waited for each answer, in virtual microseconds, in the order of the answers. */
    public List<Long> latenciesMicros() {
        return List.copyOf(latenciesMicros);
    }

    /** Counts something rare that a campaign should have seen. */
    public void probe(String name) {
        probes.merge(name, 1L, Long::sum);
    }

    public Map<String, Long> probes() {
        return new TreeMap<>(probes);
    }
}
