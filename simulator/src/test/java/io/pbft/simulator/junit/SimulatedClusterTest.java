package io.pbft.simulator.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.replica.Operation;
import io.pbft.replica.StateMachine;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.UUID;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

class SimulatedClusterTest {
    /** An account that money is paid into: "17" adds 17, "" reads. Anything else fails. */
    private static class Account implements StateMachine {
        private static final Bytes KEY = Bytes.utf8("balance");

        @Override
        public Bytes apply(Operation operation, State state) {
            String text = operation.payload().toUtf8();
            long sum = balance(state) + (text.isEmpty() ? 0 : Long.parseLong(text));
            if (sum < 0) {
                state.put(KEY, Bytes.utf8("overdrawn"));
                throw new IllegalArgumentException("not enough money: " + sum);
            }
            state.put(KEY, Bytes.utf8(Long.toString(sum)));
            return Bytes.utf8(Long.toString(sum));
        }

        @Override
        public Bytes query(Operation operation, StateView state) {
            return Bytes.utf8(Long.toString(balance(state)));
        }

        private static long balance(StateView state) {
            return state.get(KEY).map(value -> Long.parseLong(value.toUtf8())).orElse(0L);
        }
    }

    /** The account, with something in its answer that does not belong there. */
    private static final class Strange extends Account {
        private final BiFunction<Strange, Operation, Object> addition;
        private long field;

        Strange(BiFunction<Strange, Operation, Object> addition) {
            this.addition = addition;
        }

        @Override
        public Bytes apply(Operation operation, State state) {
            Bytes result = super.apply(operation, state);
            return result.concat(Bytes.utf8(" " + addition.apply(this, operation)));
        }
    }

    private static SimulatedCluster cluster(java.util.function.Supplier<StateMachine> machines) {
        return SimulatedCluster.of(machines)
                .operations((number, random) -> Bytes.utf8(Long.toString(random.nextInt(100) - 30)))
                .reads(0.2, (number, random) -> Bytes.EMPTY);
    }

    private static void caught(BiFunction<Strange, Operation, Object> addition) {
        assertThatThrownBy(() -> cluster(() -> new Strange(addition)).check(1, 3))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("seed 1: safety")
                .hasMessageContaining("has two outcomes")
                .hasMessageContaining(".replay(\"--seed 1 ");
    }

    @Test
    void aDeterministicMachinePasses() {
        Locale locale = Locale.getDefault();
        TimeZone zone = TimeZone.getDefault();
        SimulatedCluster.Summary summary = cluster(Account::new).check(1, 40);
        assertThat(summary.seeds()).isEqualTo(40);
        assertThat(summary.operations()).isGreaterThan(40 * 20);
        assertThat(summary.viewChanges()).isPositive();
        assertThat(cluster(Account::new).check(1, 40)).isEqualTo(summary);
        assertThat(Locale.getDefault()).isEqualTo(locale);
        assertThat(TimeZone.getDefault()).isEqualTo(zone);
    }

    @Test
    void sevenReplicasPassToo() {
        assertThat(cluster(Account::new)
                        .replicas(7)
                        .operationsPerSeed(12)
                        .check(5, 8)
                        .seeds())
                .isEqualTo(4);
    }

    @Test
    void theAgreedTimeAndSeedAreNoCauseOfDivergence() {
        assertThat(cluster(() -> new Strange((self, operation) -> operation.timeMillis() + " " + operation.seed()))
                        .check(1, 5)
                        .seeds())
                .isEqualTo(5);
    }

    @Test
    void randomnessIsCaught() {
        caught((self, operation) -> UUID.randomUUID());
    }

    @Test
    void theFineClockIsCaught() {
        caught((self, operation) -> System.nanoTime());
    }

    @Test
    void theWallClockIsCaught() {
        caught((self, operation) -> System.currentTimeMillis());
    }

    @Test
    void aFieldThatSurvivesIsCaught() {
        caught((self, operation) -> self.field++);
    }

    @Test
    void theOrderOfIdentityHashesIsCaught() {
        caught((self, operation) -> {
            Map<Object, Integer> places = new HashMap<>();
            for (int i = 0; i < 12; i++) {
                places.put(new Object(), i);
            }
            return places.values();
        });
    }

    @Test
    void theLocaleIsCaught() {
        caught((self, operation) -> String.format("title %d", operation.seq()).toUpperCase(Locale.getDefault()));
    }

    @Test
    void theTimeZoneIsCaught() {
        caught((self, operation) ->
                java.time.Instant.ofEpochMilli(operation.timeMillis()).atZone(java.time.ZoneId.systemDefault()));
    }

    @Test
    void aReadThatDependsOnMoreThanTheStateIsCaught() {
        assertThatThrownBy(() -> cluster(() -> new Account() {
                            @Override
                            public Bytes query(Operation operation, StateView state) {
                                return Bytes.utf8("" + System.nanoTime());
                            }
                        })
                        .check(1, 3))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("has two outcomes");
    }

    @Test
    void theReplayShowsTheSame() {
        SimulatedCluster strange = cluster(() -> new Strange((self, operation) -> self.field++));
        assertThatThrownBy(() -> strange.replay("--seed 9 --ops 6"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("has two outcomes");
        cluster(Account::new).replay("--seed 9 --ops 6");
    }

    /** Long answers, for which there is little room: what finds none is undone, and the replay at the end knows it. */
    @Test
    void anOperationWhoseResultFindsNoRoomIsUndoneInTheReplayToo() {
        SimulatedCluster talkative = SimulatedCluster.of(() -> new Account() {
                    @Override
                    public Bytes apply(Operation operation, State state) {
                        return super.apply(operation, state).concat(Bytes.utf8(" ".repeat(700)));
                    }
                })
                .operations((number, random) -> Bytes.utf8("1"));
        SimResult result = talkative.run(SimOptions.parse(List.of(
                "--seed",
                "1",
                "--clients",
                "1",
                "--ops",
                "40",
                "--think",
                "1ms",
                "--parameters",
                "resultBytesMax=2048")));
        assertThat(result.probes().getOrDefault("answered RESULTS_FULL", 0L)).isPositive();
        assertThat(result.violations()).isEmpty();
    }

    @Test
    void aResultThatIsTooLongIsAFailureEverywhere() {
        cluster(() -> new Account() {
                    @Override
                    public Bytes apply(Operation operation, State state) {
                        Bytes sum = super.apply(operation, state);
                        return operation.seq() % 3 == 0 ? Bytes.wrap(new byte[Limits.RESULT_BYTES_MAX + 1]) : sum;
                    }
                })
                .replay("--seed 1 --ops 12");
    }

    @Test
    void withoutOperationsItSaysSo() {
        assertThatThrownBy(() -> SimulatedCluster.of(Account::new).check(1, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("operations");
    }
}
