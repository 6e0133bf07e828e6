package io.pbft.cli;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pbft.protocol.ClusterConfig;
import io.pbft.replica.server.AdminEndpoint;
import io.pbft.replica.server.ReplicaFolder;
import io.pbft.replica.server.ReplicaStatus;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * What one replica of this machine said when it was asked.
 *
 * @param status its answer; null: it gave none, and {@code problem} says why
 */
record ReplicaRow(int id, @Nullable ReplicaStatus status, String problem) {
    private static final int TIMEOUT_MILLIS = 2_000;
    private static final int ANSWER_BYTES_MAX = 4 << 20;
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    /** Whether it answered and is at work. */
    boolean works() {
        return status != null && status.halted() == null;
    }

    /** Its answer, which it must have given. */
    ReplicaStatus answer() {
        if (status == null) {
            throw new IllegalStateException("replica " + id + " gave no answer: " + problem);
        }
        return status;
    }

    /** Asks all replicas at the same time. */
    static List<ReplicaRow> askAll(ClusterFolder folder, ClusterConfig cluster) {
        ExecutorService threads =
                Executors.newFixedThreadPool(cluster.replicas().size(), task -> {
                    Thread thread = new Thread(task, "status");
                    thread.setDaemon(true);
                    return thread;
                });
        try {
            List<CompletableFuture<ReplicaRow>> answers = new ArrayList<>();
            for (ClusterConfig.ReplicaInfo replica : cluster.replicas()) {
                answers.add(CompletableFuture.supplyAsync(() -> ask(folder, replica.id()), threads));
            }
            return answers.stream().map(CompletableFuture::join).toList();
        } finally {
            threads.shutdown();
        }
    }

    static ReplicaRow ask(ClusterFolder folder, int id) {
        ReplicaFolder own = ReplicaFolder.of(folder.path(), id);
        if (!Files.exists(own.admin())) {
            return new ReplicaRow(id, null, "it does not run on this machine");
        }
        try {
            AdminEndpoint.Address address = AdminEndpoint.locate(own.admin());
            ReplicaStatus status = get(address.port());
            return status.id() == id && status.pid() == address.pid()
                    ? new ReplicaRow(id, status, "")
                    : new ReplicaRow(id, null, "it does not run any more");
        } catch (IOException e) {
            return new ReplicaRow(id, null, "it does not answer: " + e.getMessage());
        }
    }

    private static ReplicaStatus get(int port) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + "/status").toURL().openConnection(java.net.Proxy.NO_PROXY);
        connection.setConnectTimeout(TIMEOUT_MILLIS);
        connection.setReadTimeout(TIMEOUT_MILLIS);
        try (InputStream in = connection.getInputStream()) {
            return JSON.readValue(in.readNBytes(ANSWER_BYTES_MAX), ReplicaStatus.class);
        } finally {
            connection.disconnect();
        }
    }
}
