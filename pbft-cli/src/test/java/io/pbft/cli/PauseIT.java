package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pbft.replica.server.AdminEndpoint;
import io.pbft.replica.server.ReplicaStatus;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that stop for three seconds under load, as in a long collection of garbage, and go on: who woke too late does not
 * accuse others of the time that it missed (trap 64).
 */
@EnabledOnOs(OS.LINUX)
class PauseIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path temp;

    private Path dir;
    private PbftProcess up;
    private PbftProcess load;

    @BeforeEach
    void startClusterAndLoad() throws Exception {
        dir = temp.resolve("cluster");
        new ClusterFolder(dir).create(new ClusterFolder.Plan("127.0.0.1", FreePorts.on("127.0.0.1", 4), 2));
        up = PbftProcess.start("up", "--dir", dir);
        up.awaitErr(line -> line.startsWith("4 replicas are up"));
        load = PbftProcess.start("bench", "--dir", dir, "--clients", 2, "--outstanding", 2, "--seconds", 60);
        awaitProgress(0);
    }

    @AfterEach
    void stop() {
        load.close();
        up.close();
    }

    private ReplicaStatus status(int replica) throws IOException {
        int port = AdminEndpoint.locate(dir.resolve("replica-" + replica).resolve("admin.json"))
                .port();
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + "/status").toURL().openConnection();
        connection.setReadTimeout((int) TimeUnit.SECONDS.toMillis(PbftProcess.PATIENCE_SECONDS));
        try (InputStream in = connection.getInputStream()) {
            return JSON.readValue(in, ReplicaStatus.class);
        } finally {
            connection.disconnect();
        }
    }

    /** Until {@code replica} has executed a good deal more than it has now, and as much as the others had by then. */
    private void awaitProgress(int replica) throws IOException {
        long wanted = 100;
        for (int other = 0; other < 4; other++) {
            wanted = Math.max(wanted, status(other).lastExecuted() + 100);
        }
        while (status(replica).lastExecuted() < wanted) {
            assertThat(up.handle().isAlive()).as(up.err()).isTrue();
            assertThat(load.handle().isAlive()).as(load.err()).isTrue();
        }
    }

    /** SIGSTOP, three seconds, SIGCONT. */
    private void pause(int replica) throws Exception {
        long pid = status(replica).pid();
        Process pause = new ProcessBuilder("sh", "-c", "kill -STOP " + pid + " && sleep 3; kill -CONT " + pid).start();
        assertThat(pause.waitFor()).isZero();
    }

    private static long accusations(ReplicaStatus status) {
        return status.events().getOrDefault("REQUEST_TIMED_OUT", 0L);
    }

    @Test
    void whoPausedAccusesNobodyAndAPausedPrimaryIsReplaced() throws Exception {
        long view = status(0).view();
        int primary = (int) (view % 4);
        int backup = (primary + 2) % 4;
        pause(backup);
        awaitProgress(backup);
        for (int replica = 0; replica < 4; replica++) {
            ReplicaStatus after = status(replica);
            assertThat(after.view())
                    .as("replica %d: %s", replica, after.events())
                    .isEqualTo(view);
            assertThat(accusations(after)).isZero();
        }

        pause(primary);
        awaitProgress(primary);
        assertThat(accusations(status(primary))).isZero();
        List<Long> views = IntStream.range(0, 4).mapToObj(this::viewOf).toList();
        assertThat(views).allMatch(entered -> entered == view + 1);
    }

    private long viewOf(int replica) {
        try {
            return status(replica).view();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
