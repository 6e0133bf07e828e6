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

    /**
     * A replica prepared a batch beyond its old window while it fetched the state at the start of the new one, and died: it came
     * back with the old window, without what it had promised beyond.
     */
    private static final String DIED_WHILE_FETCHING = "--seed 1348 --workload append --think 136049us --read-share 0"
            + " --byzantine 2=equivocate,bad-new-view --latency 200us..2705us"
            + " --partition 522117us..1059165us:{0}|{1,2,3} --partition 1137390us..1711610us:{1}|{0,2,3}"
            + " --partition 1596797us..2170670us:{2}|{0,1,3} --gst 2176797us --crash 0@880105us --restart 0@885944us"
            + " --crash 3@926214us --restart 3@965103us --crash 3@1504307us --restart 3@1592898us --crash 0@1959679us"
            + " --restart 0@1984263us --crash 1@1984231us --restart 1@2013966us --crash 2@1979525us"
            + " --restart 2@2036888us --crash 3@1979868us --restart 3@2005008us --crash 0@296662us"
            + " --restart 0@830458us --disk-latency 50us..28089us --parameters batchOperationsMax=9,"
            + "checkpointInterval=3,fairnessTimeoutMillis=1160,pipelineDepth=5,requestTimeoutMillis=290,"
            + "statusIntervalMillis=170,viewChangeTimeoutMaxMillis=1700,viewChangeTimeoutMillis=160,window=6";

    /**
     * A faulty primary proposed one batch at two numbers. A replica that had prepared it at one asked others for it when a view
     * carried it over at the other.
     */
    private static final String ONE_BATCH_AT_TWO_NUMBERS =
            "--seed 3013 --clients 1 --workload counter --think 25182us --read-share 0 --byzantine"
                    + " 1=sequence-jump --latency 200us..2304us --drop-type prepare=0.69 --drop-type commit=0.68"
                    + " --partition 46907us..291741us:{3}|{0,1,2} --partition 291741us..936679us:{0}|{1,2,3} --gst"
                    + " 1208759us --disk-latency 50us..20ms --parameters"
                    + " batchOperationsMax=9,checkpointInterval=3,pipelineDepth=6,"
                    + "statusIntervalMillis=110,viewChangeTimeoutMaxMillis=3900,viewChangeTimeoutMillis=480,window=9";

    /** The simulated disk forgot what a checkpoint had passed before the proof of the checkpoint was on it. */
    private static final String FORGOTTEN_TOO_EARLY =
            "--seed 4630 --clients 1 --workload counter --think 20269us --read-share 0.47 --latency"
                    + " 200us..7058us --reorder 0.04 --gst 487161us --crash 1@872484us --restart 1@1327904us --crash"
                    + " 0@515146us --restart 0@1063366us --crash 0@500105us --restart 0@1298962us --crash 1@356957us"
                    + " --restart 1@540659us --fail-disk 3@206104us..439104us --disk-latency 50us..20ms --parameters"
                    + " batchOperationsMax=4,checkpointInterval=9,fairnessTimeoutMillis=1000,"
                    + "pipelineDepth=2,requestTimeoutMillis=250,statusIntervalMillis=180,"
                    + "viewChangeTimeoutMaxMillis=1800,viewChangeTimeoutMillis=470,window=30";

    @ParameterizedTest
    @ValueSource(strings = {TRANSFER_FROM_AFAR, DIED_WHILE_FETCHING})
    void doesNotFailAgain(String line) {
        SimResult result = Simulation.run(SimOptions.parse(List.of(line.split(" "))), true);
        assertThat(result.verdict()).as(result.violations().toString()).isEqualTo(SimResult.Verdict.OK);
        assertThat(result.trace()).contains("STATE_TRANSFER_STARTED", "STATE_TRANSFER_FINISHED");
    }

    @ParameterizedTest
    @ValueSource(strings = {ONE_BATCH_AT_TWO_NUMBERS, FORGOTTEN_TOO_EARLY})
    void breaksNoPromiseAgain(String line) {
        SimResult result = Simulation.run(SimOptions.parse(List.of(line.split(" "))), false);
        assertThat(result.verdict()).as(result.violations().toString()).isEqualTo(SimResult.Verdict.OK);
    }
}
