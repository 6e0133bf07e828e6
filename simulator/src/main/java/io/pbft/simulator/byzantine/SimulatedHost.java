package io.pbft.simulator.byzantine;

import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Sealer;
import io.pbft.simulator.node.ReplicaNode;
import io.pbft.simulator.node.World;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.MessageKey;
import io.pbft.simulator.world.Mix;
import java.util.Optional;

/** A replica of the simulated world. */
record SimulatedHost(World world, ReplicaNode node, Conspiracy conspiracy) implements Host {
    @Override
    public int self() {
        return node.index();
    }

    @Override
    public int replicas() {
        return world.options().replicas();
    }

    @Override
    public Sealer sealer() {
        return node.sealer();
    }

    @Override
    public long nowMicros() {
        return world.now();
    }

    @Override
    public void send(NodeId to, Message message, long delayMicros) {
        world.network().send(node.endpoint(), to, message, delayMicros);
    }

    @Override
    public boolean dares(double probability, int stage, NodeId to, long about) {
        long key = Mix.mix(node.endpoint(), stage, Mix.mix(to.isReplica() ? 1 : 2, to.index()));
        return world.keyed().fires(Fault.LIE, probability, key, about, world.now());
    }

    @Override
    public long chance(int stage, long about, long which) {
        return world.keyed().bits(Fault.MUTATE, Mix.mix(node.endpoint(), stage, about), which);
    }

    @Override
    public void lied(NodeId to, Message message, String behaviour, Optional<Message> honest) {
        world.trace().lie(node.name(), to, MessageKey.of(message), behaviour, honest);
    }

    @Override
    public void withheld(NodeId to, Message message, String behaviour) {
        world.trace().event("withhold", node.name(), MessageKey.of(message), to.index(), behaviour);
    }

    @Override
    public void delayed(NodeId to, Message message, long micros, String behaviour) {
        world.trace().event("delay", node.name(), MessageKey.of(message), micros, behaviour);
    }

    @Override
    public void die() {
        node.crash();
    }
}
