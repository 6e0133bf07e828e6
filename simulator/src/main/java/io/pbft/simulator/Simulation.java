package io.pbft.simulator;

import io.pbft.protocol.NodeId;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Sealer;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.simulator.byzantine.Conspiracy;
import io.pbft.simulator.byzantine.Liar;
import io.pbft.simulator.byzantine.LyingClient;
import io.pbft.simulator.check.Check;
import io.pbft.simulator.check.Checks;
import io.pbft.simulator.node.ClientNode;
import io.pbft.simulator.node.ReplicaNode;
import io.pbft.simulator.node.World;
import io.pbft.simulator.workload.Application;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.Keyed;
import io.pbft.simulator.world.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * One simulated run: the real replicas, drivers and clients under virtual time, until every request is answered and every correct
 * replica has caught up, or until the time is up in which they must.
 *
 * <p>That time is computed, not guessed. Once the last fault is over (the network stable, every crashed replica back, every pause
 * ended), at most f replicas are faulty, and each view they lead costs one view-change timeout, which has doubled at most to its
 * cap; see {@link #boundMicros}. NOT thread-safe: one thread runs a run; several may run side by side.
 */
public final class Simulation {
    /** When the network becomes stable, where it is unreliable and nothing else is said. */
    public static final long GST_DEFAULT_MICROS = 2_000_000;

    private static final long WAIT_STEP_EVENTS = 64;

    private final SimOptions options;
    private final World world;
    private final Checks checks;
    private final List<ReplicaNode> replicas = new ArrayList<>();
    private final List<ReplicaNode> twins = new ArrayList<>();
    private final List<ClientNode> clients = new ArrayList<>();
    private final boolean tooManyFaulty;
    private final long quietMicros;
    private final int patience;

    private Simulation(SimOptions options, World world, int patience) {
        this.options = options;
        this.patience = patience;
        this.world = world;
        SortedSet<Integer> faulty = new TreeSet<>(options.faulty());
        faulty.addAll(options.gone());
        this.tooManyFaulty = faulty.size() > options.quorum().faulty();
        this.checks = new Checks(world, this::disk);
        this.quietMicros = quietMicros(options);
        build();
    }

    /** Runs it; the trace's text is kept only when the options name a file for it. */
    public static SimResult run(SimOptions options) {
        return run(
                options,
                options.output().trace().isPresent()
                        || options.output().report().isPresent());
    }

    public static SimResult run(SimOptions options, boolean keepTrace) {
        return new Simulation(options, new World(options, keepTrace), 1).run();
    }

    /** Runs it with another application than the simulator's own: the options' workload counts for nothing then. */
    public static SimResult run(SimOptions options, boolean keepTrace, Function<Keyed, Application> application) {
        return new Simulation(options, new World(options, keepTrace, application), 1).run();
    }

    /** Waits {@code patience} times as long for what must happen in the end: tells slow from stuck. */
    public static SimResult runPatiently(SimOptions options, int patience) {
        return new Simulation(options, new World(options, false), patience).run();
    }

    private ReplicaNode disk(int replica) {
        return replicas.get(replica);
    }

    private void build() {
        Conspiracy conspiracy =
                new Conspiracy(options.quorum(), about -> world.keyed().bits(Fault.TRUST, about, 0));
        for (int i = 0; i < options.replicas(); i++) {
            List<BehaviourSpec> specs = options.byzantine().getOrDefault(i, List.of());
            Sealer sealer = world.takeSealer(NodeId.replica(i));
            ReplicaNode node = replica(i, false, sealer, specs, conspiracy);
            node.onStoppedByDisk(() -> tellOthers(node, false));
            replicas.add(node);
            if (specs.stream().anyMatch(spec -> spec.name().equals("twin"))) {
                ReplicaNode twin = replica(i, true, sealer, specs, conspiracy);
                twins.add(twin);
                listenApart(node, twin);
            }
        }
        for (int i = 0; i < options.clients(); i++) {
            boolean correct = !options.byzantineClients().containsKey(i);
            ClientNode client = new ClientNode(world, i, correct, world.application(), checks);
            clients.add(client);
            if (!correct) {
                LyingClient.corrupt(world, client, options.byzantineClients().getOrDefault(i, List.of()), checks);
            }
        }
    }

    private ReplicaNode replica(
            int index, boolean second, Sealer sealer, List<BehaviourSpec> specs, Conspiracy conspiracy) {
        boolean correct = !options.faulty().contains(index);
        ReplicaNode node = new ReplicaNode(world, index, second, sealer, correct, checks);
        if (!specs.isEmpty()) {
            Liar.corrupt(world, node, specs, conspiracy);
        }
        return node;
    }

    /**
     * The halves of a pair of twins hear different parts of the cluster, drawn anew every so often (Bano et al., "Twins: BFT
     * systems made robust", OPODIS'21): mostly one half each, sometimes both.
     */
    private void listenApart(ReplicaNode first, ReplicaNode second) {
        long epochMicros = 150_000;
        int pair = first.endpoint();
        first.listenOn((from, now) -> side(from, now / epochMicros, pair) != 1);
        second.listenOn((from, now) -> side(from, now / epochMicros, pair) != 0);
    }

    private long side(int from, long epoch, int pair) {
        return world.keyed().between(Fault.TWIN_SIDE, epoch, (long) pair << 32 | from, 0, 2);
    }

    private SimResult run() {
        long startedNanos = System.nanoTime();
        for (ReplicaNode replica : replicas) {
            if (!startsLate(replica)) {
                replica.start(false);
            }
        }
        replicas.forEach(this::tellWhoIsAbsent);
        for (ReplicaNode twin : twins) {
            twin.start(false);
        }
        clients.forEach(ClientNode::start);
        options.faults().stream().filter(fault -> !isAbsence(fault)).forEach(this::schedule);
        drive();
        checks.finish(replicas, quietMicros);
        long wallMillis = (System.nanoTime() - startedNanos) / 1_000_000;
        return result(wallMillis);
    }

    /** Who is down from the very beginning was never there: a process that starts later than the others. */
    private static boolean isAbsence(NodeFault fault) {
        return fault.kind() == NodeFault.Kind.CRASH && fault.atMicros() == 0;
    }

    private boolean startsLate(ReplicaNode node) {
        return options.faults().stream().anyMatch(fault -> isAbsence(fault) && fault.replica() == node.index());
    }

    /** A replica that starts learns to whom it has no connection. */
    private void tellWhoIsAbsent(ReplicaNode node) {
        for (ReplicaNode other : replicas) {
            if (!other.isUp()) {
                node.absent(other.index());
            }
        }
    }

    private void schedule(NodeFault fault) {
        ReplicaNode node = replicas.get(fault.replica());
        world.events().at(fault.atMicros(), () -> {
            switch (fault.kind()) {
                case CRASH -> {
                    node.crash();
                    tellOthers(node, false);
                }
                case RESTART -> {
                    node.start(node.wasDiskLost());
                    tellWhoIsAbsent(node);
                    tellOthers(node, true);
                }
                case PAUSE -> node.pause();
                case FAIL_DISK -> node.health().failing(true);
                case SLOW_DISK -> node.health().slow(true);
                case LOSE_DISK -> {
                    node.loseDisk();
                    tellOthers(node, false);
                    node.start(true);
                    tellOthers(node, true);
                }
                case CORRUPT_DISK -> node.disk().corruptNext();
                case MISDIRECT_DISK -> node.disk().misdirect();
            }
        });
        if (fault.kind().lasts()) {
            world.events().at(fault.untilMicros(), () -> end(fault.kind(), node));
        }
    }

    private void end(NodeFault.Kind kind, ReplicaNode node) {
        switch (kind) {
            case PAUSE -> node.resume();
            case SLOW_DISK -> node.health().slow(false);
            case FAIL_DISK -> {
                node.health().failing(false);
                if (node.wasStoppedByDisk()) {
                    node.start(node.wasDiskLost());
                    tellOthers(node, true);
                }
            }
            case CRASH, RESTART, LOSE_DISK, CORRUPT_DISK, MISDIRECT_DISK ->
                throw new IllegalStateException(kind + " has no end");
        }
    }

    /** Connections break, and come back, within a latency. */
    private void tellOthers(ReplicaNode node, boolean up) {
        for (ReplicaNode other : replicas) {
            if (other != node) {
                world.events().after(options.net().latencyMaxMicros(), () -> {
                    if (node.isUp() == up) {
                        other.connection(node.index(), up);
                    }
                });
            }
        }
    }

    private void drive() {
        long deadline = quietMicros + patience * boundMicros(options);
        boolean finished = false;
        while (!finished && world.events().nextTime() <= deadline) {
            for (int i = 0; i < WAIT_STEP_EVENTS && world.events().nextTime() <= deadline; i++) {
                world.events().step();
            }
            finished = checks.findings().anySafety() || (world.now() >= quietMicros && isSettled());
        }
        if (!finished && !tooManyFaulty) {
            checks.findings().report(Check.LIVENESS, unfinished(deadline));
        }
    }

    /** Whether every correct client has its answers, and every correct replica that is up has executed all there is. */
    private boolean isSettled() {
        for (ClientNode client : clients) {
            if (client.correct() && !client.isDone()) {
                return false;
            }
        }
        for (ReplicaNode replica : replicas) {
            if (isExpected(replica)
                    && replica.report().map(ReplicaReport::lastExecuted).orElse(-1L)
                            < checks.order().last()) {
                return false;
            }
        }
        return true;
    }

    private boolean isExpected(ReplicaNode replica) {
        return replica.correct() && !options.gone().contains(replica.index());
    }

    private String unfinished(long deadline) {
        StringBuilder text = new StringBuilder("at " + deadline / 1_000 + " ms, "
                + patience * boundMicros(options) / 1_000 + " ms after the last fault:");
        for (ClientNode client : clients) {
            if (client.correct() && !client.isDone()) {
                text.append(" client ")
                        .append(client.index())
                        .append(" waits for ")
                        .append(client.waiting());
                text.append(client.waiting() == 1 ? " answer;" : " answers;");
            }
        }
        for (ReplicaNode replica : replicas) {
            text.append(' ').append(replica.name()).append(replica.correct() ? "" : " (faulty)");
            Optional<ReplicaReport> report = replica.report();
            if (report.isEmpty()) {
                text.append(" down;");
            } else {
                ReplicaReport r = report.get();
                text.append(" view ").append(r.view()).append(' ').append(r.status());
                text.append(" executed ")
                        .append(r.lastExecuted())
                        .append('/')
                        .append(checks.order().last());
                text.append(" stable ").append(r.stableCheckpoint()).append(';');
            }
        }
        return text.toString();
    }

    /** When the last fault is over that is not for ever: from then on the promise of liveness counts. */
    static long quietMicros(SimOptions options) {
        SimOptions.Net net = options.net();
        long quiet = net.gstMicros();
        for (NodeFault fault : options.faults()) {
            quiet = Math.max(quiet, fault.untilMicros());
        }
        return quiet;
    }

    /**
     * How long after that everything must be done. Timers may have doubled to their cap before. Then come at most f views in a
     * row whose primary is faulty, one that was begun before the replicas heard of each other, and a good one: each costs the
     * time until the primary is suspected and the cap of the view change's timeout. A primary that is just fast enough holds a
     * request up for the fairness timeout. What is left to ask, to fetch and to catch up with comes on top, at ten latencies
     * and a status interval each.
     */
    static long boundMicros(SimOptions options) {
        ProtocolParameters p = options.parameters();
        long latency = options.net().latencyMaxMicros()
                + (options.net().topology() == Topology.WAN5 ? Topology.oneWayMicrosMax() : 0)
                + options.disk().latencyMaxMicros();
        long views = options.quorum().faulty() + 2L;
        long perView = 1_000L * (p.fairnessTimeoutMillis() + p.requestTimeoutMillis() + p.viewChangeTimeoutMaxMillis())
                + 10 * latency;
        long perOperation = options.thinkMicros() * 2 + 20 * latency + 2_000L * p.tickMillis();
        long operations = (options.ops() + options.clients() - 1L) / options.clients() + 1;
        long clientBackOff = 8_000L * p.requestTimeoutMillis();
        long catchUp = 20L * (1_000L * p.statusIntervalMillis() + 4 * latency);
        return views * perView + operations * perOperation + clientBackOff + catchUp;
    }

    private SimResult result(long wallMillis) {
        SimResult.Verdict verdict = checks.findings().anySafety()
                ? SimResult.Verdict.SAFETY
                : checks.findings().anyLiveness() ? SimResult.Verdict.LIVENESS : SimResult.Verdict.OK;
        return new SimResult(
                options,
                verdict,
                checks.findings().violations(),
                checks.order().operations(),
                checks.history().answered(),
                checks.highestView(),
                world.now() / 1_000,
                wallMillis,
                world.network().sent(),
                world.network().traffic(),
                world.latenciesMicros(),
                world.events().executed(),
                world.trace().hash(),
                checks.decided(),
                tooManyFaulty,
                world.probes(),
                world.plan().fired(),
                world.trace().text());
    }
}
