package io.pbft.simulator.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs: who is named by evidence, and that the one who lied is. That nobody else is, every run checks. */
class EvidenceTest {
    private static final int SEEDS = 300;

    private static SimResult run(String line) {
        SimResult result = Simulation.run(SimOptions.parse(List.of(line.split(" "))), false);
        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isEqualTo(SimResult.Verdict.OK);
        return result;
    }

    private static boolean hit(SimResult result, String probe) {
        return result.probes().getOrDefault(probe, 0L) > 0;
    }

    @ParameterizedTest
    @CsvSource({"4, 0=equivocate", "5, 0=equivocate", "7, 0=equivocate --byzantine 1=equivocate"})
    @DisplayName("Where a primary told correct replicas of different batches, and no message is lost, it is named")
    void whoEquivocatesIsNamed(int n, String liars) {
        int splits = 0;
        for (int seed = 1; seed <= SEEDS / n; seed++) {
            SimResult result =
                    run("--seed " + seed + " --replicas " + n + " --ops 24 --latency 1..2 --byzantine " + liars);
            if (hit(result, Probes.SPLIT)) {
                splits++;
                assertThat(hit(result, Probes.SHOWN)).as(result.command()).isTrue();
                assertThat(hit(result, Probes.NAMED)).as(result.command()).isTrue();
            }
        }
        assertThat(splits).isGreaterThan(SEEDS / n / 2);
    }

    @Test
    @DisplayName("A key that two replicas sign with is proven to be one that its owner does not keep")
    void twinsAreNamed() {
        int named = 0;
        for (int seed = 1; seed <= 40; seed++) {
            named += hit(run("--seed " + seed + " --ops 24 --byzantine 0=twin"), Probes.NAMED) ? 1 : 0;
        }
        assertThat(named).isPositive();
    }

    @Test
    @DisplayName("Crashes, restarts and lost messages make nobody look like a liar")
    void correctReplicasAreNotNamed() {
        for (int seed = 1; seed <= SEEDS; seed++) {
            int first = seed % 4;
            int second = (seed + 1 + seed / 4 % 3) % 4;
            SimResult result = run("--seed " + seed + " --ops 24 --drop 0.05 --reorder 0.1 --duplicate 0.1"
                    + " --crash " + first + "@" + (20 + seed % 150) + " --restart " + first + "@400"
                    + " --crash " + second + "@" + (500 + seed % 300) + " --restart " + second + "@1200");
            assertThat(hit(result, Probes.NAMED)).as(result.command()).isFalse();
        }
    }
}
