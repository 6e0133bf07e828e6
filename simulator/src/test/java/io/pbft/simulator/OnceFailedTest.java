package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs that failed once, each with its cause. */
class OnceFailedTest {
    /** Round trips longer than the patience with a source: every answer was late, and thrown away. */
    private static final String TRANSFER_FROM_AFAR = "--seed 5255 --clients 5 --think 282819us --read-share 0.34"
            + " --byzantine 3=lie-read --latency 50ms..399972us --drop-type commit=0.45 --drop-type decision=0.52"
            + " --gst 2817942us --parameters batchOperationsMax=10,checkpointInterval=4,fairnessTimeoutMillis=1320,"
            + "pipelineDepth=6,requestTimeoutMillis=330,statusIntervalMillis=60,viewChangeTimeoutMaxMillis=3000,"
            + "viewChangeTimeoutMillis=600,window=13";

    @ParameterizedTest
    @ValueSource(strings = {TRANSFER_FROM_AFAR})
    void doesNotFailAgain(String line) {
        SimResult result = Simulation.run(SimOptions.parse(List.of(line.split(" "))), true);
        assertThat(result.verdict()).as(result.violations().toString()).isEqualTo(SimResult.Verdict.OK);
        assertThat(result.trace()).contains("STATE_TRANSFER_STARTED", "STATE_TRANSFER_FINISHED");
    }
}
