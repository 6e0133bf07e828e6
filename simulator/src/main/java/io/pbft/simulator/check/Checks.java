package io.pbft.simulator.check;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Limits;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.Message;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Signed;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Event;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.simulator.NodeFault;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.node.ReplicaNode;
import io.pbft.simulator.node.Watch;
import io.pbft.simulator.node.World;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.workload.KeyModel;
import io.pbft.simulator.workload.Specification;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/** All checkers of a run. NOT thread-safe. */
public final class Checks implements Watch {
    /** Journal entries for each slot of the window and each view that is remembered there. */
    private static final int JOURNAL_ENTRIES_PER_SLOT = 5;

    private static final int VIEWS_REMEMBERED = 64;

    private final World world;
    private final SimOptions options;
    private final Findings findings;
    private final Order order;
    private final Promises promises;
    private final Bonds bonds;
    private final Checkpoints checkpoints;
    private final Certificates certificates;
    private final LogReplay logReplay;
    private final Evidence evidence;
    private final Probes probes;
    private final History history;
    private final boolean faultFree;

    /**
     * Whether a client may rightly be told what none of the replicas has executed that are correct from the first to the last:
     * when more than f are faulty, though not from the beginning.
     */
    private final boolean incomplete;

    /** The checkpoint that each replica has executed up to and not taken yet; 0: none. */
    private final long[] due;

    private long highestView;
    private boolean decided = true;

    public Checks(World world, IntFunction<ReplicaNode> replicas) {
        this.world = world;
        this.options = world.options();
        this.findings = new Findings(
                world::now,
                violation -> world.trace()
                        .event("violation", "world", 0, 0, violation.check().label() + ": " + violation.text()));
        this.order = new Order(findings, client -> !options.byzantineClients().containsKey(client));
        this.promises = new Promises(
                findings,
                (replica, kind, seq, view) -> replicas.apply(replica).disk().holds(kind, seq, view));
        this.bonds = new Bonds(findings);
        this.checkpoints = new Checkpoints(findings);
        this.certificates = new Certificates(
                findings,
                options.replicas(),
                options.parameters().checkpointInterval(),
                world.verifierWithoutMemory()::isSigned);
        this.logReplay = new LogReplay(findings);
        this.evidence = new Evidence(findings, options.faulty(), world.verifierWithoutMemory()::isSigned, world::probe);
        this.probes = new Probes(world::probe);
        this.history = new History(findings);
        this.due = new long[options.replicas()];
        this.faultFree = isFaultFree(options);
        this.incomplete = options.faulty().size() > options.quorum().faulty()
                && options.faults().stream().anyMatch(fault -> fault.kind() == NodeFault.Kind.LOSE_DISK);
    }

    /** Whether nothing is wrong with the network, the nodes and the clocks, so that nobody has a cause to change the view. */
    static boolean isFaultFree(SimOptions options) {
        SimOptions.Net net = options.net();
        boolean calmNet = net.drop() == 0
                && net.dropTypes().isEmpty()
                && net.tail() == 0
                && net.reorder() == 0
                && net.partitions().isEmpty()
                && net.cuts().isEmpty()
                && 8 * net.latencyMaxMicros() < 1_000L * options.parameters().requestTimeoutMillis();
        boolean calmClocks = options.clocks().driftPpm() < 10_000
                && options.clocks().skewMillis().values().stream()
                        .allMatch(skew -> Math.abs(skew) < options.parameters().clockSkewMillis() / 4);
        return calmNet
                && calmClocks
                && options.byzantine().isEmpty()
                && options.byzantineClients().isEmpty()
                && options.faults().isEmpty()
                && options.flip() == 0
                && options.net().topology() == io.pbft.simulator.world.Topology.LAN;
    }

    public Findings findings() {
        return findings;
    }

    public Order order() {
        return order;
    }

    public History history() {
        return history;
    }

    /** The highest view that a correct replica was in. */
    public long highestView() {
        return highestView;
    }

    /** Whether the search for an order came to an end for every key. */
    public boolean decided() {
        return decided;
    }

    /** What can be checked only when the run is over. */
    public void finish(List<ReplicaNode> replicas, long quietMicros) {
        Optional<Specification> own = world.application().specification();
        if (own.isPresent()) {
            history.replayOn(own.get(), order.agreed());
        } else {
            decided = history.search();
            if (!incomplete) {
                history.replay(order.agreed());
            }
            logReplay.finish(order.agreed(), checkpoints, options.parameters().checkpointInterval());
        }
        for (ReplicaNode replica : replicas) {
            if (replica.correct()) {
                replica.report().ifPresent(report -> highestView = Math.max(highestView, report.view()));
            }
        }
        if (faultFree && highestView > 0) {
            findings.report(Check.CALM, "view " + highestView + " in a run without faults, quiet from " + quietMicros);
        }
    }

    @Override
    public void executed(int replica, Effect.Execute batch) {
        order.executed(replica, batch);
        long ahead =
                batch.timeMillis() - latestClockMillis() - options.parameters().clockSkewMillis();
        if (ahead > 0) {
            findings.report(
                    Check.VALIDITY,
                    "replica " + replica + " executes " + batch.seq() + " at a time " + ahead
                            + " ms later than any correct replica could vouch for");
        }
    }

    /** What no correct clock is ahead of now. */
    private long latestClockMillis() {
        long skew = options.clocks().skewMillis().values().stream()
                .mapToLong(Integer::longValue)
                .max()
                .orElse(0);
        long passed = world.now() + world.now() * options.clocks().driftPpm() / 1_000_000;
        return World.WALL_MILLIS + Math.max(0, skew) + passed / 1_000 + 1;
    }

    @Override
    public void wanted(int replica, Effect effect) {
        certificates.wanted(replica, effect);
        bonds.wanted(replica, effect);
        probes.wanted(replica, effect);
        if (effect instanceof Effect.TakeSnapshot snapshot) {
            logReplay.taken(snapshot);
            due[replica] = 0;
        } else if (effect instanceof Effect.InstallState) {
            due[replica] = 0;
        } else if (effect instanceof Effect.Execute batch) {
            if (due[replica] != 0 && batch.seq() == due[replica] + 1) {
                findings.report(
                        Check.CHECKPOINTS,
                        "replica " + replica + " takes no checkpoint at " + due[replica] + " and executes on");
            }
            due[replica] = 0;
            if (batch.seq() % options.parameters().checkpointInterval() == 0) {
                due[replica] = batch.seq();
                probes.checkpointAfter(batch);
            }
        }
    }

    @Override
    public void asked(int replica, int client, ReadRequest request) {
        bonds.asked(replica, client, request);
    }

    @Override
    public void fetches(int replica, BatchFetch fetch, long stable) {
        bonds.fetches(replica, fetch, stable);
    }

    @Override
    public void sent(int replica, Message message) {
        promises.sent(replica, message);
        certificates.sent(replica, message);
    }

    @Override
    public void durable(int replica, JournalEntry entry) {
        try {
            promises.durable(replica, entry);
            bonds.durable(replica, entry);
        } catch (MalformedMessage e) {
            findings.report(
                    Check.CERTIFICATES,
                    "replica " + replica + " writes down a " + entry.kind() + " that is no message: " + e.getMessage());
        }
    }

    @Override
    public void checkpoint(int replica, long seq, Digest state) {
        checkpoints.seen(replica, seq, state);
    }

    @Override
    public void reported(int replica, ReplicaReport report, int journalEntries) {
        highestView = Math.max(highestView, report.view());
        bonds.reported(replica, report);
        int window = options.parameters().window();
        if (report.logSlots() > 2 * window) {
            findings.report(
                    Check.MEMORY,
                    "replica " + replica + " holds " + report.logSlots() + " slots, its window has " + window);
        }
        int queueMax = options.clients()
                * options.parameters().sessionWindow()
                * options.parameters().sessionsPerClient();
        if (report.queued() > queueMax) {
            findings.report(
                    Check.MEMORY, "replica " + replica + " queues " + report.queued() + " requests of " + queueMax);
        }
        if (report.resultBytes() > options.parameters().resultBytesMax()) {
            findings.report(
                    Check.MEMORY,
                    "replica " + replica + " keeps " + report.resultBytes() + " bytes of results for clients, at most "
                            + options.parameters().resultBytesMax() + " are allowed");
        }
        int answersMax = options.clients() * (2 * options.parameters().sessionWindow() + Limits.BATCH_OPERATIONS_MAX);
        if (report.answers() > answersMax) {
            findings.report(
                    Check.MEMORY, "replica " + replica + " keeps " + report.answers() + " answers of " + answersMax);
        }
        if (journalEntries > JOURNAL_ENTRIES_PER_SLOT * VIEWS_REMEMBERED * window) {
            findings.report(Check.MEMORY, "replica " + replica + " has " + journalEntries + " entries in its journal");
        }
    }

    @Override
    public void noted(int replica, Effect.Note note) {
        if (note.event() == Event.CHECKPOINT_DIVERGED) {
            findings.report(
                    Check.CHECKPOINTS,
                    "replica " + replica + " finds its state diverged at " + note.seq() + ": " + note.detail());
        }
    }

    @Override
    public void accused(int replica, Signed<?> first, Signed<?> second) {
        evidence.accused(replica, first, second);
    }

    @Override
    public void failed(String node, Throwable cause) {
        StringBuilder text = new StringBuilder(node + " ended with " + cause);
        StackTraceElement[] stack = cause.getStackTrace();
        for (int i = 0; i < Math.min(6, stack.length); i++) {
            text.append(" at ").append(stack[i]);
        }
        findings.report(Check.ROBUSTNESS, text.toString());
    }

    @Override
    public void invoked(int client, boolean correct, Call call, Bytes operation, boolean fast) {
        if (correct) {
            order.issued(client, operation);
        }
        history.invoked(client, call, fast, world.now());
    }

    @Override
    public void withdrawn(int client, Call call) {
        history.withdrawn(call.number());
    }

    @Override
    public void returned(int client, Call call, KeyModel.Answer answer, long seq) {
        history.returned(call.number(), answer, world.now(), seq, order.last());
        if (seq > 0) {
            long place = order.place(client, call.encode()).orElse(0L);
            if (place != seq && (place != 0 || !incomplete)) {
                findings.report(
                        Check.DURABILITY,
                        "client " + client + " was told that " + call + " stands at " + seq
                                + ", correct replicas have it" + (place == 0 ? " nowhere" : " at " + place));
            }
        }
    }

    @Override
    public void badReceipt(int client, String why) {
        findings.report(Check.RECEIPTS, "client " + client + ": " + why);
    }
}
