package io.pbft.simulator.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.replica.Operation;
import io.pbft.replica.StateMachine;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.ReplicaReport;
import io.pbft.replica.core.ResultRoom;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import io.pbft.simulator.Workload;
import io.pbft.simulator.node.World;
import io.pbft.simulator.workload.Application;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.workload.Generator;
import io.pbft.simulator.workload.Machine;
import io.pbft.simulator.workload.Specification;
import io.pbft.simulator.world.Keyed;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The checks of a whole run, each with something planted that it must catch, and the honest case beside it. */
class RunChecksTest {
    private static SimOptions options(String line) {
        return SimOptions.parse(List.of(line.split(" ")));
    }

    private static Checks checks(String line) {
        return new Checks(new World(options(line), false), replica -> {
            throw new IllegalStateException("no replica is looked at here");
        });
    }

    private static ReplicaReport report(long view, int logSlots, int queued) {
        return new ReplicaReport(
                1,
                ReplicaReport.Status.NORMAL,
                view,
                false,
                3,
                0,
                Digest.ZERO,
                3,
                logSlots,
                queued,
                0,
                0,
                0,
                Map.of(),
                Optional.empty());
    }

    private static void found(Checks checks, Check check) {
        assertThat(checks.findings().violations())
                .extracting(Findings.Violation::check)
                .containsExactly(check);
    }

    @Test
    void memoryFindsALogBeyondItsWindow() {
        Checks checks = checks("--seed 1");
        checks.reported(1, report(0, 2 * SimOptions.PARAMETERS.window(), 0), 0);
        assertThat(checks.findings().isEmpty()).isTrue();
        checks.reported(1, report(0, 2 * SimOptions.PARAMETERS.window() + 1, 0), 0);
        found(checks, Check.MEMORY);
    }

    @Test
    void memoryFindsAQueueThatIsTooLong() {
        Checks checks = checks("--seed 1 --clients 1");
        int max = SimOptions.PARAMETERS.sessionWindow() * SimOptions.PARAMETERS.sessionsPerClient();
        checks.reported(1, report(0, 0, max), 0);
        assertThat(checks.findings().isEmpty()).isTrue();
        checks.reported(1, report(0, 0, max + 1), 0);
        found(checks, Check.MEMORY);
    }

    @Test
    void memoryFindsAJournalThatIsNeverCutOff() {
        Checks checks = checks("--seed 1");
        checks.reported(1, report(0, 0, 0), 1_000_000);
        found(checks, Check.MEMORY);
    }

    @Test
    void calmFindsAViewChangeWithoutACause() {
        Checks quiet = checks("--seed 1");
        quiet.reported(1, report(1, 0, 0), 0);
        quiet.finish(List.of(), 0);
        found(quiet, Check.CALM);
        Checks crashed = checks("--seed 1 --crash 0@100");
        crashed.reported(1, report(1, 0, 0), 0);
        crashed.finish(List.of(), 0);
        assertThat(crashed.findings().isEmpty()).isTrue();
    }

    @Test
    void validityFindsATimeThatNoCorrectClockShows() {
        Checks checks = checks("--seed 1 --clock-skew 2=100");
        long latest = World.WALL_MILLIS + 100 + 1 + SimOptions.PARAMETERS.clockSkewMillis();
        checks.executed(1, new Effect.Execute(1, latest, Digest.ZERO, List.of(), ResultRoom.UNBOUNDED));
        assertThat(checks.findings().isEmpty()).isTrue();
        checks.executed(1, new Effect.Execute(2, latest + 1, Digest.ZERO, List.of(), ResultRoom.UNBOUNDED));
        found(checks, Check.VALIDITY);
    }

    @Test
    void checkpointsFindsOneThatIsNotTaken() {
        Checks checks = checks("--seed 1");
        long interval = SimOptions.PARAMETERS.checkpointInterval();
        checks.wanted(1, new Effect.Execute(interval, 1, Digest.ZERO, List.of(), ResultRoom.UNBOUNDED));
        checks.wanted(1, new Effect.TakeSnapshot(interval, Map.of()));
        checks.wanted(1, new Effect.Execute(interval + 1, 1, Digest.ZERO, List.of(), ResultRoom.UNBOUNDED));
        // A replica that started again after it had executed that far does so anew.
        checks.wanted(2, new Effect.Execute(interval, 1, Digest.ZERO, List.of(), ResultRoom.UNBOUNDED));
        checks.wanted(2, new Effect.Execute(3, 1, Digest.ZERO, List.of(), ResultRoom.UNBOUNDED));
        assertThat(checks.findings().isEmpty()).isTrue();
        checks.wanted(3, new Effect.Execute(interval, 1, Digest.ZERO, List.of(), ResultRoom.UNBOUNDED));
        checks.wanted(3, new Effect.Execute(interval + 1, 1, Digest.ZERO, List.of(), ResultRoom.UNBOUNDED));
        found(checks, Check.CHECKPOINTS);
    }

    @Test
    void receiptsAreReported() {
        Checks checks = checks("--seed 1");
        checks.badReceipt(0, "nobody signed it");
        found(checks, Check.RECEIPTS);
    }

    @Test
    void robustnessFindsAReplicaThatThrows() {
        SimResult result = run("--seed 1 --ops 3", answer -> {
            throw new StackOverflowError("planted");
        });
        assertThat(result.verdict()).isEqualTo(SimResult.Verdict.SAFETY);
        assertThat(result.violations())
                .allMatch(violation -> violation.check() == Check.ROBUSTNESS)
                .anyMatch(violation -> violation.text().contains("planted"));
    }

    @Test
    void livenessFindsAClientThatWaitsForEver() {
        // Every replica has an answer of its own: no two are equal, and the client must not believe any.
        SimResult result = run("--seed 1 --ops 3 --read-share 0", new UnaryOperator<>() {
            private int answers;

            @Override
            public Bytes apply(Bytes answer) {
                return answer.concat(Bytes.utf8(" " + answers++));
            }
        });
        assertThat(result.verdict()).isEqualTo(SimResult.Verdict.LIVENESS);
        assertThat(result.violations()).singleElement().satisfies(violation -> {
            assertThat(violation.check()).isEqualTo(Check.LIVENESS);
            assertThat(violation.text()).contains("waits for");
        });
    }

    @Test
    void theSameRunsHoldWithNothingPlanted() {
        assertThat(run("--seed 1 --ops 3 --read-share 0", answer -> answer).verdict())
                .isEqualTo(SimResult.Verdict.OK);
    }

    /** A run in which {@code planted} is done to every answer of the state machine. */
    private static SimResult run(String line, UnaryOperator<Bytes> planted) {
        SimOptions options = options(line);
        return Simulation.run(options, false, keyed -> new Spoilt(keyed, options.readShare(), planted));
    }

    private static final class Spoilt implements Application {
        private final Generator generator;
        private final UnaryOperator<Bytes> planted;

        Spoilt(Keyed keyed, double readShare, UnaryOperator<Bytes> planted) {
            this.generator = new Generator(Workload.KV, readShare, keyed);
            this.planted = planted;
        }

        @Override
        public StateMachine machine(String node, boolean correct) {
            StateMachine machine = new Machine();
            return new StateMachine() {
                @Override
                public Bytes apply(Operation operation, State state) {
                    return planted.apply(machine.apply(operation, state));
                }

                @Override
                public Bytes query(Operation operation, StateView state) {
                    return machine.query(operation, state);
                }
            };
        }

        @Override
        public Call call(long number) {
            return generator.call(number);
        }

        @Override
        public boolean fast(long number) {
            return generator.fast(number);
        }

        @Override
        public Optional<Specification> specification() {
            return Optional.empty();
        }
    }
}
