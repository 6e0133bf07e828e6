package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pbft.client.ClientConfig;
import io.pbft.client.PbftClient;
import io.pbft.crypto.Ed25519;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.ProtocolParameters;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A cluster whose replicas are processes that a test starts and kills one by one; clients and commands run in the test. */
final class ReplicaProcesses implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The default ones, but with a checkpoint every 16 sequence numbers. */
    private static final ProtocolParameters PARAMETERS = new ProtocolParameters(
            16, 32, 8, 2_000, 1 << 20, 10, 1_000, 150, 4_000, 1_000, 60_000, 200, 10_000, 4_096, 16, 64 << 20);

    final Path dir;
    final ClusterConfig config;
    private final Map<Integer, PbftProcess> running = new TreeMap<>();

    ReplicaProcesses(Path dir) throws IOException {
        this.dir = dir;
        ClusterFolder folder = new ClusterFolder(dir);
        ClusterConfig made = folder.create(new ClusterFolder.Plan("127.0.0.1", FreePorts.on("127.0.0.1", 4), 2));
        new ClusterConfig(made.clusterId(), made.replicas(), made.clients(), PARAMETERS).write(folder.configFile());
        this.config = ClusterConfig.read(folder.configFile(), new Ed25519());
    }

    Path folder(int id) {
        return dir.resolve("replica-" + id);
    }

    private Object[] words(int id, String... more) {
        Object[] words = new Object[5 + more.length];
        System.arraycopy(new Object[] {"replica", "--dir", dir, "--id", id}, 0, words, 0, 5);
        System.arraycopy(more, 0, words, 5, more.length);
        return words;
    }

    /** Starts replicas at the same time, and returns once all of them serve. */
    void start(int... ids) throws Exception {
        for (int id : ids) {
            running.put(id, PbftProcess.start(words(id)));
        }
        for (int id : ids) {
            awaitServing(id);
        }
    }

    void startRejoining(int id) throws Exception {
        running.put(id, PbftProcess.start(words(id, "--rejoin")));
        awaitServing(id);
    }

    private void awaitServing(int id) throws Exception {
        process(id).awaitErr(line -> line.contains("replica " + id + " serves"));
    }

    PbftProcess process(int id) {
        return running.get(id);
    }

    /** What a replica that does not come to serve says. */
    PbftProcess.Result refused(int id) throws Exception {
        PbftProcess.Result result = PbftProcess.run(words(id));
        assertThat(result.exit()).as(result.err()).isEqualTo(Exit.USAGE);
        return result;
    }

    /** SIGKILL to all of them before any of them is waited for. */
    void kill(int... ids) {
        for (int id : ids) {
            process(id).handle().destroyForcibly();
        }
        for (int id : ids) {
            running.remove(id).close();
        }
    }

    /** SIGTERM. */
    void stop(int id) throws Exception {
        process(id).handle().destroy();
        PbftProcess.Result result = process(id).result();
        running.remove(id).close();
        assertThat(result.exit()).as(result.err()).isZero();
    }

    /** The end of a process that ends by itself. */
    PbftProcess.Result end(int id) throws Exception {
        PbftProcess.Result result = process(id).result();
        running.remove(id).close();
        return result;
    }

    PbftClient client(int id) {
        Path key = dir.resolve("client-" + id).resolve("key.pem");
        Duration patience = Duration.ofSeconds(PbftProcess.PATIENCE_SECONDS);
        return PbftClient.connect(ClientConfig.of(config, id, key).withDeadline(patience));
    }

    /** What {@code pbft status --json} says of a replica. */
    JsonNode status(int id) {
        return json(CommandRun.of("status", "--dir", dir, "--json").out())
                .get("replicas")
                .get(id);
    }

    /** What {@code pbft status --json} says of a replica as soon as it is as wanted. */
    JsonNode awaitStatus(int id, Predicate<JsonNode> wanted) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PbftProcess.PATIENCE_SECONDS);
        while (true) {
            JsonNode status = status(id);
            if (status.get("reachable").asBoolean() && wanted.test(status)) {
                return status;
            }
            assertThat(process(id).handle().isAlive()).as(process(id).err()).isTrue();
            assertThat(System.nanoTime() - deadline).as(status.toString()).isNegative();
        }
    }

    /** Until a replica has executed what {@code other} has executed by now. */
    JsonNode awaitCaughtUp(int id, int other) {
        long executed = status(other).get("lastExecuted").asLong();
        return awaitStatus(
                id,
                status -> status.get("transfer").isNull()
                        && status.get("lastExecuted").asLong() >= executed);
    }

    JsonNode inspect(int id, int exit) {
        CommandRun run = CommandRun.of("inspect", "--dir", dir, "--id", id, "--json");
        assertThat(run.exit()).as(run.out() + run.err()).isEqualTo(exit);
        return json(run.out());
    }

    private static JsonNode json(String document) {
        try {
            return JSON.readTree(document);
        } catch (JsonProcessingException e) {
            throw new AssertionError(document, e);
        }
    }

    String said() {
        StringBuilder all = new StringBuilder();
        List.copyOf(running.entrySet())
                .forEach(each -> all.append("\nreplica ")
                        .append(each.getKey())
                        .append(":\n")
                        .append(each.getValue().err()));
        return all.toString();
    }

    @Override
    public void close() {
        kill(running.keySet().stream().mapToInt(Integer::intValue).toArray());
    }
}
