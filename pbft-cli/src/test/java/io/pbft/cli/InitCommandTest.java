package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.protocol.ClusterConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InitCommandTest {
    @TempDir
    private Path temp;

    @Test
    void makesACluster() throws Exception {
        Path dir = temp.resolve("a").resolve("b");
        CommandRun run = CommandRun.of("init", "--dir", dir, "--replicas", 7, "--clients", 2, "--base-port", 9000);
        assertThat(run.exit()).as(run.err()).isZero();
        assertThat(run.out()).contains("7 replicas, of which 2 may be faulty");

        ClusterConfig cluster = ClusterConfig.read(dir.resolve("cluster.json"), new Ed25519());
        assertThat(cluster.replicas()).hasSize(7);
        assertThat(cluster.replicas().get(6).address()).isEqualTo("127.0.0.1:9006");
        assertThat(cluster.clients()).hasSize(2);
        for (int i = 0; i < 7; i++) {
            assertKey(dir.resolve("replica-" + i), cluster.replicas().get(i).publicKey());
        }
        assertKey(dir.resolve("client-1"), cluster.clients().get(1).publicKey());
    }

    private static void assertKey(Path folder, Object publicKey) throws Exception {
        assertThat(mode(folder)).isEqualTo("rwx------");
        assertThat(mode(folder.resolve("key.pem"))).isEqualTo("rw-------");
        assertThat(new Ed25519()
                        .signer(KeyFiles.readPrivate(folder.resolve("key.pem")))
                        .publicKey())
                .isEqualTo(publicKey);
    }

    private static String mode(Path file) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    void twoClustersShareNothing() throws Exception {
        Set<String> seen = new TreeSet<>();
        for (String name : new String[] {"one", "two"}) {
            CommandRun.of("init", "--dir", temp.resolve(name));
            ClusterConfig cluster = ClusterConfig.read(temp.resolve(name).resolve("cluster.json"), new Ed25519());
            assertThat(seen.add(cluster.clusterId().toHex())).isTrue();
            cluster.replicas()
                    .forEach(replica ->
                            assertThat(seen.add(replica.publicKey().toString())).isTrue());
        }
    }

    @Test
    void answersInJson() throws Exception {
        CommandRun run = CommandRun.of("init", "--dir", temp.resolve("c"), "--json");
        JsonNode json = new ObjectMapper().readTree(run.out());
        assertThat(json.get("replicas").asInt()).isEqualTo(4);
        assertThat(json.get("f").asInt()).isEqualTo(1);
        assertThat(json.get("clusterId").asText()).hasSize(64);
    }

    @Test
    void neverOverwrites() throws Exception {
        Path dir = temp.resolve("c");
        CommandRun.of("init", "--dir", dir);
        String config = Files.readString(dir.resolve("cluster.json"));
        String key = Files.readString(dir.resolve("replica-0/key.pem"));

        CommandRun again = CommandRun.of("init", "--dir", dir);
        assertThat(again.exit()).isEqualTo(2);
        assertThat(again.err()).contains("already", "not overwritten", "pbft up --dir " + dir);

        Files.delete(dir.resolve("cluster.json"));
        CommandRun withoutConfig = CommandRun.of("init", "--dir", dir);
        assertThat(withoutConfig.exit()).isEqualTo(2);
        assertThat(withoutConfig.err()).contains("restore cluster.json");

        assertThat(dir.resolve("cluster.json")).doesNotExist();
        assertThat(Files.readString(dir.resolve("replica-0/key.pem"))).isEqualTo(key);
        assertThat(config).contains("clusterId");
    }

    @Test
    void refusesWhatCannotBeACluster() throws Exception {
        Path file = Files.createFile(temp.resolve("file"));
        refused("file, not a directory", "--dir", file);
        Path dir = temp.resolve("c");
        refused("--replicas: expected at least 4, found 3", "--dir", dir, "--replicas", 3);
        refused("--replicas: expected 4 to 31, found 32", "--dir", dir, "--replicas", 32);
        refused("--clients: expected 1 to", "--dir", dir, "--clients", 0);
        refused("--base-port: expected 1 to 65532", "--dir", dir, "--base-port", 65_533);
        refused("replicas[0].host: expected a host name", "--dir", dir, "--host", "not a host");
        assertThat(temp.resolve("c").resolve("cluster.json")).doesNotExist();
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files.map(path -> path.getFileName().toString())).doesNotContain("cluster.json");
        }
    }

    private static void refused(String reason, Object... options) {
        Object[] words = new Object[options.length + 1];
        words[0] = "init";
        System.arraycopy(options, 0, words, 1, options.length);
        CommandRun run = CommandRun.of(words);
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).contains(reason).doesNotContain("\tat ", "    at ");
    }
}
