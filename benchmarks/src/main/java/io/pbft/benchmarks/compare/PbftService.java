package io.pbft.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pbft.client.ClientConfig;
import io.pbft.client.PbftClient;
import io.pbft.client.Reply;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.replica.server.AdminEndpoint;
import io.pbft.replica.server.ReplicaFolder;
import io.pbft.replica.server.ReplicaStatus;
import java.io.IOException;
import java.net.Proxy;
import java.net.URI;
import java.net.URLConnection;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** This project as its users run it: {@code pbft up}, which runs each replica in a process of its own. */
final class PbftService implements Service {
    private static final int START_SECONDS_MAX = 120;
    private static final long POLL_MILLIS = 50;
    private static final int FILL_VALUE_BYTES = 4_000;
    private static final int FILL_OUTSTANDING = 100;
    private static final int STATUS_MILLIS_MAX = 2_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * What is particular about a run of this project.
     *
     * @param dead f replicas, none of them the primary, are killed before the load begins
     * @param transferMegabytes a replica that lost its disk comes back, and fetches a state of this size, while the
     *     load is measured; 0: none
     */
    record Variant(int replicas, boolean dead, int transferMegabytes) {
        private static final Pattern NAME =
                Pattern.compile("pbft(-n(?<n>\\d+))?(?<dead>-dead)?(-transfer(?<transfer>\\d*))?");

        private static final int TRANSFER_MEGABYTES = 200;

        boolean transfer() {
            return transferMegabytes > 0;
        }

        static Variant of(String name) {
            Matcher matcher = NAME.matcher(name);
            if (!matcher.matches()) {
                throw new IllegalArgumentException("--services: expected some of " + Services.NAMES
                        + ", or pbft-nN, pbft-dead, pbft-transfer, found " + name);
            }
            String megabytes = matcher.group("transfer");
            int replicas = matcher.group("n") == null ? 4 : Integer.parseInt(matcher.group("n"));
            return new Variant(
                    replicas,
                    matcher.group("dead") != null,
                    megabytes == null ? 0 : megabytes.isEmpty() ? TRANSFER_MEGABYTES : Integer.parseInt(megabytes));
        }
    }

    private final Variant variant;
    private final Path directory;
    private final ClusterConfig cluster;
    private final Child up;
    private @Nullable Child rejoining;

    private PbftService(Variant variant, Path directory, ClusterConfig cluster, Child up) {
        this.variant = variant;
        this.directory = directory;
        this.cluster = cluster;
        this.up = up;
    }

    static PbftService start(Variant variant, Path directory, int clients) throws IOException, InterruptedException {
        Services.initCluster(directory, variant.replicas(), clients);
        Path log = directory.resolve("up.log");
        Child up = Child.server(List.of(Child.launcher(), "up", "--dir", directory.toString()), log);
        try {
            awaitLine(log, "are up");
            ClusterConfig cluster = ClusterConfig.read(directory.resolve("cluster.json"), new Ed25519());
            PbftService service = new PbftService(variant, directory, cluster, up);
            for (int i = 0; variant.dead() && i < cluster.quorum().faulty(); i++) {
                service.kill(variant.replicas() - 1 - i);
            }
            if (variant.transfer()) {
                fill(directory, variant.transferMegabytes(), FILL_VALUE_BYTES);
            }
            return service;
        } catch (IOException | InterruptedException | RuntimeException e) {
            up.close();
            throw e;
        }
    }

    /** Writes so much, in values of so many bytes. */
    static void fill(Path directory, int megabytes, int valueBytes) {
        byte[] bytes = new byte[valueBytes];
        new SplittableRandom(megabytes).nextBytes(bytes);
        Bytes value = Bytes.wrap(bytes);
        Deque<CompletableFuture<Reply>> puts = new ArrayDeque<>();
        try (PbftClient client = PbftClient.connect(ClientConfig.fromDirectory(directory, 0))) {
            for (long i = 0; i < megabytes * 1_000_000L / valueBytes; i++) {
                if (puts.size() == FILL_OUTSTANDING) {
                    puts.remove().join();
                }
                puts.add(client.submit(new KvOperation.Put(Bytes.utf8("filler/" + i), value).encode()));
            }
            puts.forEach(CompletableFuture::join);
        }
    }

    private static void awaitLine(Path log, String words) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS_MAX);
        while (!Files.readString(log).contains(words)) {
            if (System.nanoTime() > deadline) {
                throw new IOException("the replicas did not start within " + START_SECONDS_MAX + " s; see " + log);
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    /** SIGKILL. */
    void kill(int id) throws IOException {
        ProcessHandle.of(pid(id)).ifPresent(process -> {
            process.destroyForcibly();
            process.onExit().join();
        });
    }

    private long pid(int id) throws IOException {
        return AdminEndpoint.locate(ReplicaFolder.of(directory, id).admin()).pid();
    }

    /** Of those that take part all the time. */
    @Override
    public List<Long> pids() throws IOException {
        List<Long> pids = new ArrayList<>();
        int away = variant.transfer() ? 1 : variant.dead() ? cluster.quorum().faulty() : 0;
        for (int i = 0; i < variant.replicas() - away; i++) {
            pids.add(pid(i));
        }
        return pids;
    }

    @Override
    public List<String> clientArguments() {
        return List.of("--service", "pbft", "--dir", directory.toString());
    }

    @Override
    public void beforeMeasuring() throws IOException, InterruptedException {
        if (!variant.transfer()) {
            return;
        }
        int id = variant.replicas() - 1;
        kill(id);
        Path folder = directory.resolve("replica-" + id);
        delete(folder.resolve("journal"));
        delete(folder.resolve("state"));
        rejoining = startAgain(id, List.of("--rejoin"), "rejoin.log");
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS_MAX);
        while (status(directory, id).filter(PbftService::fetches).isEmpty()) {
            if (System.nanoTime() > deadline) {
                throw new IOException("replica " + id + " fetched nothing within " + START_SECONDS_MAX + " s");
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    /** A replica that was killed, in a process of its own. */
    Child startAgain(int id, List<String> options, String log) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Child.launcher(), "replica", "--dir", directory.toString(), "--id", Integer.toString(id)));
        command.addAll(options);
        return Child.server(command, directory.resolve(log));
    }

    /** Its start alone takes as long as a short measurement. */
    private static boolean fetches(ReplicaStatus status) {
        return status.transfer() != null || status.lastExecuted() > 0;
    }

    /** How far the transfer came. */
    @Override
    public Optional<String> afterMeasuring() {
        if (!variant.transfer()) {
            return Optional.empty();
        }
        int id = variant.replicas() - 1;
        String far = status(directory, id)
                .map(status -> status.state() + ", executed up to " + status.lastExecuted() + ", "
                        + (status.transfer() == null
                                ? "fetches nothing any more"
                                : "fetched " + status.transfer().bytesReceived() / 1_000_000 + " MB"))
                .orElse("does not answer yet");
        return Optional.of("replica " + id + ": " + far);
    }

    /** What a replica says of itself; empty where it does not answer. */
    static Optional<ReplicaStatus> status(Path directory, int id) {
        try {
            AdminEndpoint.Address address =
                    AdminEndpoint.locate(ReplicaFolder.of(directory, id).admin());
            URLConnection connection = URI.create("http://127.0.0.1:" + address.port() + "/status")
                    .toURL()
                    .openConnection(Proxy.NO_PROXY);
            connection.setConnectTimeout(STATUS_MILLIS_MAX);
            connection.setReadTimeout(STATUS_MILLIS_MAX);
            return Optional.of(JSON.readValue(connection.getInputStream(), ReplicaStatus.class));
        } catch (IOException e) {
            // It is not there yet.
            return Optional.empty();
        }
    }

    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException error) throws IOException {
                Files.delete(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    @Override
    public void close() {
        if (rejoining != null) {
            rejoining.kill();
        }
        // The replicas would end with the standard input that "up" holds, but in their own time.
        List<ProcessHandle> replicas = up.children();
        up.kill();
        replicas.forEach(replica -> {
            replica.destroyForcibly();
            replica.onExit().join();
        });
    }
}
