package io.pbft.replica.server;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A read-only window on a running replica, for its own machine alone: it listens on the loopback address, on a port that the
 * system chooses and that {@code admin.json} names. {@code /status} answers with a {@link ReplicaStatus} as JSON,
 * {@code /metrics} with the metrics in Prometheus' text format. It holds no secret and changes nothing, so it asks nobody who
 * he is; a request whose Host is not a loopback name is refused, so that no web page can read it through a browser.
 *
 * <p>Thread-safe.
 */
public final class AdminEndpoint implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AdminEndpoint.class);
    private static final Set<String> HOSTS = Set.of("127.0.0.1", "localhost", "[::1]");
    private static final int BACKLOG = 16;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final ExecutorService executor;
    private final Path file;

    /** Where a running replica's endpoint is: the content of {@code admin.json}. */
    public record Address(long pid, int port) {}

    private AdminEndpoint(HttpServer server, ExecutorService executor, Path file) {
        this.server = server;
        this.executor = executor;
        this.file = file;
    }

    /**
     * Starts to listen and writes {@code file}.
     *
     * @throws IOException when there is no port to be had or the file cannot be written
     */
    static AdminEndpoint open(Path file, long pid, Supplier<ReplicaStatus> status, Supplier<String> metrics)
            throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), BACKLOG);
        ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "admin");
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(executor);
        server.createContext(
                "/status",
                exchange ->
                        answer(exchange, "/status", "application/json", () -> JSON.writeValueAsBytes(status.get())));
        server.createContext(
                "/metrics",
                exchange -> answer(
                        exchange,
                        "/metrics",
                        "text/plain; version=0.0.4; charset=utf-8",
                        () -> metrics.get().getBytes(StandardCharsets.UTF_8)));
        server.start();
        AdminEndpoint endpoint = new AdminEndpoint(server, executor, file);
        try {
            write(file, new Address(pid, server.getAddress().getPort()));
        } catch (IOException e) {
            endpoint.close();
            throw e;
        }
        return endpoint;
    }

    /**
     * Where the replica of this folder can be asked.
     *
     * @throws IOException when there is no such file, as when no replica runs there, or it is not one
     */
    public static Address locate(Path file) throws IOException {
        return JSON.readValue(Files.readAllBytes(file), Address.class);
    }

    int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("cannot remove {}: {}; it names a port that nobody listens on any more", file, e.toString());
        }
    }

    /** What makes the body of an answer. */
    private interface Body {
        byte[] make() throws IOException;
    }

    private static void answer(HttpExchange exchange, String path, String contentType, Body body) throws IOException {
        try (exchange) {
            String host = String.valueOf(exchange.getRequestHeaders().getFirst("Host"));
            if (!HOSTS.contains(host.replaceFirst(":\\d+$", ""))) {
                exchange.sendResponseHeaders(403, -1);
            } else if (!exchange.getRequestURI().getPath().equals(path)) {
                exchange.sendResponseHeaders(404, -1);
            } else if (!exchange.getRequestMethod().equals("GET")) {
                exchange.sendResponseHeaders(405, -1);
            } else {
                byte[] content = body.make();
                exchange.getResponseHeaders().set("Content-Type", contentType);
                exchange.sendResponseHeaders(200, content.length);
                exchange.getResponseBody().write(content);
            }
        } catch (RuntimeException e) {
            LOG.error("the answer to {} could not be made", path, e);
        }
    }

    /** In one move: who reads the file finds all of it or none. */
    private static void write(Path file, Address address) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.write(temporary, JSON.writeValueAsBytes(Map.of("pid", address.pid(), "port", address.port())));
        try {
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
