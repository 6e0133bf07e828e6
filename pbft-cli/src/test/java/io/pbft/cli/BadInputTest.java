package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user can get wrong: each has a sentence that says what, where and what to do, and an exit code. */
class BadInputTest {
    @TempDir
    private Path temp;

    private Path dir;

    @BeforeEach
    void makeCluster() {
        dir = temp.resolve("cluster");
        int basePort = FreePorts.on("127.0.0.1", 1).get(0);
        CommandRun run = CommandRun.of("init", "--dir", dir, "--base-port", basePort);
        assertThat(run.exit()).as(run.err()).isZero();
    }

    private static void refused(CommandRun run, String... words) {
        assertThat(run.exit()).as(run.err()).isEqualTo(2);
        assertThat(run.err()).contains(words).doesNotContain("    at ", "defect");
        assertThat(run.err().lines().filter(line -> line.startsWith("pbft: "))).hasSize(1);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void aDirectoryThatIsNotOne() throws Exception {
        Path file = Files.createFile(temp.resolve("file"));
        for (String command : List.of("status", "up")) {
            refused(CommandRun.of(command, "--dir", file), file + " is a file, not a directory");
        }
        refused(CommandRun.of("replica", "--dir", file, "--id", 0), file + " is a file, not a directory");
        refused(CommandRun.of("get", "--dir", file, "k"), file + " is a file, not a directory");
    }

    @Test
    void aDirectoryThatIsNotThere() {
        Path none = temp.resolve("none");
        refused(CommandRun.of("get", "--dir", none, "k"), "no directory " + none, "pbft init --dir " + none);
        refused(CommandRun.of("get", "--dir", temp, "k"), "no cluster.json in " + temp, "pbft init --dir " + temp);
    }

    @Test
    void aWrongFieldInTheConfiguration() throws Exception {
        Path file = dir.resolve("cluster.json");
        String good = Files.readString(file);
        Files.writeString(file, good.replaceFirst("\"port\"", "\"prt\""));
        refused(CommandRun.of("replica", "--dir", dir, "--id", 0), file.toString(), "replicas[0].prt", "unknown field");
        Files.writeString(file, good.replaceFirst("\"port\" : \\d+", "\"port\" : 70000"));
        refused(
                CommandRun.of("get", "--dir", dir, "k"),
                "replicas[0].port",
                "expected a port from 1 to 65535, found 70000");
        Files.writeString(file, good.substring(0, good.length() / 2));
        refused(CommandRun.of("status", "--dir", dir), file.toString(), "expected JSON");
    }

    @Test
    void aReplicaThatIsNotInTheConfiguration() {
        refused(
                CommandRun.of("replica", "--dir", dir, "--id", 4),
                "--id: there is no replica 4 in " + dir.resolve("cluster.json"),
                "expected 0 to 3");
        refused(CommandRun.of("replica", "--dir", dir, "--id", -1), "there is no replica -1");
        refused(CommandRun.of("replica", "--dir", dir, "--id", "one"), "--id", "one");
        refused(CommandRun.of("replica", "--dir", dir), "--id");
    }

    @Test
    void aReplicaLiesOnlyWhereSomebodySaysThatItIsATest() {
        refused(
                CommandRun.of("replica", "--dir", dir, "--id", 1, "--byzantine", "equivocate"),
                "--byzantine: a replica that lies",
                "at most f of them",
                "add --i-know-this-is-a-test");
        refused(
                CommandRun.of("replica", "--dir", dir, "--id", 1, "--byzantine", "twin", "--i-know-this-is-a-test"),
                "--byzantine: ");
        refused(
                CommandRun.of("replica", "--dir", dir, "--id", 1, "--byzantine", "nod", "--i-know-this-is-a-test"),
                "--byzantine",
                "nod");
    }

    @Test
    void aMissingKey() throws Exception {
        Path key = dir.resolve("replica-1/key.pem");
        Files.delete(key);
        refused(CommandRun.of("replica", "--dir", dir, "--id", 1), key.toString(), "does not exist");
        Files.delete(dir.resolve("client-0/key.pem"));
        refused(
                CommandRun.of("get", "--dir", dir, "k"),
                dir.resolve("client-0/key.pem").toString(),
                "does not exist");
    }

    @Test
    void aKeyThatOthersMayRead() throws Exception {
        Path key = dir.resolve("replica-1/key.pem");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
        refused(CommandRun.of("replica", "--dir", dir, "--id", 1), key.toString(), "0644", "chmod 600 " + key);
    }

    @Test
    void theKeyOfAnotherReplica() throws Exception {
        Path key = dir.resolve("replica-1/key.pem");
        Files.writeString(key, Files.readString(dir.resolve("replica-2/key.pem")));
        refused(CommandRun.of("replica", "--dir", dir, "--id", 1), key.toString(), "not the private key of replica 1");
    }

    @Test
    void aPortInUse() throws Exception {
        int port = new ClusterFolder(dir).read().replicas().get(0).port();
        try (ServerSocket other = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
            refused(
                    CommandRun.of("replica", "--dir", dir, "--id", 0),
                    "127.0.0.1:" + other.getLocalPort(),
                    "cannot listen",
                    "in use");
        }
    }

    @Test
    void aClientThatIsNotInTheConfiguration() {
        refused(
                CommandRun.of("put", "--dir", dir, "--client", 1, "k", "v"),
                "there is no client 1 in " + dir.resolve("cluster.json"),
                "1 client");
        refused(CommandRun.of("put", "--dir", dir, "--client", -1, "k", "v"), "there is no client -1");
    }

    @Test
    void aValueOverTheLimit() {
        refused(
                CommandRun.of("put", "--dir", dir, "k", "v".repeat(253_953)),
                "value of 253953 bytes: expected at most 253952",
                "nothing was sent");
        refused(CommandRun.of("put", "--dir", dir, "k".repeat(4_097), "v"), "key of 4097 bytes: expected 1 to 4096");
        refused(CommandRun.of("get", "--dir", dir, ""), "key of 0 bytes: expected 1 to 4096");
        refused(CommandRun.of("scan", "--dir", dir, "--limit", 1_001), "limit: expected 1 to 1000, found 1001");
    }

    @Test
    void wrongWords() {
        refused(CommandRun.of("get", "k"), "--dir");
        refused(CommandRun.of("put", "--dir", dir, "k"), "VALUE");
        refused(CommandRun.of("get", "--dir", dir, "--tiemout", 3, "k"), "--tiemout");
        refused(CommandRun.of("get", "--dir", dir, "--timeout", 0, "k"), "--timeout: expected seconds above 0");
        refused(CommandRun.of("get", "--dir", dir, "--read", "slow", "k"), "--read", "slow");
        refused(CommandRun.of("incr", "--dir", dir, "k", "much"), "BY: expected a whole number", "much");
        refused(CommandRun.of("cas", "--dir", dir, "k", "v"), "expected KEY OLD NEW, found 2 words");
        refused(CommandRun.of("cas", "--dir", dir, "--absent", "k", "v", "w"), "expected KEY NEW after --absent");
        refused(
                CommandRun.of("get", "--dir", dir, "--read", "fast", "--receipt", temp.resolve("r"), "k"),
                "--read fast has no receipt");
        refused(
                CommandRun.of("put", "--dir", dir, "--receipt", temp.resolve("none/r"), "k", "v"),
                "--receipt: " + temp.resolve("none/r"),
                "nothing was sent");
        refused(CommandRun.of("up", "--dir", dir, "--replicas", 7), "--replicas: the cluster", "has 4, not 7");
        refused(CommandRun.of("up", "--dir", temp.resolve("new"), "--replicas", 3), "expected at least 4, found 3");
        refused(CommandRun.of("bench", "--dir", dir, "--clients", 2), "--clients: expected 1 to 1, found 2");
        refused(CommandRun.of("bench", "--dir", dir, "--read-share", 2), "--read-share: expected 0 to 1");
    }

    @Test
    void aClusterThatDoesNotRunIsUnreachable() {
        CommandRun put = CommandRun.of("put", "--dir", dir, "--timeout", "0.3", "k", "v");
        assertThat(put.exit()).isEqualTo(3);
        assertThat(put.err()).contains("within 0.3 s", "not sent and will not be executed", "pbft status --dir " + dir);
        CommandRun get = CommandRun.of("get", "--dir", dir, "--timeout", "0.3", "k");
        assertThat(get.exit()).isEqualTo(3);
        assertThat(get.out()).isEmpty();
        CommandRun status = CommandRun.of("status", "--dir", dir);
        assertThat(status.exit()).isEqualTo(3);
        assertThat(status.out()).contains("does not run on this machine");
        assertThat(status.err()).contains("0 of 4 replicas are at work", "a quorum is 3");
    }

    @Test
    void aFileThatIsNoProof() throws Exception {
        Path config = dir.resolve("cluster.json");
        Path file = temp.resolve("file");
        refused(CommandRun.of("verify", "--config", config, file), "there is no file " + file);
        refused(CommandRun.of("verify", "--config", file, file), file.toString(), "no such file");
        Files.writeString(file, "hello");
        CommandRun run = CommandRun.of("verify", "--config", config, file);
        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.out()).contains("This receipt proves nothing");
        Files.writeString(file, "pbft-eqv hello");
        CommandRun evidence = CommandRun.of("verify", "--config", config, file, "--json");
        assertThat(evidence.exit()).isEqualTo(1);
        assertThat(evidence.out()).contains("\"kind\":\"evidence\"", "\"valid\":false", "\"reason\":");
    }
}
