package io.pbft.simulator.transcript;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Message;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verdict;
import io.pbft.replica.DriverListener;
import io.pbft.replica.Operation;
import io.pbft.replica.Outbox;
import io.pbft.replica.Recovery;
import io.pbft.replica.ReplicaDriver;
import io.pbft.replica.StateMachine;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Core;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Effects;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.Replica;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.node.MemoryStores;
import io.pbft.simulator.node.World;
import io.pbft.simulator.world.DiskHealth;
import io.pbft.simulator.world.SimJournal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Real replicas and drivers on the simulator's disks, with a network that delivers what it is told to. What happens is written
 * down in the order in which it happens.
 */
final class TranscriptCluster {
    private static final int DELIVERIES_MAX = 10_000;

    /** A message under way; {@code to} is a replica. */
    record Letter(NodeId from, int to, Message message) {}

    private final World world;
    private final SimOptions options;
    private final MessageText text = new MessageText();
    private final List<Node> nodes = new ArrayList<>();
    private final List<Sealer> clients = new ArrayList<>();
    private final Map<String, Signed<Request>> requests = new TreeMap<>();
    private final List<Letter> underWay = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
    private long nowMillis;
    private int hiddenStatuses;

    /** @param byzantine the replica that does nothing but what it is told, or -1 */
    TranscriptCluster(SimOptions options, int byzantine) {
        this.options = options;
        this.world = new World(options, false);
        for (int i = 0; i < options.clients(); i++) {
            clients.add(world.takeSealer(NodeId.client(i)));
        }
        for (int i = 0; i < options.replicas(); i++) {
            nodes.add(new Node(i, i == byzantine));
        }
        nodes.forEach(node -> node.start(false));
    }

    /** What happened since the last call. */
    List<String> drain() {
        if (hiddenStatuses > 0) {
            lines.add("(" + hiddenStatuses + " STATUS)");
            hiddenStatuses = 0;
        }
        List<String> drained = List.copyOf(lines);
        lines.clear();
        return drained;
    }

    private void say(String line) {
        lines.add(line);
    }

    private void settleDisks() {
        while (world.events().nextTime() <= world.now()) {
            world.events().step();
        }
    }

    void request(int client, long number, String operation, List<Integer> to) {
        long epoch = World.WALL_MILLIS << 20;
        Request request = new Request(client, epoch, 1, number, -1, List.of(Bytes.utf8(operation)));
        Signed<Request> signed = clients.get(client).seal(request).message();
        requests.put("c" + client + "#" + number, signed);
        say("c" + client + " -> " + to + " " + text.of(signed));
        for (int replica : to) {
            underWay.add(new Letter(NodeId.client(client), replica, signed));
        }
    }

    /** A Byzantine primary's proposal, to some. */
    void propose(int by, long view, long seq, List<String> names, List<Integer> to) {
        List<Signed<Request>> chosen = names.stream().map(requests::get).toList();
        Batch batch = new Batch(World.WALL_MILLIS + nowMillis, chosen);
        Signed<PrePrepare> prePrepare = nodes.get(by)
                .sealer
                .seal(new PrePrepare(view, seq, batch.digest(), by))
                .message();
        Proposal proposal = new Proposal(prePrepare, batch);
        say("r" + by + " -> " + to + " " + text.of(proposal));
        for (int replica : to) {
            underWay.add(new Letter(NodeId.replica(by), replica, proposal));
        }
    }

    /** Delivers everything, in the order in which it was sent, and what follows from it. */
    void stabilize() {
        int delivered = 0;
        while (!underWay.isEmpty()) {
            if (++delivered > DELIVERIES_MAX) {
                throw new IllegalStateException("the replicas do not come to rest");
            }
            deliver(underWay.remove(0));
        }
    }

    /** Delivers what is under way now and fits; what it gives rise to waits. */
    void deliver(Predicate<Letter> which) {
        for (Letter letter : take(which)) {
            deliver(letter);
        }
    }

    void drop(Predicate<Letter> which) {
        for (Letter letter : take(which)) {
            say("lost: " + name(letter.from) + " -> r" + letter.to + " " + text.of(letter.message));
        }
    }

    private List<Letter> take(Predicate<Letter> which) {
        List<Letter> taken = underWay.stream().filter(which).toList();
        if (taken.isEmpty()) {
            throw new IllegalStateException("nothing of that kind is under way");
        }
        underWay.removeIf(which);
        return taken;
    }

    private void deliver(Letter letter) {
        int before = lines.size();
        nodes.get(letter.to).receive(letter);
        settleDisks();
        // A delivery without consequences is not worth a line.
        if (lines.size() > before) {
            lines.add(before, name(letter.from) + " => r" + letter.to + " " + text.of(letter.message));
        }
    }

    /** Time passes and nothing arrives. */
    void tick(long millis) {
        for (long i = 0; i < millis; i += options.parameters().tickMillis()) {
            nowMillis += options.parameters().tickMillis();
            for (Node node : nodes) {
                node.handle(new Input.Tick(World.WALL_MILLIS + nowMillis));
                settleDisks();
            }
        }
    }

    void crash(int replica) {
        nodes.get(replica).crash();
    }

    void restart(int replica) {
        nodes.get(replica).start(false);
        settleDisks();
    }

    /** The replica's disk is lost; it comes back with an empty one and is told so. */
    void rejoin(int replica) {
        nodes.get(replica).loseDisk();
        nodes.get(replica).start(true);
        settleDisks();
    }

    void state() {
        for (Node node : nodes) {
            say("r" + node.index + " " + node.standing());
        }
    }

    private static String name(NodeId node) {
        return (node.isReplica() ? "r" : "c") + node.index();
    }

    /** The state is what was asked for: each operation under its own name. */
    private static final class Remember implements StateMachine {
        @Override
        public Bytes apply(Operation operation, State state) {
            state.put(operation.payload(), Bytes.utf8("at " + operation.seq()));
            return operation.payload();
        }

        @Override
        public Bytes query(Operation operation, StateView state) {
            return state.get(operation.payload()).orElse(Bytes.EMPTY);
        }
    }

    private final class Node implements Outbox, DriverListener, Core {
        private final int index;
        private final boolean byzantine;
        private final Sealer sealer;
        private final Config config;
        private final SimJournal.Disk disk = new SimJournal.Disk();
        private final DiskHealth health = new DiskHealth();
        private final MemoryStores stores;
        private final Effects effects = new Effects();
        private @Nullable SimJournal journal;
        private @Nullable Core core;
        private @Nullable ReplicaDriver driver;

        Node(int index, boolean byzantine) {
            this.index = index;
            this.byzantine = byzantine;
            this.sealer = world.takeSealer(NodeId.replica(index));
            this.config = new Config(index, options.quorum(), options.clients(), options.parameters());
            this.stores = new MemoryStores(world, index);
            disk.watch(entry ->
                    say("  r" + index + " disk " + entry.kind() + " view " + entry.view() + " seq " + entry.seq()));
        }

        void start(boolean rejoining) {
            if (byzantine) {
                return;
            }
            SimJournal opened = new SimJournal(disk, health, this::halted, world.events(), world.keyed(), index, 0, 0);
            var store = stores.open(health, this::halted);
            core = new Replica(
                    config, Recovery.recover(config, opened, store, world.verifier(), "r" + index, rejoining));
            journal = opened;
            driver = new ReplicaDriver(
                    config,
                    this,
                    new ReplicaDriver.Seams(sealer, opened, store, new Remember(), this, this, Runnable::run));
            handle(new Input.Tick(World.WALL_MILLIS + nowMillis));
        }

        void crash() {
            if (journal != null) {
                journal.crash();
            }
            stores.crash();
            driver = null;
            core = null;
        }

        void loseDisk() {
            crash();
            disk.lose();
            stores.lose();
        }

        void handle(Input input) {
            if (driver != null) {
                driver.handle(input);
            }
        }

        void receive(Letter letter) {
            if (driver == null) {
                return;
            }
            Verdict verdict = world.verifier().verify(letter.from, letter.message);
            if (verdict instanceof Verdict.Accepted accepted) {
                handle(new Input.Received(accepted.message()));
            } else if (verdict instanceof Verdict.Rejected rejected) {
                say("  r" + index + " rejects: " + rejected.reason());
            }
        }

        String standing() {
            if (byzantine) {
                return "Byzantine";
            }
            if (driver == null) {
                return "down";
            }
            ReplicaReport r = driver.report();
            return r.status() + " view " + r.view() + " executed " + r.lastExecuted() + " stable "
                    + r.stableCheckpoint() + " slots " + r.logSlots() + " journal " + disk.size();
        }

        @Override
        public void step(Input input, Effects out) {
            Core running = core;
            if (running == null) {
                return;
            }
            running.step(input, effects);
            for (Effect effect : effects.drain()) {
                if (effect instanceof Effect.Execute execute) {
                    say("  r" + index + " executes seq " + execute.seq() + " "
                            + execute.calls().stream()
                                    .map(call -> call.operation().toUtf8())
                                    .toList());
                }
                out.add(effect);
            }
        }

        @Override
        public ReplicaReport report() {
            Core running = core;
            if (running == null) {
                throw new IllegalStateException("r" + index + " is down");
            }
            return running.report();
        }

        @Override
        public void send(NodeId to, Message message) {
            if (message.type() == MessageType.STATUS) {
                hiddenStatuses++;
            } else {
                say("  r" + index + " -> " + name(to) + " " + text.of(message));
            }
            if (to.isReplica()) {
                underWay.add(new Letter(NodeId.replica(index), to.index(), message));
            }
        }

        @Override
        public void broadcast(Message message) {
            if (message.type() == MessageType.STATUS) {
                hiddenStatuses++;
            } else {
                say("  r" + index + " -> all " + text.of(message));
            }
            for (int i = 0; i < options.replicas(); i++) {
                if (i != index) {
                    underWay.add(new Letter(NodeId.replica(index), i, message));
                }
            }
        }

        @Override
        public void note(Effect.Note note) {
            say("  r" + index + " notes " + note.event() + " view " + note.view() + " seq " + note.seq());
        }

        @Override
        public void accuse(Signed<?> first, Signed<?> second) {
            say("  r" + index + " accuses " + name(first.statement().signer()) + ": " + text.of(first) + " and "
                    + text.of(second));
        }

        @Override
        public void halted(Throwable cause) {
            throw new IllegalStateException("r" + index + " halted", cause);
        }
    }
}
