package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A thousand sessions at once, with room for fifty operations at a time. */
class ThousandClientsTest {
    private static final int CLIENTS = 1_000;
    private static final int EACH = 3;

    @Test
    @DisplayName("All are served, in one view, beside one that repeats itself without end and makes requests up")
    void aThousandClientsAreServedBesideAGreedyOne() {
        String line = "--seed 1 --clients " + CLIENTS + " --ops " + EACH * CLIENTS + " --byzantine-client 0=flood"
                + " --parameters batchOperationsMax=50,pipelineDepth=1";

        SimResult result = Simulation.run(SimOptions.parse(List.of(line.split(" "))), false);

        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isEqualTo(SimResult.Verdict.OK);
        assertThat(result.views()).isZero();
        assertThat(result.answered()).as("by the others").isGreaterThanOrEqualTo(EACH * (CLIENTS - 1));
    }
}
