package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Digest;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.ClusterConfig.ClientInfo;
import io.pbft.protocol.ClusterConfig.ReplicaInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That a configuration is read as it was written, and what is said of each mistake. */
class ClusterConfigTest {
    private final CheapScheme scheme = new CheapScheme();
    private final ClusterConfig config = TestCluster.of(4).config();
    private final String json = config.toJson();

    private ClusterConfig parse(String text) {
        return ClusterConfig.parse("cluster.json", text.getBytes(StandardCharsets.UTF_8), scheme);
    }

    /** The file with one place of it changed is refused with exactly this complaint. */
    private void refused(String target, String replacement, String complaint) {
        assertThat(json).contains(target);
        int at = json.indexOf(target);
        String changed = json.substring(0, at) + replacement + json.substring(at + target.length());
        assertThatThrownBy(() -> parse(changed))
                .isInstanceOf(ConfigException.class)
                .hasMessage("cluster.json: " + complaint);
    }

    private String replicaKey(int replica) {
        return config.replicas().get(replica).publicKey().toString();
    }

    @Test
    void whatIsWrittenIsRead(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("cluster.json");
        config.write(file);
        assertThat(ClusterConfig.read(file, scheme)).isEqualTo(config);
        assertThat(json).endsWith("}\n").contains("\"port\" : 7003");
    }

    @Test
    void nodesAreFoundByTheirId() {
        assertThat(config.has(NodeId.replica(3))).isTrue();
        assertThat(config.has(NodeId.replica(4))).isFalse();
        assertThat(config.has(NodeId.client(-1))).isFalse();
        assertThat(config.key(NodeId.client(1)))
                .isEqualTo(config.clients().get(1).publicKey());
        assertThat(config.quorum()).isEqualTo(new Quorum(4));
    }

    @Test
    void missingParametersAreTheDefaults() {
        String without = json.substring(0, json.indexOf(",\n  \"parameters\"")) + "}";
        assertThat(parse(without).parameters()).isEqualTo(ProtocolParameters.DEFAULT);
        String some = json.substring(0, json.indexOf("\"parameters\"")) + "\"parameters\": {\"window\": 300}}";
        assertThat(parse(some).parameters().window()).isEqualTo(300);
        assertThat(parse(some).parameters().checkpointInterval())
                .isEqualTo(ProtocolParameters.DEFAULT.checkpointInterval());
    }

    @Test
    void aFileThatIsNotThereIsNamed(@TempDir Path directory) {
        Path file = directory.resolve("cluster.json");
        assertThatThrownBy(() -> ClusterConfig.read(file, scheme))
                .isInstanceOf(ConfigException.class)
                .hasMessage(file + ": there is no such file; \"pbft init\" makes one");
        assertThatThrownBy(() -> ClusterConfig.read(directory, scheme))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(directory + ": cannot be read: ");
    }

    @Test
    void whatIsNotJsonIsNamedByItsPlace() {
        assertThatThrownBy(() -> parse("{\n  \"clusterId\" \"x\"}"))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("cluster.json: expected JSON, found a mistake in line 2, column");
        assertThatThrownBy(() -> parse("")).hasMessage("cluster.json: expected a JSON object, found nothing");
        assertThatThrownBy(() -> parse("[]")).hasMessage("cluster.json: expected a JSON object, found a list");
        assertThatThrownBy(() -> parse(json + "{}")).hasMessageContaining("expected the end after the JSON object");
        assertThatThrownBy(() -> parse("[".repeat(1_000)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("expected at most 16 levels of nesting");
    }

    @Test
    void fieldsThatAreUnknownMissingOrThereTwiceAreNamed() {
        refused(
                "\"window\"",
                "\"windwo\"",
                "parameters.windwo: unknown field; expected one of "
                        + "checkpointInterval, window, pipelineDepth, batchOperationsMax, batchBytesMax, tickMillis, "
                        + "requestTimeoutMillis, disconnectedTimeoutMillis, "
                        + "fairnessTimeoutMillis, viewChangeTimeoutMillis, "
                        + "viewChangeTimeoutMaxMillis, statusIntervalMillis, clockSkewMillis, "
                        + "sessionWindow, sessionsPerClient, resultBytesMax");
        refused("\"port\" : 7000,", "", "replicas[0].port: expected, but it is missing");
        refused(
                "\"clusterId\"",
                "\"clusterID\"",
                "clusterID: unknown field; expected one of clusterId, replicas, clients, parameters");
        refused(
                "\"port\" : 7000,",
                "\"port\" : 7000, \"port\" : 7000,",
                "replicas[0].port: expected once, found again (line 6)");
        refused(
                "\"host\" : \"127.0.0.1\",",
                "\"host\" : \"127.0.0.1\", \"name\" : \"x\",",
                "replicas[0].name: unknown field; expected one of id, host, port, publicKey");
        assertThatThrownBy(() -> parse("{}")).hasMessage("cluster.json: clusterId: expected, but it is missing");
        assertThatThrownBy(() -> parse("{\"clusterId\": \"" + Digest.ZERO.toHex() + "\"}"))
                .hasMessage("cluster.json: replicas: expected, but it is missing");
    }

    @Test
    void valuesOfTheWrongKindAreNamed() {
        refused(
                "\"port\" : 7000",
                "\"port\" : \"7000\"",
                "replicas[0].port: expected a whole number from -2147483648 to 2147483647, found \"7000\"");
        refused(
                "\"port\" : 7000",
                "\"port\" : 7000.5",
                "replicas[0].port: expected a whole number from -2147483648 to 2147483647, found 7000.5");
        refused(
                "\"port\" : 7000",
                "\"port\" : 99999999999",
                "replicas[0].port: expected a whole number from -2147483648 to 2147483647, found 99999999999");
        refused(
                "\"port\" : 7000",
                "\"port\" : null",
                "replicas[0].port: expected a whole number from -2147483648 to 2147483647, found null");
        refused("\"127.0.0.1\"", "[]", "replicas[0].host: expected a host name or an IP address, found a list");
        refused(config.clusterId().toHex(), "12", "clusterId: expected 64 hexadecimal digits, found \"12\"");
        refused(
                "\"window\" : 16",
                "\"window\" : true",
                "parameters.window: expected a whole number from -2147483648 to 2147483647, found true");
        assertThatThrownBy(() -> parse("{\"clusterId\": \"" + Digest.ZERO.toHex() + "\", \"replicas\": {}}"))
                .hasMessage("cluster.json: replicas: expected a list, found an object");
    }

    @Test
    void valuesOutOfRangeAreNamed() {
        refused("\"port\" : 7001", "\"port\" : 0", "replicas[1].port: expected a port from 1 to 65535, found 0");
        refused(
                "\"port\" : 7001",
                "\"port\" : 65536",
                "replicas[1].port: expected a port from 1 to 65535, found 65536");
        refused(
                "\"host\" : \"127.0.0.1\"",
                "\"host\" : \"\"",
                "replicas[0].host: expected a host name or an IP address, found \"\"");
        refused(
                "\"host\" : \"127.0.0.1\"",
                "\"host\" : \"a b\"",
                "replicas[0].host: expected a host name or an IP address, found \"a b\"");
        refused("\"id\" : 1", "\"id\" : 2", "replicas[1].id: expected 1 (ids count from 0, in order), found 2");
        refused(
                "\"checkpointInterval\" : 4",
                "\"checkpointInterval\" : 0",
                "parameters.checkpointInterval: expected a number from 1 to 512, found 0");
        refused("\"window\" : 16", "\"window\" : 7", "parameters.window: expected a number from 8 to 1024, found 7");
    }

    @Test
    void whatMustDifferAndDoesNotIsNamed() {
        refused(
                "\"port\" : 7002",
                "\"port\" : 7000",
                "replicas[2]: expected an address of its own, found 127.0.0.1:7000, which is also replicas[0]'s");
        refused(
                replicaKey(3),
                replicaKey(1),
                "replicas[3].publicKey: expected a key of its own, found " + replicaKey(1)
                        + ", which is also replicas[1]'s");
        refused(
                config.clients().get(0).publicKey().toString(),
                replicaKey(1),
                "clients[0].publicKey: expected a key of its own, found " + replicaKey(1)
                        + ", which is also replicas[1]'s");
    }

    @Test
    void keysAreCheckedByTheScheme() {
        refused(
                replicaKey(2),
                Digest.ZERO.toHex(),
                "replicas[2].publicKey: expected a public key that can be trusted: the key of zeros");
        refused(
                replicaKey(2),
                "xyz",
                "replicas[2].publicKey: expected a public key of 64 hexadecimal digits, found \"xyz\"");
        refused(
                replicaKey(2),
                "00ff",
                "replicas[2].publicKey: expected a public key of 64 hexadecimal digits, found \"00ff\"");
    }

    @Test
    void clustersThatAreTooSmallOrTooLargeAreRefused() {
        assertThatThrownBy(() -> of(3, ProtocolParameters.DEFAULT))
                .isInstanceOf(ConfigException.class)
                .hasMessage("cluster configuration: replicas: expected 4 to 31 of them, found 3");
        assertThatThrownBy(() -> of(32, ProtocolParameters.DEFAULT))
                .hasMessage("cluster configuration: replicas: expected 4 to 31 of them, found 32");
        assertThat(of(31, ProtocolParameters.DEFAULT).quorum().faulty()).isEqualTo(10);
    }

    @Test
    void aWindowWhoseNewViewWouldNotFitInAFrameIsRefused() {
        ProtocolParameters wide = TestCluster.parameters(128, 1_024);
        assertThatThrownBy(() -> of(31, wide))
                .isInstanceOfSatisfying(ConfigException.class, e -> {
                    assertThat(e.path()).isEqualTo("parameters.window");
                    assertThat(e.file()).isEqualTo("cluster configuration");
                })
                .hasMessageMatching("cluster configuration: parameters.window: expected at most \\d+ with 31 replicas,"
                        + " found 1024: a NEW-VIEW could take \\d+ bytes, and a frame has at most 33554432");
        assertThat(of(4, wide).parameters()).isEqualTo(wide);
    }

    private ClusterConfig of(int replicas, ProtocolParameters parameters) {
        List<ReplicaInfo> infos = new ArrayList<>();
        for (int i = 0; i < replicas; i++) {
            PublicKey key =
                    scheme.signer(TestCluster.privateKey(NodeId.replica(i))).publicKey();
            infos.add(new ReplicaInfo(i, "host-" + i, 7_000, key));
        }
        return new ClusterConfig(Digest.ZERO, infos, List.<ClientInfo>of(), parameters);
    }
}
