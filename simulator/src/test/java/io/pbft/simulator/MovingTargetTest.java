package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** trap 46: the others go on while a replica fetches the state, and one day no longer hold what it fetches. */
class MovingTargetTest {
    private static final String LINE = " --clients 4 --ops 400 --think 100 --read-share 0 --latency 50ms..55ms"
            + " --parameters checkpointInterval=8,window=32";

    /**
     * Replica 3 comes back, begins to fetch, and does not run for so long that the others have given up the checkpoint.
     * One that went on asking for it would ask for ever, and be worth nothing when another replica goes: the last
     * operations are executed only if replica 3 votes.
     */
    @ParameterizedTest
    @ValueSource(ints = {46, 47})
    @DisplayName("A transfer that the others have outrun goes after the newer checkpoint, and ends")
    void aTransferFollowsTheOthers(int seed) {
        String faults = " --crash 3@100 --restart 3@4000 --pause 3@4200..9000 --crash 2@11000";
        SimResult result =
                Simulation.run(SimOptions.parse(List.of(("--seed " + seed + LINE + faults).split(" "))), true);
        List<String> transfers = notes(result, "STATE_TRANSFER_").toList();
        assertThat(transfers)
                .as("one is begun, outrun, and another one comes to its end")
                .hasSizeGreaterThanOrEqualTo(3);
        assertThat(transfers.get(0)).contains("STARTED");
        assertThat(transfers.get(1)).contains("STARTED");
        assertThat(transfers.get(transfers.size() - 1)).contains("FINISHED");
        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isEqualTo(SimResult.Verdict.OK);
        assertThat(result.answered()).isEqualTo(400);
    }

    private static Stream<String> notes(SimResult result, String event) {
        return result.trace()
                .lines()
                .filter(line ->
                        Stream.of("\"e\":\"note\"", "\"at\":\"r3\"", event).allMatch(line::contains));
    }
}
