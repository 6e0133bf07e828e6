package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens to the disks of real processes, and what {@code pbft inspect} says of them. */
class DiskIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path temp;

    private Path dir;

    @BeforeEach
    void makeCluster() throws IOException {
        dir = temp.resolve("cluster");
        new ClusterFolder(dir).create(new ClusterFolder.Plan("127.0.0.1", FreePorts.on("127.0.0.1", 4), 2));
    }

    private PbftProcess up() throws Exception {
        PbftProcess up = PbftProcess.start("up", "--dir", dir);
        up.awaitErr(line -> line.startsWith("4 replicas are up"));
        return up;
    }

    private PbftProcess.Result replica(int id, Object... more) throws Exception {
        List<Object> words = new ArrayList<>(List.of("replica", "--dir", dir, "--id", id));
        words.addAll(List.of(more));
        return PbftProcess.run(words.toArray());
    }

    private JsonNode inspect(int id, int exit) throws Exception {
        PbftProcess.Result result = PbftProcess.run("inspect", "--dir", dir, "--id", id, "--json");
        assertThat(result.exit()).as(result.err()).isEqualTo(exit);
        return JSON.readTree(result.out());
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    /** SIGKILL of all four at once, while a client writes: what it was told is there when they are back. */
    @Test
    void nothingThatAClientWasToldIsLostWhenAllAreKilledAtOnce() throws Exception {
        TreeMap<String, String> told = new TreeMap<>();
        for (int round = 0; round < 2; round++) {
            try (PbftProcess up = up()) {
                List<ProcessHandle> replicas = up.handle().children().toList();
                for (int i = 0; i < 5; i++) {
                    String key = "key " + round + "/" + i;
                    PbftProcess.Result put = PbftProcess.run("put", "--dir", dir, key, "value " + i);
                    assertThat(put.exit()).as(put.err()).isZero();
                    told.put(key, "value " + i);
                }
                try (PbftProcess underWay = PbftProcess.start("bench", "--dir", dir, "--seconds", 60)) {
                    assertThat(PbftProcess.run("put", "--dir", dir, "--client", 1, "last " + round, "told")
                                    .exit())
                            .isZero();
                    told.put("last " + round, "told");
                    assertThat(underWay.handle().isAlive()).as(underWay.err()).isTrue();
                    replicas.forEach(ProcessHandle::destroyForcibly);
                }
                for (ProcessHandle replica : replicas) {
                    replica.onExit().get(PbftProcess.PATIENCE_SECONDS, TimeUnit.SECONDS);
                }
            }
            assertThat(inspect(0, 0).get("promisesLost").asBoolean()).isFalse();
        }
        try (PbftProcess up = up()) {
            for (var entry : told.entrySet()) {
                PbftProcess.Result get = PbftProcess.run("get", "--dir", dir, entry.getKey());
                assertThat(get.out()).as(entry.getKey() + get.err()).isEqualTo(entry.getValue() + "\n");
            }
            assertThat(up.handle().isAlive()).as(up.err()).isTrue();
            PbftProcess.Result running = PbftProcess.run("inspect", "--dir", dir, "--id", 0);
            assertThat(running.exit()).isEqualTo(2);
            assertThat(running.err()).contains("in use");
        }
    }

    @Test
    void aReplicaWhoseDiskIsGoneStartsOnlyWhenToldToRejoin() throws Exception {
        assertThat(inspect(3, 0).get("neverStarted").asBoolean()).isTrue();
        try (PbftProcess up = up()) {
            assertThat(PbftProcess.run("put", "--dir", dir, "k", "v").exit()).isZero();
            up.handle().destroy();
            assertThat(up.result().exit()).as(up.err()).isZero();
        }
        Path folder = dir.resolve("replica-3");
        JsonNode whole = inspect(3, 0);
        assertThat(whole.get("neverStarted").asBoolean()).isFalse();
        assertThat(whole.get("promises").has("COMMIT")).as(whole.toString()).isTrue();

        delete(folder.resolve("journal"));
        PbftProcess.Result refused = replica(3);
        assertThat(refused.exit()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err()).contains("is gone", "--rejoin");
        assertThat(inspect(3, 1).get("promisesLost").asBoolean()).isTrue();

        // A new disk, on which nothing is but the key.
        delete(folder.resolve("state"));
        Files.delete(folder.resolve("journal.mark"));
        refused = replica(3);
        assertThat(refused.exit()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err()).contains("nothing says that replica 3 never ran", "--rejoin");

        try (PbftProcess rejoining = PbftProcess.start("replica", "--dir", dir, "--id", 3, "--rejoin")) {
            rejoining.awaitErr(line -> line.contains("replica 3 serves"));
            rejoining.handle().destroy();
            assertThat(rejoining.result().exit()).isZero();
        }
        assertThat(inspect(3, 0).get("rejoining").asBoolean()).isTrue();
    }

    @Test
    void damageIsSaidWithWhatToDo() throws Exception {
        try (PbftProcess up = up()) {
            assertThat(PbftProcess.run("put", "--dir", dir, "k", "v").exit()).isZero();
            up.handle().destroy();
            assertThat(up.result().exit()).as(up.err()).isZero();
        }
        Path segment = dir.resolve("replica-1/journal/segment-000000000001");
        byte[] bytes = Files.readAllBytes(segment);
        bytes[4096 + 32 + 29 + 3] ^= 1;
        Files.write(segment, bytes);
        JsonNode found = inspect(1, 1);
        assertThat(found.get("promisesLost").asBoolean()).as(found.toString()).isTrue();
        assertThat(found.get("damages").get(0).asText()).contains(segment.toString());
        PbftProcess.Result refused = replica(1);
        assertThat(refused.exit()).isEqualTo(2);
        assertThat(refused.err()).contains(segment.toString(), "--rejoin");
        PbftProcess.Result text = PbftProcess.run("inspect", "--dir", dir, "--id", 1);
        assertThat(text.out()).contains("DAMAGE", "it starts only with --rejoin");
        PbftProcess.Result unknown = PbftProcess.run("inspect", "--dir", dir, "--id", 4);
        assertThat(unknown.exit()).isEqualTo(2);
        assertThat(unknown.err()).contains("expected 0 to 3");
    }

    /** A limit on the size of files stands for a disk that takes no more. */
    @Test
    void aDiskThatTakesNoMoreHaltsAReplicaAndItStartsAgainOnceThereIsRoom() throws Exception {
        List<PbftProcess> others = new ArrayList<>();
        try (PbftProcess limited = PbftProcess.startAfter("ulimit -f 2100", "replica", "--dir", dir, "--id", 3)) {
            for (int id = 0; id < 3; id++) {
                others.add(PbftProcess.start("replica", "--dir", dir, "--id", id));
            }
            for (PbftProcess replica : others) {
                replica.awaitErr(line -> line.contains("serves"));
            }
            limited.awaitErr(line -> line.contains("replica 3 serves"));
            PbftProcess.Result load =
                    PbftProcess.run("bench", "--dir", dir, "--size", 10_000, "--seconds", 3, "--warm-up", 0);
            assertThat(load.exit()).as(load.err()).isZero();
            PbftProcess.Result halted = limited.result();
            assertThat(halted.exit()).as(halted.err()).isEqualTo(1);
            assertThat(halted.err()).contains("replica 3 halted, its disk failed", "check free space");
            try (PbftProcess again = PbftProcess.start("replica", "--dir", dir, "--id", 3)) {
                again.awaitErr(line -> line.contains("replica 3 serves"));
            }
        } finally {
            others.forEach(PbftProcess::close);
        }
    }
}
