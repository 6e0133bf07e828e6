package io.pbft.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A replica in a process of its own. That process ends when this one does, however this one ends: it reads its standard input,
 * a pipe that only this process holds, and stops at its end.
 *
 * <p>Thread-safe.
 */
final class ReplicaProcess {
    private final int id;
    private final Process process;
    private final CompletableFuture<Integer> ended = new CompletableFuture<>();

    private ReplicaProcess(int id, Process process) {
        this.id = id;
        this.process = process;
    }

    /**
     * Starts one.
     *
     * @param jvmOptions for its JVM, besides those of this one
     * @param lines takes what the process prints, line by line, on a thread of its own
     * @param atEnd told on that thread when the process has ended
     */
    static ReplicaProcess start(
            Path dir, int id, List<String> jvmOptions, Consumer<String> lines, Consumer<ReplicaProcess> atEnd) {
        List<String> arguments =
                List.of("replica", "--dir", dir.toString(), "--id", Integer.toString(id), "--end-with-input");
        try {
            Process process = new ProcessBuilder(JavaCommand.of(jvmOptions, arguments))
                    .redirectErrorStream(true)
                    .start();
            ReplicaProcess replica = new ReplicaProcess(id, process);
            Thread reader = new Thread(() -> replica.read(lines, atEnd), "output-of-replica-" + id);
            reader.setDaemon(true);
            reader.start();
            return replica;
        } catch (IOException e) {
            throw CliException.unreachable("cannot start a process for replica " + id + ": " + e.getMessage(), e);
        }
    }

    private void read(Consumer<String> lines, Consumer<ReplicaProcess> atEnd) {
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                lines.accept(line);
            }
        } catch (IOException e) {
            lines.accept("(its output cannot be read any more: " + e.getMessage() + ")");
        }
        ended.complete(process.onExit().join().exitValue());
        atEnd.accept(this);
    }

    int id() {
        return id;
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Completes with the exit code, after the last line of its output. */
    CompletableFuture<Integer> ended() {
        return ended;
    }

    /** SIGKILL. Returns when the process is gone. */
    void kill() {
        process.toHandle().destroyForcibly();
        process.onExit().join();
    }

    /** Asks the process to end, and gives it some time before it is killed. */
    static void stopAll(List<ReplicaProcess> replicas, Duration patience) {
        // Through the handle: the process's own destroy() would also close the pipe its last words come through.
        replicas.forEach(replica -> replica.process.toHandle().destroy());
        long deadline = System.nanoTime() + patience.toNanos();
        for (ReplicaProcess replica : replicas) {
            try {
                if (!replica.process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    replica.kill();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                replica.kill();
            }
        }
    }

    /** Kills all of them at once. */
    static void killAll(List<ReplicaProcess> replicas) {
        replicas.forEach(replica -> replica.process.toHandle().destroyForcibly());
    }

    /** An exit code in words: what a signal did is told from what the process said. */
    static String describeExit(int code) {
        return switch (code) {
            case 128 + 9 -> "was killed (SIGKILL)";
            case 128 + 6 -> "crashed (SIGABRT)";
            case 128 + 11 -> "crashed (SIGSEGV)";
            case 128 + 15 -> "was stopped (SIGTERM)";
            default -> "ended with exit code " + code;
        };
    }
}
