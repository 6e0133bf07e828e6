package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.KeyFiles;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.ConfigException;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import io.pbft.replica.kv.KvStateMachine;
import io.pbft.transport.TransportException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
class ReplicaServerTest {
    private static final Bytes KEY = Bytes.utf8("k");

    @TempDir
    private Path directory;

    /** More than a rejoining replica has to wait for, even on a slow machine. */
    private static final int OPERATIONS_MAX = 20_000;

    private static KvResult run(TestCluster cluster, KvOperation operation) throws InterruptedException {
        return KvResult.decode(cluster.run(operation.encode()));
    }

    private static HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void fourServersOrderAndAnswerAndSayHowTheyAre() throws Exception {
        try (TestCluster cluster = new TestCluster(directory)) {
            for (long i = 1; i <= 20; i++) {
                assertThat(run(cluster, new KvOperation.Increment(KEY, 1))).isEqualTo(new KvResult.Incremented(i));
            }
            AdminEndpoint.Address address =
                    AdminEndpoint.locate(ReplicaFolder.of(directory, 0).admin());
            assertThat(address.pid()).isEqualTo(ProcessHandle.current().pid());
            assertThat(address.port()).isEqualTo(cluster.servers.get(0).adminPort());
            HttpResponse<String> response = get(address.port(), "/status");
            ReplicaStatus status = new ObjectMapper().readValue(response.body(), ReplicaStatus.class);
            assertThat(status.id()).isZero();
            assertThat(status.role()).isEqualTo("primary");
            assertThat(status.state()).isEqualTo("NORMAL");
            assertThat(status.halted()).isNull();
            assertThat(get(address.port(), "/metrics").body()).contains("pbft_last_executed", "pbft_view ");
        }
        assertThat(ReplicaFolder.of(directory, 0).admin()).doesNotExist();
    }

    @Test
    void aServerComesBackWithWhatItHadPromised() throws Exception {
        try (TestCluster cluster = new TestCluster(directory)) {
            run(cluster, new KvOperation.Put(KEY, Bytes.utf8("before")));
            for (int id = 0; id < TestCluster.REPLICAS; id++) {
                cluster.stop(id);
            }
            // What was executed after the last checkpoint went with the process, and comes back from the journal.
            for (int id = 0; id < TestCluster.REPLICAS; id++) {
                cluster.start(id);
            }
            assertThat(run(cluster, new KvOperation.Get(KEY)))
                    .isEqualTo(new KvResult.Value(Optional.of(Bytes.utf8("before"))));
        }
    }

    @Test
    void aServerWhoseDiskFailsHaltsAndTheOthersGoOn() throws Exception {
        try (TestCluster cluster = new TestCluster(directory)) {
            run(cluster, new KvOperation.Put(KEY, Bytes.utf8("1")));
            cluster.disks.get(3).broken = true;
            run(cluster, new KvOperation.Put(KEY, Bytes.utf8("2")));
            Throwable cause = cluster.halts.get(3).get(60, TimeUnit.SECONDS);
            assertThat(cause).isInstanceOf(StorageFailure.class);
            ReplicaStatus status = cluster.servers.get(3).status();
            assertThat(status.state()).isEqualTo("HALTED");
            assertThat(status.halted()).isEqualTo(cause.getMessage());
            assertThat(run(cluster, new KvOperation.Get(KEY)))
                    .isEqualTo(new KvResult.Value(Optional.of(Bytes.utf8("2"))));
            assertThat(cluster.halts.get(0)).isNotDone();
        }
    }

    @Test
    void whoDiesWhileItRejoinsRejoinsAgainUntilItMayVote() throws Exception {
        try (TestCluster cluster = new TestCluster(directory)) {
            run(cluster, new KvOperation.Increment(KEY, 1));
            cluster.stop(3);
            cluster.disks.set(3, new MemoryStorage());
            cluster.start(3, true);
            assertThat(cluster.servers.get(3).status().state()).isEqualTo("REJOINING");
            cluster.stop(3);
            // As whatever keeps it running starts it: it must not take its new journal for all that it ever promised.
            cluster.start(3);
            assertThat(cluster.servers.get(3).status().state()).isEqualTo("REJOINING");
            Path mark = ReplicaFolder.of(directory, 3).rejoining();
            for (int i = 0; i < OPERATIONS_MAX && Files.exists(mark); i++) {
                run(cluster, new KvOperation.Increment(KEY, 1));
            }
            assertThat(mark).doesNotExist();
            cluster.stop(3);
            cluster.start(3);
            assertThat(cluster.servers.get(3).status().state()).isEqualTo("NORMAL");
        }
    }

    @Test
    void aPrimaryThatIsGoneIsReplaced() throws Exception {
        try (TestCluster cluster = new TestCluster(directory)) {
            run(cluster, new KvOperation.Put(KEY, Bytes.utf8("1")));
            cluster.stop(0);
            assertThat(run(cluster, new KvOperation.Get(KEY)))
                    .isEqualTo(new KvResult.Value(Optional.of(Bytes.utf8("1"))));
        }
    }

    @Test
    void whoWasAwayForLongerThanTheWindowFetchesTheState() throws Exception {
        try (TestCluster cluster = new TestCluster(directory)) {
            cluster.stop(3);
            for (int i = 1; i <= 50; i++) {
                run(cluster, new KvOperation.Increment(KEY, 1));
            }
            cluster.start(3);
            ReplicaStatus back = cluster.servers.get(3).status();
            for (int i = 0; i < 500 && back.lastExecuted() < 50; i++) {
                run(cluster, new KvOperation.Increment(KEY, 1));
                back = cluster.servers.get(3).status();
            }
            assertThat(back.lastExecuted()).isGreaterThanOrEqualTo(50);
            assertThat(back.events().get("STATE_TRANSFER_FINISHED")).isPositive();
            cluster.stop(1);
            assertThat(run(cluster, new KvOperation.Increment(Bytes.utf8("other"), 1)))
                    .isEqualTo(new KvResult.Incremented(1));
        }
    }

    @Test
    void onARealDiskNothingThatAClientWasToldIsLost() throws Exception {
        try (TestCluster cluster = new TestCluster(directory, true)) {
            for (int round = 0; round < 2; round++) {
                for (int i = 1; i <= 20; i++) {
                    assertThat(run(cluster, new KvOperation.Increment(KEY, 1)))
                            .isEqualTo(new KvResult.Incremented(20L * round + i));
                }
                for (int id = 0; id < TestCluster.REPLICAS; id++) {
                    cluster.stop(id);
                }
                for (int id = 0; id < TestCluster.REPLICAS; id++) {
                    cluster.start(id);
                }
            }
            assertThat(run(cluster, new KvOperation.Get(KEY)))
                    .isEqualTo(new KvResult.Value(Optional.of(Bytes.utf8("40"))));
            assertThat(cluster.halts.values()).noneMatch(java.util.concurrent.CompletableFuture::isDone);
        }
    }

    private void refused(ClusterConfig config, int id, Class<? extends Throwable> kind, String text) {
        assertThatThrownBy(() -> ReplicaServer.start(
                        config,
                        id,
                        ReplicaFolder.of(directory, id),
                        new KvStateMachine(),
                        ServerOptions.DEFAULT,
                        new MemoryStorage()))
                .isInstanceOf(kind)
                .hasMessageContaining(text);
    }

    @Test
    void whatIsWrongWithTheConfigurationIsSaidBeforeAnythingStarts() throws Exception {
        ClusterConfig config = TestCluster.config(directory);
        refused(config, 4, ConfigException.class, "there is no replica 4; expected 0 to 3");

        Path key = ReplicaFolder.of(directory, 1).key();
        Files.delete(key);
        refused(config, 1, KeyFiles.KeyFileException.class, "does not exist");
        Files.move(ReplicaFolder.of(directory, 2).key(), key);
        refused(config, 1, ConfigException.class, "not the private key of replica 1");

        Files.delete(key);
        ReplicaFolder.of(directory, 1).setStarted();
        Files.delete(key.getParent());
        refused(config, 1, ConfigException.class, "no such folder");
        Files.writeString(key.getParent(), "");
        refused(config, 1, ConfigException.class, "found a file");

        try (ServerSocket taken =
                new ServerSocket(config.replicas().get(0).port(), 1, InetAddress.getByName("127.0.0.1"))) {
            refused(config, 0, TransportException.class, ":" + taken.getLocalPort());
        }
        assertThat(ReplicaFolder.of(directory, 0).admin()).doesNotExist();
    }

    @Test
    void theEndpointAnswersNoWebPageAndNothingElse() throws Exception {
        try (TestCluster cluster = new TestCluster(directory)) {
            int port = cluster.servers.get(1).adminPort();
            assertThat(get(port, "/status/x").statusCode()).isEqualTo(404);
            assertThat(get(port, "/").statusCode()).isEqualTo(404);
            assertThat(raw(port, "POST /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"))
                    .startsWith("HTTP/1.1 405");
            assertThat(raw(port, "GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n"))
                    .startsWith("HTTP/1.1 403");
        }
    }

    private static String raw(int port, String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            byte[] start = socket.getInputStream().readNBytes("HTTP/1.1 000".length());
            return new String(start, StandardCharsets.US_ASCII);
        }
    }
}
