package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoIT {
    @TempDir
    private Path temp;

    @Test
    void aSmallDemonstration() throws Exception {
        Path dir = temp.resolve("demo");
        PbftProcess.Result run = PbftProcess.run(
                "demo",
                "--json",
                "--dir",
                dir,
                "--time-limit",
                300,
                "--operations",
                600,
                "--clients",
                2,
                "--outstanding",
                4);
        assertThat(run.exit()).as(run.err() + run.out()).isZero();
        JsonNode report = new ObjectMapper().readTree(run.out());
        assertThat(report.get("ok").asBoolean()).isTrue();
        assertThat(report.get("operations").asLong()).isGreaterThanOrEqualTo(250);
        assertThat(report.get("primaryKilled").get("viewAfter").asLong())
                .isGreaterThan(report.get("primaryKilled").get("viewBefore").asLong());
        report.get("checks").forEach(passed -> assertThat(passed.asBoolean()).isTrue());
        assertThat(report.get("checks")).hasSizeGreaterThanOrEqualTo(7);
        for (int id = 0; id < 4; id++) {
            assertThat(dir.resolve("replica-" + id).resolve("admin.json")).doesNotExist();
        }
        assertThat(Files.exists(dir.resolve("cluster.json"))).isTrue();
    }
}
