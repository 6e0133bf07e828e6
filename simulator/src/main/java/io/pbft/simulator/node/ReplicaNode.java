package io.pbft.simulator.node;

import io.pbft.checkpoint.StateStore;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verdict;
import io.pbft.replica.DriverListener;
import io.pbft.replica.Outbox;
import io.pbft.replica.Recovery;
import io.pbft.replica.ReplicaDriver;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Core;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Effects;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.Promise;
import io.pbft.replica.core.Recovered;
import io.pbft.replica.core.Replica;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.check.Probes;
import io.pbft.simulator.world.DiskHealth;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.Network;
import io.pbft.simulator.world.Parcel;
import io.pbft.simulator.world.SimJournal;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One replica of the world: the real driver around the real core, on a virtual disk and the virtual network. It can crash, start
 * again from its disk, lose the disk, and be paused. NOT thread-safe.
 */
public final class ReplicaNode implements Network.Endpoint {
    /** What a paused node keeps: what more arrives is lost, as it is when the buffers of a connection are full. */
    private static final int QUEUE_WHILE_PAUSED_MAX = 4_096;

    /** Ticks between two looks at the report of a correct replica. */
    private static final int REPORT_TICKS = 32;

    /** What is made for each start of the process. */
    private record Running(ReplicaDriver driver, SimJournal journal, StateStore store) {}

    private final World world;
    private final int index;
    private final NodeId node;
    private final String name;
    private final Config config;
    private final Sealer sealer;
    private final boolean correct;
    private final SimJournal.Disk disk = new SimJournal.Disk();
    private final DiskHealth health = new DiskHealth();
    private final MemoryStores stores;
    private final Watch watch;
    private final Deque<Parcel> queue = new ArrayDeque<>();
    private final int endpoint;
    private Outbox outbox;
    private Side side = (from, now) -> true;
    private Hearing hearing = (from, message) -> true;
    private Runnable onTick = () -> {};
    private @Nullable Running process;
    private boolean paused;
    private boolean tickWhilePaused;
    private boolean wasDiskLost;
    private boolean wasStoppedByDisk;
    private Runnable onStoppedByDisk = () -> {};
    private long starts;
    private long ticks;

    /** Decides what a Byzantine replica wants to hear. */
    @FunctionalInterface
    public interface Hearing {
        boolean hears(NodeId from, Message message);
    }

    /** Decides which half of a pair of twins an endpoint's messages get to. */
    @FunctionalInterface
    public interface Side {
        boolean hears(int fromEndpoint, long nowMicros);
    }

    /**
     * @param second whether this is the second of a pair of twins
     * @param sealer its own: the halves of a pair share it
     */
    public ReplicaNode(World world, int index, boolean second, Sealer sealer, boolean correct, Watch watch) {
        SimOptions options = world.options();
        this.world = world;
        this.index = index;
        this.node = NodeId.replica(index);
        this.name = "r" + index + (second ? "'" : "");
        this.config = new Config(index, options.quorum(), options.clients(), options.parameters());
        this.sealer = sealer;
        this.correct = correct;
        this.stores = new MemoryStores(world, second ? ~index : index);
        this.watch = watch;
        this.endpoint = world.network().add(this);
        this.outbox = new HonestOutbox();
        if (correct) {
            disk.watch(entry -> watch.durable(index, entry));
        }
    }

    @Override
    public NodeId node() {
        return node;
    }

    @Override
    public String name() {
        return name;
    }

    public int index() {
        return index;
    }

    public int endpoint() {
        return endpoint;
    }

    public Sealer sealer() {
        return sealer;
    }

    /** Whether it does what the protocol says; its disk may fail all the same. */
    public boolean correct() {
        return correct;
    }

    @Override
    public boolean faulty() {
        return !correct;
    }

    @Override
    public boolean reachableFrom(int from, long now) {
        return side.hears(from, now);
    }

    /** A Byzantine replica: what it sends goes through {@code mouth}, what it hears is up to {@code hearing}. */
    public void corrupt(Outbox mouth, Hearing ears, Runnable everyTick) {
        outbox = mouth;
        hearing = ears;
        onTick = everyTick;
    }

    public void listenOn(Side half) {
        side = half;
    }

    public boolean isUp() {
        return process != null;
    }

    public boolean isPaused() {
        return paused;
    }

    public boolean wasDiskLost() {
        return wasDiskLost;
    }

    public SimJournal.Disk disk() {
        return disk;
    }

    public DiskHealth health() {
        return health;
    }

    /** Whether it is down because its disk reported an error, as a server that halts for that and ends. */
    public boolean wasStoppedByDisk() {
        return wasStoppedByDisk;
    }

    /** Tells {@code observer} each time that an error of the disk has stopped it. */
    public void onStoppedByDisk(Runnable observer) {
        onStoppedByDisk = observer;
    }

    /** Where it stands; empty while it is down. */
    public Optional<ReplicaReport> report() {
        return Optional.ofNullable(process).map(p -> p.driver.report());
    }

    /** Starts the process from what is on its disk. */
    public void start(boolean rejoin) {
        if (process != null) {
            return;
        }
        starts++;
        world.trace().event("start", name, starts, rejoin ? 1 : 0, "");
        SimOptions.Disk latency = world.options().disk();
        wasStoppedByDisk = false;
        SimJournal journal = new SimJournal(
                disk,
                health,
                this::diskFailed,
                world.events(),
                world.keyed(),
                endpoint,
                latency.latencyMinMicros(),
                latency.latencyMaxMicros());
        try {
            StateStore store = stores.open(health, this::diskFailed);
            Recovered recovered = Recovery.recover(config, journal, store, world.verifier(), name, rejoin);
            Core core = new WatchedCore(new Replica(config, recovered));
            ReplicaDriver driver = new ReplicaDriver(
                    config,
                    core,
                    new ReplicaDriver.Seams(
                            sealer,
                            journal,
                            store,
                            world.application().machine(name, correct),
                            new Gate(starts),
                            new Listener(),
                            Runnable::run));
            process = new Running(driver, journal, store);
            if (correct) {
                watch.reported(index, driver.report(), disk.size());
            }
        } catch (RuntimeException e) {
            failed(e);
            return;
        }
        long period = tickMicros();
        scheduleTick(starts, world.keyed().between(Fault.LATENCY, endpoint, -starts, 0, period));
    }

    /** The process ends at once. What was not durable is gone. */
    public void crash() {
        Running p = process;
        if (p == null) {
            return;
        }
        world.trace().event("crash", name, starts, 0, "");
        p.journal.crash();
        stores.crash();
        process = null;
        paused = false;
        tickWhilePaused = false;
        queue.clear();
    }

    public void loseDisk() {
        crash();
        world.trace().event("lose-disk", name, starts, 0, "");
        disk.lose();
        stores.lose();
        wasDiskLost = true;
    }

    public void pause() {
        if (process != null) {
            paused = true;
            world.trace().event("pause", name, starts, 0, "");
        }
    }

    /** Wakes up: what arrived meanwhile is handled, and however long it slept, one tick passed. */
    public void resume() {
        if (!paused) {
            return;
        }
        paused = false;
        world.trace().event("resume", name, starts, queue.size(), "");
        if (tickWhilePaused) {
            tickWhilePaused = false;
            handle(new Input.Tick(wallMillis()));
        }
        while (!queue.isEmpty() && !paused) {
            hear(queue.remove());
        }
    }

    /** The connection to another replica came up or went down. */
    public void connection(int replica, boolean up) {
        if (process != null && !paused) {
            handle(new Input.Connection(replica, up));
        }
    }

    /** Another replica was not there when this one started. */
    public void absent(int replica) {
        if (process != null && !paused) {
            handle(new Input.Absent(replica));
        }
    }

    @Override
    public void deliver(Parcel parcel) {
        if (process == null) {
            return;
        }
        if (paused) {
            if (queue.size() < QUEUE_WHILE_PAUSED_MAX) {
                queue.add(parcel);
            }
            return;
        }
        hear(parcel);
    }

    private void hear(Parcel parcel) {
        if (!hearing.hears(parcel.from(), parcel.message())) {
            return;
        }
        Verdict verdict = verdict(parcel);
        if (verdict instanceof Verdict.Accepted accepted) {
            handle(new Input.Received(accepted.message()));
        } else if (verdict instanceof Verdict.Rejected rejected) {
            world.probe(Probes.rejected(rejected.reason()));
            world.trace()
                    .event("reject", name, parcel.key(), 0, rejected.reason().name());
        }
    }

    @Override
    public void deliverSpoilt(Parcel parcel) {
        verdict(parcel);
    }

    private @Nullable Verdict verdict(Parcel parcel) {
        try {
            return parcel.verdict(world.verifier());
        } catch (RuntimeException e) {
            watch.failed(name, e);
            return null;
        }
    }

    private void handle(Input input) {
        Running p = process;
        if (p != null) {
            p.driver.handle(input);
        }
    }

    private void scheduleTick(long start, long delayMicros) {
        world.events().after(delayMicros, () -> {
            if (start == starts && process != null) {
                tick();
                scheduleTick(start, tickMicros());
            }
        });
    }

    private void tick() {
        ticks++;
        if (paused) {
            tickWhilePaused = true;
            return;
        }
        onTick.run();
        handle(new Input.Tick(wallMillis()));
        if (correct && ticks % REPORT_TICKS == 0) {
            report().ifPresent(report -> watch.reported(index, report, disk.size()));
        }
    }

    private long tickMicros() {
        long nominal = world.options().parameters().tickMillis() * 1_000L;
        return nominal - nominal * drift() / 1_000_000;
    }

    /** In parts per million: how much too fast this replica's clock runs. */
    private long drift() {
        int max = world.options().clocks().driftPpm();
        return max == 0 ? 0 : world.keyed().between(Fault.LATENCY, ~endpoint, 0, -max, max);
    }

    long wallMillis() {
        long skew = world.options().clocks().skewMillis().getOrDefault(index, 0);
        long passed = world.now() + world.now() * drift() / 1_000_000;
        return World.WALL_MILLIS + skew + passed / 1_000;
    }

    /** What a server does when its disk reports an error: it halts, whatever it was about to do. */
    private void diskFailed(Throwable cause) {
        Running p = process;
        if (p != null) {
            // Anything else that a store has to say is a mistake of the product, and a finding.
            wasStoppedByDisk = cause instanceof StorageFailure;
            p.driver.halt(cause);
            stores.crash();
            paused = false;
            tickWhilePaused = false;
            queue.clear();
            if (wasStoppedByDisk) {
                onStoppedByDisk.run();
            }
        }
    }

    private void failed(Throwable cause) {
        world.trace().event("halt", name, starts, 0, String.valueOf(cause));
        process = null;
        if (correct && !wasStoppedByDisk) {
            watch.failed(name, cause);
        }
    }

    /** To everybody else, as it is. */
    private final class HonestOutbox implements Outbox {
        @Override
        public void send(NodeId to, Message message) {
            world.network().send(endpoint, to, message, 0);
        }

        @Override
        public void broadcast(Message message) {
            for (int i = 0; i < config.quorum().replicas(); i++) {
                if (i != index) {
                    send(NodeId.replica(i), message);
                }
            }
        }
    }

    /** What one start of the process says: nothing after its end, and the checkers hear what a correct one says. */
    private final class Gate implements Outbox {
        private final long start;

        Gate(long start) {
            this.start = start;
        }

        @Override
        public void send(NodeId to, Message message) {
            if (isOpen(message)) {
                outbox.send(to, message);
            }
        }

        @Override
        public void broadcast(Message message) {
            if (isOpen(message)) {
                outbox.broadcast(message);
            }
        }

        private boolean isOpen(Message message) {
            if (start != starts) {
                return false;
            }
            if (correct) {
                watch.sent(index, message);
            }
            return true;
        }
    }

    private final class Listener implements DriverListener {
        @Override
        public void note(Effect.Note note) {
            world.probe(Probes.note(note.event()));
            world.trace().event("note", name, note.view(), note.seq(), note.event() + ": " + note.detail());
            if (correct) {
                watch.noted(index, note);
            }
        }

        @Override
        public void accuse(Signed<?> first, Signed<?> second) {
            world.trace()
                    .event(
                            "accuse",
                            name,
                            0,
                            0,
                            String.valueOf(first.statement().signer()));
            watch.accused(index, first, second);
        }

        @Override
        public void halted(Throwable cause) {
            Running p = process;
            if (p != null) {
                p.journal.crash();
            }
            failed(cause);
        }
    }

    /** Shows the checkers what a correct core wants done. */
    private final class WatchedCore implements Core {
        private final Core core;
        private final Effects effects = new Effects();
        private final Standing standing = new Standing(world.trace(), name);
        private long coreTicks;

        WatchedCore(Core core) {
            this.core = core;
            look();
        }

        private void look() {
            if (world.trace().keepsText()) {
                standing.look(core.report(), coreTicks);
            }
        }

        @Override
        public void step(Input input, Effects out) {
            if (correct
                    && input instanceof Input.Received received
                    && received.message().message() instanceof ReadRequest request) {
                watch.asked(index, received.message().from().index(), request);
            }
            core.step(input, effects);
            coreTicks += input instanceof Input.Tick ? 1 : 0;
            look();
            for (Effect effect : effects.drain()) {
                if (correct) {
                    watch.wanted(index, effect);
                    if (effect instanceof Effect.Send send && send.message() instanceof BatchFetch fetch) {
                        watch.fetches(index, fetch, core.report().stableCheckpoint());
                    }
                }
                if (effect instanceof Effect.Execute execute) {
                    world.trace()
                            .event(
                                    "execute",
                                    name,
                                    execute.seq(),
                                    execute.calls().size(),
                                    "");
                    if (correct) {
                        watch.executed(index, execute);
                    }
                } else if (correct
                        && effect instanceof Effect.Bind bind
                        && bind.promise() instanceof Promise.Vouch vouch) {
                    watch.checkpoint(
                            index, vouch.checkpoint().seq(), vouch.checkpoint().state());
                }
                out.add(effect);
            }
        }

        @Override
        public ReplicaReport report() {
            return core.report();
        }
    }
}
