package io.pbft.simulator.byzantine;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import io.pbft.protocol.Vote;
import io.pbft.replica.Outbox;
import io.pbft.simulator.BehaviourSpec;
import io.pbft.simulator.node.ReplicaNode;
import io.pbft.simulator.node.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A Byzantine replica's mouth and ears: its {@link Behaviour}s in a row, each switched on for its time. NOT thread-safe. */
public final class Liar implements Outbox {
    private static final Digest ELSEWHERE = Digest.of(Bytes.utf8("another cluster"));

    private record Stage(BehaviourSpec spec, Behaviour behaviour) {}

    private final Host host;
    private final List<Stage> stages = new ArrayList<>();
    private long view;

    Liar(Host host, List<BehaviourSpec> specs) {
        this.host = host;
        for (BehaviourSpec spec : specs) {
            Behaviours.replica(spec, host).ifPresent(b -> stages.add(new Stage(spec, b)));
        }
    }

    /** Puts {@code specs} between a replica of the simulated world and its network. */
    public static void corrupt(World world, ReplicaNode node, List<BehaviourSpec> specs, Conspiracy conspiracy) {
        Liar liar = new Liar(new SimulatedHost(world, node, conspiracy), specs);
        node.corrupt(liar, liar::hears, liar::tick);
    }

    @Override
    public void send(NodeId to, Message message) {
        learnView(message);
        say(0, to, message, 0);
    }

    @Override
    public void broadcast(Message message) {
        learnView(message);
        for (int i = 0; i < host.replicas(); i++) {
            if (i != host.self()) {
                say(0, NodeId.replica(i), message, 0);
            }
        }
    }

    private void learnView(Message message) {
        if (message instanceof Status status) {
            view = Math.max(view, status.view());
        } else if (message instanceof Signed<?> signed) {
            if (signed.statement() instanceof Vote vote) {
                view = Math.max(view, vote.view());
            } else if (signed.statement() instanceof ViewChange change) {
                view = Math.max(view, change.view());
            } else if (signed.statement() instanceof NewView newView) {
                view = Math.max(view, newView.view());
            }
        }
    }

    private void say(int from, NodeId to, Message message, long delayMicros) {
        for (int i = from; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            if (stage.spec.isOn(host.nowMicros())) {
                stage.behaviour.outgoing(to, message, new StageWay(i, delayMicros, Optional.of(message)));
                return;
            }
        }
        host.send(to, message, delayMicros);
    }

    /** Whether the core gets to hear this message. */
    boolean hears(NodeId from, Message message) {
        for (int i = 0; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            if (stage.spec.isOn(host.nowMicros())
                    && !stage.behaviour.hears(from, message, new StageWay(i, 0, Optional.empty()))) {
                return false;
            }
        }
        return true;
    }

    /** Each tick of the replica's clock, before the core's. */
    void tick() {
        for (int i = 0; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            if (stage.spec.isOn(host.nowMicros())) {
                stage.behaviour.tick(new StageWay(i, 0, Optional.empty()));
            }
        }
    }

    /** The way out behind one behaviour. */
    private final class StageWay implements Way {
        private final int stage;
        private final long delayMicros;

        /** What the behaviour was given to send; empty where it speaks unasked. */
        private final Optional<Message> honest;

        StageWay(int stage, long delayMicros, Optional<Message> honest) {
            this.stage = stage;
            this.honest = honest;
            this.delayMicros = delayMicros;
        }

        @Override
        public void pass(NodeId to, Message message) {
            say(stage + 1, to, message, delayMicros);
        }

        @Override
        public void delay(NodeId to, Message message, long micros) {
            host.delayed(to, message, micros, name());
            say(stage + 1, to, message, delayMicros + micros);
        }

        @Override
        public void lie(NodeId to, Message message) {
            host.lied(to, message, name(), honest);
            say(stage + 1, to, message, delayMicros);
        }

        @Override
        public void withhold(NodeId to, Message message) {
            host.withheld(to, message, name());
        }

        @Override
        public boolean dares(double probability, NodeId to, long about) {
            return host.dares(probability, stage, to, about);
        }

        @Override
        public long chance(long about, long which) {
            return host.chance(stage, about, which);
        }

        @Override
        public <S extends Statement> Signed<S> sign(S statement) {
            return host.sealer().seal(statement).message();
        }

        @Override
        public <S extends Statement> Signed<S> signElsewhere(S statement) {
            return host.sealer().inCluster(ELSEWHERE).seal(statement).message();
        }

        @Override
        public int self() {
            return host.self();
        }

        @Override
        public int replicas() {
            return host.replicas();
        }

        @Override
        public long view() {
            return view;
        }

        @Override
        public long nowMicros() {
            return host.nowMicros();
        }

        @Override
        public void die() {
            host.die();
        }

        private String name() {
            return stages.get(stage).spec.name();
        }
    }
}
