package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A thousand sessions at once, with room for fifty operations at a time. */
class ThousandClientsTest {
    private static final int CLIENTS = 1_000;
    private static final int EACH = 3;

    private static SimResult run(String behaviour) {
        String line = "--seed 1 --clients " + CLIENTS + " --ops " + EACH * CLIENTS + behaviour
                + " --parameters batchOperationsMax=50,pipelineDepth=1,sessionWindow=4096";
        SimResult result = Simulation.run(SimOptions.parse(List.of(line.split(" "))), false);
        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isEqualTo(SimResult.Verdict.OK);
        assertThat(result.views()).isZero();
        return result;
    }

    @Test
    @DisplayName("All are served, in one view, beside one that repeats itself without end and makes requests up")
    void aThousandClientsAreServedBesideOneThatFloods() {
        assertThat(run(" --byzantine-client 0=flood").answered())
                .as("by the others")
                .isGreaterThanOrEqualTo(EACH * (CLIENTS - 1));
    }

    @Test
    @DisplayName("One that asks for as much as all the others together delays them by its turns alone")
    void aGreedyClientWaitsForItsTurn() {
        SimResult among = run("");
        SimResult beside = run(" --byzantine-client 0=greedy");

        assertThat(beside.committed()).as("its operations are executed, too").isGreaterThan(among.committed());
        assertThat(Collections.max(beside.latenciesMicros()))
                .as("the longest wait of all, in virtual time")
                .isLessThan(Collections.max(among.latenciesMicros()) * 5 / 4);
    }
}
