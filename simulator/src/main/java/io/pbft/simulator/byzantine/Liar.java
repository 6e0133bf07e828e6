package io.pbft.simulator.byzantine;

import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import io.pbft.protocol.Vote;
import io.pbft.replica.Outbox;
import io.pbft.simulator.BehaviourSpec;
import io.pbft.simulator.node.ReplicaNode;
import io.pbft.simulator.node.World;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.MessageKey;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A Byzantine replica's mouth and ears: its {@link Behaviour}s in a row, each switched on for its time. NOT thread-safe. */
public final class Liar implements Outbox {
    private record Stage(BehaviourSpec spec, Behaviour behaviour) {}

    private final World world;
    private final ReplicaNode node;
    private final Sealer sealer;
    private final List<Stage> stages = new ArrayList<>();
    private long view;

    private Liar(World world, ReplicaNode node, List<BehaviourSpec> specs) {
        this.world = world;
        this.node = node;
        this.sealer = node.sealer();
        for (BehaviourSpec spec : specs) {
            Behaviours.replica(spec, world.options()).ifPresent(b -> stages.add(new Stage(spec, b)));
        }
    }

    /** Puts {@code specs} between a replica and the network. */
    public static void corrupt(World world, ReplicaNode node, List<BehaviourSpec> specs) {
        Liar liar = new Liar(world, node, specs);
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
        for (int i = 0; i < world.options().replicas(); i++) {
            if (i != node.index()) {
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
            if (stage.spec.isOn(world.now())) {
                stage.behaviour.outgoing(to, message, new StageWay(i, delayMicros, Optional.of(message)));
                return;
            }
        }
        world.network().send(node.endpoint(), to, message, delayMicros);
    }

    private boolean hears(NodeId from, Message message) {
        for (int i = 0; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            if (stage.spec.isOn(world.now())
                    && !stage.behaviour.hears(from, message, new StageWay(i, 0, Optional.empty()))) {
                return false;
            }
        }
        return true;
    }

    private void tick() {
        for (int i = 0; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            if (stage.spec.isOn(world.now())) {
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
            world.trace().event("delay", node.name(), MessageKey.of(message), micros, name());
            say(stage + 1, to, message, delayMicros + micros);
        }

        @Override
        public void lie(NodeId to, Message message) {
            world.trace().lie(node.name(), to, MessageKey.of(message), name(), honest);
            say(stage + 1, to, message, delayMicros);
        }

        @Override
        public void withhold(NodeId to, Message message) {
            world.trace().event("withhold", node.name(), MessageKey.of(message), to.index(), name());
        }

        @Override
        public boolean dares(double probability, NodeId to, long about) {
            long key = Mix.mix(node.endpoint(), stage, Mix.mix(to.isReplica() ? 1 : 2, to.index()));
            return world.keyed().fires(Fault.LIE, probability, key, about, world.now());
        }

        @Override
        public long chance(long about, long which) {
            return world.keyed().bits(Fault.MUTATE, Mix.mix(node.endpoint(), stage, about), which);
        }

        @Override
        public <S extends Statement> Signed<S> sign(S statement) {
            return sealer.seal(statement).message();
        }

        @Override
        public int self() {
            return node.index();
        }

        @Override
        public int replicas() {
            return world.options().replicas();
        }

        @Override
        public long view() {
            return view;
        }

        @Override
        public long nowMicros() {
            return world.now();
        }

        @Override
        public void die() {
            node.crash();
        }

        private String name() {
            return stages.get(stage).spec.name();
        }
    }
}
