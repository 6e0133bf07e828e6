package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster of real processes and the commands that talk to it. */
class ClusterIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path temp;

    private Path dir;
    private PbftProcess up;

    @BeforeEach
    void startCluster() throws Exception {
        dir = temp.resolve("cluster");
        // Ports that are free one by one; "up" takes the cluster as it finds it.
        new ClusterFolder(dir).create(new ClusterFolder.Plan("127.0.0.1", FreePorts.on("127.0.0.1", 4), 2));
        up = PbftProcess.start("up", "--dir", dir);
        up.awaitErr(line -> line.startsWith("4 replicas are up"));
    }

    @AfterEach
    void stopCluster() {
        up.close();
    }

    private PbftProcess.Result run(String command, Object... words) throws Exception {
        Object[] all = new Object[words.length + 3];
        all[0] = command;
        all[1] = "--dir";
        all[2] = dir;
        System.arraycopy(words, 0, all, 3, words.length);
        return PbftProcess.run(all);
    }

    private String ok(String command, Object... words) throws Exception {
        PbftProcess.Result result = run(command, words);
        assertThat(result.exit()).as(result.err()).isZero();
        return result.out();
    }

    private List<JsonNode> status() throws Exception {
        List<JsonNode> replicas = new ArrayList<>();
        JSON.readTree(run("status", "--json").out()).get("replicas").forEach(replicas::add);
        return replicas;
    }

    @Test
    void theServiceIsOneMapForAllClients() throws Exception {
        assertThat(ok("put", "fruit/apple", "gr\u00fcn")).isEqualTo("ok\n");
        assertThat(ok("get", "--client", 1, "fruit/apple")).isEqualTo("gr\u00fcn\n");
        assertThat(ok("incr", "--client", 1, "fruit/count", "-5")).isEqualTo("-5\n");
        PbftProcess.Result none = run("get", "fruit/pear", "--read", "ordered");
        assertThat(none.exit()).isEqualTo(1);
        assertThat(none.out()).isEmpty();
        PbftProcess.Result lost = run("cas", "fruit/apple", "red", "blue");
        assertThat(lost.exit()).as(lost.err()).isEqualTo(1);
        PbftProcess.Result noNumber = run("incr", "fruit/apple");
        assertThat(noNumber.exit()).isEqualTo(1);
        assertThat(noNumber.err()).contains("the service refused it", "not a number");
        assertThat(ok("scan", "fruit/")).isEqualTo("fruit/apple\tgr\u00fcn\nfruit/count\t-5\n");
        JsonNode first = JSON.readTree(ok("scan", "fruit/", "--limit", 1, "--json"));
        assertThat(first.get("entries")).hasSize(1);
        assertThat(first.get("more").asBoolean()).isTrue();
    }

    @Test
    void aReceiptConvincesWithoutTheCluster() throws Exception {
        Path receipt = temp.resolve("receipt");
        JsonNode cas = JSON.readTree(ok("cas", "--absent", "leader", "alice", "--receipt", receipt, "--json"));
        assertThat(cas.get("swapped").asBoolean()).isTrue();
        Path config = dir.resolve("cluster.json");
        PbftProcess.Result good = PbftProcess.run("verify", "--config", config, receipt);
        assertThat(good.exit()).as(good.out()).isZero();
        assertThat(good.out()).contains("cas \"leader\" (absent) \"alice\"", "swapped");

        byte[] bytes = Files.readAllBytes(receipt);
        bytes[bytes.length - 1] ^= 1;
        Files.write(receipt, bytes);
        PbftProcess.Result bad = PbftProcess.run("verify", "--config", config, receipt, "--json");
        assertThat(bad.exit()).isEqualTo(1);
        assertThat(JSON.readTree(bad.out()).get("valid").asBoolean()).isFalse();

        // SIGTERM: everything ends, in order.
        List<ProcessHandle> replicas = up.handle().children().toList();
        assertThat(replicas).hasSize(4);
        up.handle().destroy();
        assertThat(up.result().exit()).as(up.err()).isZero();
        assertGone(replicas);
        assertThat(run("status").exit()).isEqualTo(3);
    }

    @Test
    void aDeadReplicaIsReportedAndComesBack() throws Exception {
        ok("put", "k", "before");
        JsonNode backup = status().get(2);
        assertThat(backup.get("role").asText()).isEqualTo("backup");
        ProcessHandle victim = ProcessHandle.of(backup.get("pid").asLong()).orElseThrow();
        victim.destroyForcibly();
        String line = up.awaitErr(said -> said.startsWith("replica 2 was killed"));
        assertThat(line).contains("3 of 4 live", "pbft replica --dir " + dir + " --id 2");

        JsonNode gone = status().get(2);
        assertThat(gone.get("reachable").asBoolean()).isFalse();
        assertThat(gone.get("pid").isNull()).isTrue();
        ok("put", "k", "after");

        try (PbftProcess replica = PbftProcess.start("replica", "--dir", dir, "--id", 2)) {
            replica.awaitErr(said -> said.contains("replica 2 serves"));
            while (status().get(2).get("lastExecuted").asLong(-1)
                    < status().get(0).get("lastExecuted").asLong()) {
                assertThat(replica.handle().isAlive()).as(replica.err()).isTrue();
            }
            // With another one stopped, what was written is only there if the one that came back takes part.
            ProcessHandle.of(status().get(3).get("pid").asLong()).orElseThrow().destroy();
            up.awaitErr(said -> said.startsWith("replica 3 "));
        }
        assertThat(up.result().exit()).isEqualTo(3);
    }

    @Test
    void noReplicaOutlivesItsParent() throws Exception {
        List<ProcessHandle> replicas = up.handle().children().toList();
        assertThat(replicas).hasSize(4);
        up.handle().destroyForcibly();
        assertGone(replicas);
    }

    private static void assertGone(List<ProcessHandle> processes) throws Exception {
        for (ProcessHandle process : processes) {
            process.onExit().get(PbftProcess.PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
        assertThat(processes).noneMatch(ProcessHandle::isAlive);
    }

    @Test
    void upRefusesAPortThatIsInUse() throws IOException, Exception {
        PbftProcess.Result second = PbftProcess.run("up", "--dir", dir);
        assertThat(second.exit()).as(second.err()).isEqualTo(2);
        assertThat(second.err()).contains("cannot start");
    }
}
