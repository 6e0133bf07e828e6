package io.pbft.simulator.junit;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.replica.Operation;
import io.pbft.replica.StateMachine;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.ResultRoom;
import io.pbft.simulator.workload.Application;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.workload.KeyModel;
import io.pbft.simulator.workload.Specification;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.Keyed;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/**
 * A user's state machine in the simulator's world. Its operations travel as {@link Call}s with a number of their own, so that
 * the checkers can tell them apart; the machine sees what the user made, and of a Byzantine client whatever that sent. NOT
 * thread-safe.
 */
final class UserApplication implements Application {
    /** The replay at the end of a run waits for the clock to have moved this far, so that a machine that reads it is seen. */
    private static final long CLOCK_MILLIS = 2;

    private final SimulatedCluster cluster;
    private final Keyed keyed;
    private final Divergences divergences = new Divergences();

    UserApplication(SimulatedCluster cluster, Keyed keyed) {
        this.cluster = cluster;
        this.keyed = keyed;
    }

    @Override
    public StateMachine machine(String node, boolean correct) {
        return new Watched(node, correct);
    }

    @Override
    public Call call(long number) {
        boolean read = cluster.isRead(keyed.unit(Fault.WORKLOAD, number, 2));
        SplittableRandom random = new SplittableRandom(keyed.bits(Fault.WORKLOAD, number, 7));
        Bytes payload = cluster.operation(read, number, random);
        return new Call(number, read ? "get" : "run", "-", payload.toHex(), "");
    }

    @Override
    public boolean fast(long number) {
        return true;
    }

    @Override
    public Optional<Specification> specification() {
        return Optional.of(new Replay());
    }

    private static Bytes unwrap(Bytes wrapped) {
        return Call.decode(wrapped)
                .filter(call -> call.key().equals("-") && call.first().matches("([0-9a-f]{2})*"))
                .map(call -> Bytes.fromHex(call.first()))
                .orElse(wrapped);
    }

    private static Operation unwrap(Operation o) {
        return new Operation(unwrap(o.payload()), o.client(), o.seq(), o.timeMillis(), o.seed());
    }

    private Outcome elsewhere(Supplier<Outcome> run) {
        return cluster.travels() ? Abroad.run(run) : run.get();
    }

    /**
     * One replica's machine. Every operation runs twice, on the same state: on a new instance that knows nothing, elsewhere
     * in the world, and on the replica's own.
     */
    private final class Watched implements StateMachine {
        private final String node;
        private final boolean correct;
        private final StateMachine machine = cluster.machine();

        Watched(String node, boolean correct) {
            this.node = node;
            this.correct = correct;
        }

        @Override
        public Bytes apply(Operation wrapped, State state) {
            Operation operation = unwrap(wrapped);
            Outcome trial = elsewhere(() -> Outcome.ofApply(cluster.machine(), operation, state));
            Outcome outcome = Outcome.ofApply(machine, operation, state);
            divergences.compare(operation, outcome, node, trial, "a new instance elsewhere");
            if (correct) {
                divergences.agree(wrapped.payload(), operation, outcome, node);
            }
            outcome.writes().forEach((key, value) -> {
                if (value.isPresent()) {
                    state.put(key, value.get());
                } else {
                    state.delete(key);
                }
            });
            return outcome.answer();
        }

        @Override
        public Bytes query(Operation wrapped, StateView state) {
            Operation operation = unwrap(wrapped);
            Outcome trial = elsewhere(() -> Outcome.ofQuery(cluster.machine(), operation, state));
            Outcome outcome = Outcome.ofQuery(machine, operation, state);
            divergences.compare(operation, outcome, node, trial, "a new instance elsewhere");
            return outcome.answer();
        }
    }

    /** The agreed order once more, on one machine, a little later. */
    private final class Replay implements Specification {
        private final StateMachine machine = cluster.machine();
        private final Overlay state = new Overlay(new Nothing());
        private long seq;
        private long timeMillis;

        Replay() {
            long began = System.currentTimeMillis();
            while (System.currentTimeMillis() - began < CLOCK_MILLIS) {
                Thread.onSpinWait();
            }
        }

        @Override
        public Optional<KeyModel.Answer> apply(Effect.Execute batch, Effect.Call call, ResultRoom.Meter room) {
            seq = batch.seq();
            timeMillis = batch.timeMillis();
            Operation operation = new Operation(
                    unwrap(call.operation()), call.client(), batch.seq(), batch.timeMillis(), batch.seed());
            Outcome outcome = Outcome.ofApply(machine, operation, state);
            divergences.agree(call.operation(), operation, outcome, "the replay at the end");
            if (!room.take(call.client(), outcome.size())) {
                return Optional.empty();
            }
            outcome.writes()
                    .forEach((key, value) ->
                            value.ifPresentOrElse(content -> state.put(key, content), () -> state.delete(key)));
            return Optional.of(answer(outcome));
        }

        @Override
        public KeyModel.Answer query(int client, Call call) {
            Operation operation = new Operation(unwrap(call.encode()), client, seq, timeMillis, Digest.ZERO);
            return answer(Outcome.ofQuery(machine, operation, state));
        }

        private KeyModel.Answer answer(Outcome outcome) {
            return new KeyModel.Answer(
                    outcome.failure().isPresent(),
                    outcome.failure().orElseGet(() -> outcome.result().toUtf8()));
        }

        @Override
        public List<String> findings() {
            return divergences.found();
        }
    }

    /** The empty state. */
    private static final class Nothing implements StateView {
        @Override
        public Optional<Bytes> get(Bytes key) {
            return Optional.empty();
        }

        @Override
        public List<Entry> scan(Bytes prefix, Bytes from, int limit) {
            return List.of();
        }
    }
}
