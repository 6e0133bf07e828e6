package io.pbft.cli;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Limits;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A cluster of real processes that is gone without a trace when it is closed, and also when this process is told to end in the
 * middle of it. Thread-safe.
 */
final class DemoCluster implements AutoCloseable {
    private static final int LINES_KEPT = 12;

    /** Processes that live for half a minute have no use for the optimising compiler, which takes half of the processors. */
    static final List<String> SHORT_LIVED = List.of("-XX:TieredStopAtLevel=1");

    private final ClusterFolder folder;
    private final List<String> jvmOptions;
    private final boolean temporary;
    private final ClusterConfig config;
    private final Thread atExit;

    @GuardedBy("this")
    private final Map<Integer, ReplicaProcess> running = new TreeMap<>();

    @GuardedBy("this")
    private final Map<Integer, Deque<String>> lastLines = new TreeMap<>();

    @GuardedBy("this")
    private boolean closed;

    private DemoCluster(ClusterFolder folder, boolean temporary, int replicas, int clients, List<String> jvmOptions) {
        this.folder = folder;
        this.jvmOptions = List.copyOf(jvmOptions);
        this.temporary = temporary;
        this.atExit = new Thread(this::destroy, "demo-end");
        Runtime.getRuntime().addShutdownHook(atExit);
        try {
            String host = "127.0.0.1";
            this.config = folder.create(new ClusterFolder.Plan(host, FreePorts.on(host, replicas), clients));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Below the system's directory for temporary files; nothing of it is left. */
    static DemoCluster temporary(int replicas, int clients, List<String> jvmOptions) {
        try {
            return new DemoCluster(
                    new ClusterFolder(Files.createTempDirectory("pbft-demo-")), true, replicas, clients, jvmOptions);
        } catch (IOException e) {
            throw CliException.usage(
                    "cannot make a temporary directory: " + e + "; choose another place with --dir", e);
        }
    }

    /** In a directory that is kept. */
    static DemoCluster in(Path directory, int clients, List<String> jvmOptions) {
        return new DemoCluster(new ClusterFolder(directory), false, Limits.REPLICAS_MIN, clients, jvmOptions);
    }

    ClusterFolder folder() {
        return folder;
    }

    ClusterConfig config() {
        return config;
    }

    synchronized ReplicaProcess start(int id) {
        if (closed) {
            throw CliException.unreachable("the demonstration was interrupted");
        }
        Deque<String> lines = lastLines.computeIfAbsent(id, any -> new ArrayDeque<>());
        ReplicaProcess replica = ReplicaProcess.start(
                folder.path(),
                id,
                jvmOptions,
                line -> keep(lines, line),
                ended -> keep(lines, ReplicaProcess.describeExit(ended.ended().join())));
        running.put(id, replica);
        return replica;
    }

    private synchronized void keep(Deque<String> lines, String line) {
        if (lines.size() == LINES_KEPT) {
            lines.removeFirst();
        }
        lines.addLast(line);
    }

    /** SIGKILL: the replica gets no chance to finish anything. */
    void kill(int id) {
        ReplicaProcess replica = process(id);
        replica.kill();
    }

    synchronized ReplicaProcess process(int id) {
        ReplicaProcess replica = running.get(id);
        if (replica == null) {
            throw new IllegalStateException("replica " + id + " was never started");
        }
        return replica;
    }

    List<ReplicaRow> ask() {
        return ReplicaRow.askAll(folder, config);
    }

    /** The last lines of all replicas' logs: what to look at when something went wrong. */
    synchronized List<String> lastLines() {
        List<String> all = new ArrayList<>();
        lastLines.forEach((id, lines) -> lines.forEach(line -> all.add("replica " + id + " | " + line)));
        return all;
    }

    /** Stops the replicas in order and removes the files. */
    @Override
    public void close() {
        List<ReplicaProcess> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(running.values());
        }
        ReplicaProcess.stopAll(all, Duration.ofSeconds(5));
        destroy();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // This process is ending, and the hook does, or did, the same.
        }
    }

    private void destroy() {
        List<ReplicaProcess> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(running.values());
        }
        ReplicaProcess.killAll(all);
        all.forEach(ReplicaProcess::kill);
        if (temporary) {
            delete(folder.path());
        }
    }

    private static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(
                        Path folder, @org.jspecify.annotations.Nullable IOException error) throws IOException {
                    Files.deleteIfExists(folder);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw CliException.usage("cannot remove " + directory + ": " + e + "; remove it by hand", e);
        }
    }
}
