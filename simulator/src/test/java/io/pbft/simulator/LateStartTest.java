package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The processes of a cluster do not start at the same moment, and clients do not wait for the last. */
class LateStartTest {
    private static final int REQUEST_MILLIS = SimOptions.PARAMETERS.requestTimeoutMillis();

    private static SimResult run(int seed, int startMillis) {
        SimResult result = Simulation.run(
                SimOptions.parse(
                        List.of(("--seed " + seed + " --ops 24 --crash 0@0 --restart 0@" + startMillis).split(" "))),
                false);
        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isEqualTo(SimResult.Verdict.OK);
        assertThat(result.answered()).isEqualTo(24);
        return result;
    }

    @Test
    @DisplayName("trap 34: a primary that comes up after the request timeout, but soon, keeps its view")
    void aPrimaryThatStartsLateIsWaitedFor() {
        for (int seed = 1; seed <= 40; seed++) {
            SimResult late = run(seed, REQUEST_MILLIS * 17 / 10);
            assertThat(late.views()).as(late.command()).isZero();
        }
    }

    @Test
    @DisplayName("One that does not come up is replaced")
    void aPrimaryThatDoesNotStartIsReplaced() {
        for (int seed = 1; seed <= 20; seed++) {
            SimResult gone = run(seed, REQUEST_MILLIS * 20);
            assertThat(gone.views()).as(gone.command()).isPositive();
        }
    }
}
