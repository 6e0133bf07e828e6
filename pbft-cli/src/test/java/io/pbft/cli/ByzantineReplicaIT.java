package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster of real processes in which one replica lies: its clients do not notice. */
class ByzantineReplicaIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path temp;

    private final List<PbftProcess> replicas = new ArrayList<>();
    private Path dir;

    /** Four replicas, of which {@code liar} behaves like this. */
    private void startCluster(int liar, String behaviour) throws Exception {
        dir = temp.resolve("cluster");
        new ClusterFolder(dir).create(new ClusterFolder.Plan("127.0.0.1", FreePorts.on("127.0.0.1", 4), 2));
        for (int id = 0; id < 4; id++) {
            List<Object> words = new ArrayList<>(List.of("replica", "--dir", dir, "--id", id));
            if (id == liar) {
                words.addAll(List.of("--byzantine", behaviour, "--i-know-this-is-a-test"));
            }
            replicas.add(PbftProcess.start(words.toArray()));
        }
        for (int id = 0; id < 4; id++) {
            String serves = "replica " + id + " serves";
            replicas.get(id).awaitErr(line -> line.contains(serves));
        }
        replicas.get(liar)
                .awaitErr(line -> line.contains("replica " + liar + " is Byzantine on purpose: " + behaviour));
    }

    @AfterEach
    void stopCluster() {
        replicas.forEach(PbftProcess::close);
    }

    private static JsonNode json(PbftProcess.Result result) throws IOException {
        assertThat(result.exit()).as(result.err()).isZero();
        return JSON.readTree(result.out());
    }

    /** Many clients' work at once: none of them sees an error. */
    private void load() throws Exception {
        JsonNode report = json(PbftProcess.run(
                "bench", "--dir", dir, "--clients", 2, "--outstanding", 8, "--size", 32, "--seconds", 3, "--json"));
        assertThat(report.path("operationsPerSecond").asDouble()).isPositive();
        for (JsonNode errors : report.path("errors")) {
            assertThat(errors.asLong()).as(report.toString()).isZero();
        }
    }

    @Test
    void aReplicaThatLiesAboutResultsIsOutvoted() throws Exception {
        startCluster(2, "lie-reply");
        JsonNode put = json(PbftProcess.run("put", "--dir", dir, "--json", "k", "v"));
        assertThat(put.toString()).doesNotContain("lie");
        PbftProcess.Result get = PbftProcess.run("get", "--dir", dir, "--read", "ordered", "k");
        assertThat(get.exit()).as(get.err()).isZero();
        assertThat(get.out()).isEqualTo("v\n");
        load();
    }

    @Test
    void aPrimaryThatEquivocatesIsReplaced() throws Exception {
        startCluster(0, "equivocate");
        load();
        PbftProcess.Result put = PbftProcess.run("put", "--dir", dir, "k", "v");
        assertThat(put.exit()).as(put.err()).isZero();
        PbftProcess.Result get = PbftProcess.run("get", "--dir", dir, "--read", "ordered", "k");
        assertThat(get.out()).isEqualTo("v\n");
        JsonNode status = json(PbftProcess.run("status", "--dir", dir, "--json"));
        assertThat(status.path("replicas"))
                .hasSize(4)
                .allSatisfy(replica -> assertThat(replica.path("view").asLong()).isPositive());
        assertNamed("replica-0");
    }

    /** All that the correct replicas keep as evidence names the liar, and convinces one who has the configuration alone. */
    private void assertNamed(String liar) throws Exception {
        List<Path> evidence = new ArrayList<>();
        for (int id = 0; id < 4; id++) {
            Path folder = dir.resolve("replica-" + id).resolve("evidence");
            if (!liar.equals("replica-" + id) && Files.isDirectory(folder)) {
                try (Stream<Path> files = Files.list(folder)) {
                    evidence.addAll(files.toList());
                }
            }
        }
        assertThat(evidence).isNotEmpty();
        for (Path file : evidence) {
            JsonNode verdict = json(PbftProcess.run("verify", "--config", dir.resolve("cluster.json"), file, "--json"));
            assertThat(verdict.path("valid").asBoolean()).as(verdict.toString()).isTrue();
            assertThat(verdict.path("accused").asText()).as(file.toString()).isEqualTo(liar);
        }
    }
}
