package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** trap 68: a primary that is slow to all by a little less than the request timeout. */
class SlowPrimaryTest {
    /** The timeouts of a cluster with default parameters. */
    private static final String DEFAULTS = " --parameters requestTimeoutMillis=1000,disconnectedTimeoutMillis=150,"
            + "fairnessTimeoutMillis=4000,viewChangeTimeoutMillis=1000,viewChangeTimeoutMaxMillis=60000,"
            + "statusIntervalMillis=200,clockSkewMillis=10000,batchOperationsMax=2000,pipelineDepth=8";

    private static SimResult run(String line) {
        SimResult result = Simulation.run(SimOptions.parse(List.of((line + DEFAULTS).split(" "))), false);
        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isEqualTo(SimResult.Verdict.OK);
        return result;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 16})
    @DisplayName("A delay of 900 ms costs the primary its office, whether one client asks or many do")
    void itIsReplaced(int clients) {
        int operations = clients == 1 ? 60 : 40 * clients;
        SimResult slow = run("--seed 1 --clients " + clients + " --ops " + operations + " --byzantine 0=delay=900");
        assertThat(slow.views()).isEqualTo(1);
        assertThat(slow.answered()).isEqualTo(operations);
    }

    @Test
    @DisplayName("Every message takes long in the wide area, and every primary is slow: none is replaced for it")
    void whereTheNetworkIsSlowNobodyIsAccused() {
        SimResult far = run("--seed 3 --clients 8 --ops 200 --replicas 5 --topology wan5");
        assertThat(far.views()).isZero();
    }

    @Test
    @DisplayName("A delay of 400 ms is within what is forgiven")
    void aSmallerDelayIsForgiven() {
        SimResult slow = run("--seed 1 --ops 160 --byzantine 0=delay=400");
        assertThat(slow.views()).isZero();
    }
}
