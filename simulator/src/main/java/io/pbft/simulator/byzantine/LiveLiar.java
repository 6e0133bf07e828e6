package io.pbft.simulator.byzantine;

import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.Sealer;
import io.pbft.replica.Outbox;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Core;
import io.pbft.replica.core.Effects;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.replica.server.Corruption;
import io.pbft.simulator.BehaviourSpec;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.FaultPlan;
import io.pbft.simulator.world.Keyed;
import io.pbft.simulator.world.Mix;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The simulator's behaviours in a real process: the same classes between a correct core and a real network. Their time counts
 * from the start of the process, and chance comes from the seed alone, so that what is lied about depends on what there is to
 * lie about and on nothing else.
 *
 * <p>A server calls its outbox from the core's thread and from the one that signs replies. Behaviours know one thread: all that
 * goes in and out here holds one lock, which nothing below it takes again.
 */
public final class LiveLiar implements Corruption {
    private final List<BehaviourSpec> specs;
    private final long seed;
    private final Runnable death;

    /**
     * @param death ends the process at once, as a crash does
     * @throws IllegalArgumentException for {@code twin}: two cores with one key are two processes, not one that lies
     */
    public LiveLiar(List<BehaviourSpec> specs, long seed, Runnable death) {
        for (BehaviourSpec spec : specs) {
            if (spec.name().equals("twin")) {
                throw new IllegalArgumentException("twin is two replicas with one key: copy the replica's folder and"
                        + " start it a second time instead");
            }
        }
        this.specs = List.copyOf(specs);
        this.seed = seed;
        this.death = death;
    }

    @Override
    public Parts corrupt(Config config, Sealer sealer, Parts honest) {
        Liar liar = new Liar(new LiveHost(config, sealer, honest.outbox(), seed, death), specs);
        Object lock = new Object();
        return new Parts(new Ears(honest.core(), liar, lock), new Mouth(liar, lock));
    }

    private record Mouth(Liar liar, Object lock) implements Outbox {
        @Override
        public void send(NodeId to, Message message) {
            synchronized (lock) {
                liar.send(to, message);
            }
        }

        @Override
        public void broadcast(Message message) {
            synchronized (lock) {
                liar.broadcast(message);
            }
        }
    }

    private record Ears(Core core, Liar liar, Object lock) implements Core {
        @Override
        public void step(Input input, Effects out) {
            synchronized (lock) {
                if (input instanceof Input.Tick) {
                    liar.tick();
                } else if (input instanceof Input.Received received
                        && !liar.hears(
                                received.message().from(), received.message().message())) {
                    return;
                }
            }
            core.step(input, out);
        }

        @Override
        public ReplicaReport report() {
            return core.report();
        }
    }

    /** The process that a liar lives in. */
    private static final class LiveHost implements Host {
        private final Config config;
        private final Sealer sealer;
        private final Outbox honest;
        private final Keyed keyed;
        private final Runnable death;
        private final Conspiracy conspiracy;
        private final long startedNanos = System.nanoTime();

        LiveHost(Config config, Sealer sealer, Outbox honest, long seed, Runnable death) {
            this.config = config;
            this.sealer = sealer;
            this.honest = honest;
            this.death = death;
            // No plan is kept: a process lives too long for a list of all its lies.
            this.keyed = new Keyed(seed, new FaultPlan());
            Quorum quorum = config.quorum();
            this.conspiracy = new Conspiracy(quorum, about -> keyed.bits(Fault.TRUST, about, 0));
        }

        @Override
        public int self() {
            return config.self();
        }

        @Override
        public int replicas() {
            return config.quorum().replicas();
        }

        @Override
        public Sealer sealer() {
            return sealer;
        }

        @Override
        public long nowMicros() {
            return TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - startedNanos);
        }

        @Override
        public void send(NodeId to, Message message, long delayMicros) {
            if (delayMicros == 0) {
                honest.send(to, message);
            } else {
                CompletableFuture.delayedExecutor(delayMicros, TimeUnit.MICROSECONDS)
                        .execute(() -> honest.send(to, message));
            }
        }

        @Override
        public boolean dares(double probability, int stage, NodeId to, long about) {
            long key = Mix.mix(config.self(), stage, Mix.mix(to.isReplica() ? 1 : 2, to.index()));
            return keyed.unit(Fault.LIE, key, about) < probability;
        }

        @Override
        public long chance(int stage, long about, long which) {
            return keyed.bits(Fault.MUTATE, Mix.mix(config.self(), stage, about), which);
        }

        @Override
        public Conspiracy conspiracy() {
            return conspiracy;
        }

        @Override
        public void lied(NodeId to, Message message, String behaviour, Optional<Message> honestly) {
            // A process keeps no trace: the others' evidence says what it did.
        }

        @Override
        public void withheld(NodeId to, Message message, String behaviour) {}

        @Override
        public void delayed(NodeId to, Message message, long micros, String behaviour) {}

        @Override
        public void die() {
            death.run();
        }
    }
}
