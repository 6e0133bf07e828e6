package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class SimMinimizeTest {
    private static final Object[] TWO_LIARS = {
        "sim", "--seed", "3", "--byzantine", "0=lie-reply", "--byzantine", "1=lie-reply,reorder", "--minimize"
    };

    @Test
    void aFailingRunIsShrunkAndTheSmallerOneCanBeRunAgain() {
        CommandRun run = CommandRun.of(TWO_LIARS);
        assertThat(run.exit()).as(run.err()).isEqualTo(Exit.DOES_NOT_HOLD);
        assertThat(run.err()).contains("runs: still");
        assertThat(run.out()).contains("The smallest run found that fails likewise");
        String[] lines = run.out().strip().split("\n");
        String again = lines[lines.length - 1];
        assertThat(again).startsWith("Again with: ./pbft sim --seed 3").doesNotContain("--minimize");
        Object[] words =
                again.replace("Again with: ./pbft ", "").replace("'", "").split(" ");
        assertThat(CommandRun.of(words).exit()).isEqualTo(Exit.DOES_NOT_HOLD);
    }

    @Test
    void theJsonHasTheSmallerRun() throws IOException {
        Object[] words = new Object[TWO_LIARS.length + 1];
        System.arraycopy(TWO_LIARS, 0, words, 0, TWO_LIARS.length);
        words[TWO_LIARS.length] = "--json";
        JsonNode json = new ObjectMapper().readTree(CommandRun.of(words).out());
        assertThat(json.path("verdict").asText()).isEqualTo("safety");
        JsonNode smaller = json.path("minimized");
        assertThat(smaller.path("runs").asInt()).isPositive();
        assertThat(smaller.path("result").path("verdict").asText()).isEqualTo("safety");
        assertThat(smaller.path("result").path("operations").asInt())
                .isLessThan(json.path("operations").asInt());
    }

    @Test
    void aRunThatHoldsStaysAsItIs() {
        CommandRun run = CommandRun.of("sim", "--seed", "1", "--ops", "3", "--minimize");
        assertThat(run.exit()).isEqualTo(Exit.OK);
        assertThat(run.out()).doesNotContain("smallest");
    }
}
