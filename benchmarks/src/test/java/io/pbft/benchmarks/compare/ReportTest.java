package io.pbft.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
    private static final Cell CELL = new Cell(Cell.Operation.PUT, 100, 1, 100, 0);

    @TempDir
    private Path temp;

    @Test
    void whatWasMeasuredSurvivesARestartAndIsSummarisedByMedians() throws IOException {
        Results results = Results.in(temp);
        results.add(outcome(1, "pbft", 1_000, 0));
        results.add(outcome(1, "ratis", 400, 0));
        results.add(outcome(2, "pbft", 3_000, 0.5));
        results.add(outcome(3, "pbft", 2_000, 0));
        results.add(outcome(1, "zookeeper", 500, 0));

        Results again = Results.in(temp);
        assertThat(again.outcomes()).isEqualTo(results.outcomes());
        assertThat(again.has(2, "pbft", CELL)).isTrue();
        assertThat(again.has(2, "ratis", CELL)).isFalse();
        assertThat(again.perSecond(2, "pbft", CELL)).isEqualTo(3_000);

        new Report(again.outcomes()).write(temp);
        JsonNode report =
                new ObjectMapper().readTree(temp.resolve("report.json").toFile());
        JsonNode ours = report.get("medians").get(0);
        assertThat(ours.get("service").asText()).isEqualTo("pbft");
        assertThat(ours.get("perSecond").get("median").asDouble()).isEqualTo(2_000);
        assertThat(ours.get("perSecond").get("min").asDouble()).isEqualTo(1_000);
        assertThat(ours.get("disturbedRounds").asInt()).isEqualTo(1);
        assertThat(ours.get("ratioToBestRival").asDouble()).isEqualTo(4);
        assertThat(report.get("raw")).hasSize(5);
    }

    @Test
    void thePageNeedsNothingButItself() throws IOException {
        Results results = Results.in(temp);
        results.add(outcome(1, "pbft", 1_000, 0));
        results.add(outcome(1, "ratis", 400, 0));
        new Report(results.outcomes()).write(temp);
        String page = Files.readString(temp.resolve("report.html"));
        assertThat(page).contains("<svg", "pbft", "ratis", "1,000").doesNotContain("<script", "http:", "https:", "NaN");
    }

    private static Outcome outcome(int round, String service, double perSecond, double foreign) {
        return new Outcome(
                round,
                service,
                CELL,
                "2026-01-01T00:00:00Z",
                true,
                10,
                5,
                (long) (5 * perSecond),
                perSecond,
                1,
                1,
                2,
                3,
                4,
                5,
                4,
                2.5,
                200 << 20,
                1_000,
                2_000,
                0.5,
                foreign,
                Map.of());
    }
}
