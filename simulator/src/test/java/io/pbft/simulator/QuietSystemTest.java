package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** trap 51: what becomes of a replica that lost its disk while hardly anybody asks for anything. */
class QuietSystemTest {
    private static SimResult run(String line) {
        return Simulation.run(SimOptions.parse(List.of(line.split(" "))), true);
    }

    /**
     * Four operations, seconds apart. After the first, replica 3 loses its disk; before the last, replica 2 goes for good. The
     * last is executed only if replica 3 votes again, though no checkpoint was ever filled by requests.
     */
    @Test
    @DisplayName("It gets its vote back without a request, and is worth one when another replica goes")
    void theVoteComesBackWithoutTraffic() {
        SimResult result =
                run("--seed 5 --clients 1 --ops 4 --think 5000 --read-share 0 --lose-disk 3@1000 --crash 2@9000");
        assertThat(result.answered()).as(result.violations().toString()).isEqualTo(4);
        assertThat(result.trace()).contains("NULL_REQUEST_PROPOSED");
        assertThat(result.verdict()).isNotEqualTo(SimResult.Verdict.SAFETY);
    }

    @Test
    @DisplayName("Who lost nothing makes nobody order null requests")
    void aQuietSystemStaysQuiet() {
        SimResult result =
                run("--seed 5 --clients 1 --ops 4 --think 5000 --read-share 0 --crash 3@1000 --restart 3@2000");
        assertThat(result.verdict()).as(result.violations().toString()).isEqualTo(SimResult.Verdict.OK);
        assertThat(result.trace()).doesNotContain("NULL_REQUEST_PROPOSED");
    }
}
