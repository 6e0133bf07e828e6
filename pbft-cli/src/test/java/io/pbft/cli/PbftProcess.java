package io.pbft.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** The executable jar as a process of its own, as users run it. Whatever is asked of it has a deadline. */
final class PbftProcess implements AutoCloseable {
    /** For a machine that has much else to do. Nothing is measured by it. */
    static final long PATIENCE_SECONDS = 300;

    /** What a command that came to its end said. */
    record Result(int exit, String out, String err) {}

    private final Process process;
    private final CompletableFuture<String> out;
    private final List<String> errLines = new ArrayList<>();
    private final Thread errReader;

    private PbftProcess(Process process) {
        this.process = process;
        this.out = CompletableFuture.supplyAsync(
                () -> text(process.getInputStream()), task -> daemon(task).start());
        this.errReader = daemon(this::readErr);
        errReader.start();
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "output");
        thread.setDaemon(true);
        return thread;
    }

    static PbftProcess start(Object... words) throws IOException {
        return new PbftProcess(new ProcessBuilder(command(words)).start());
    }

    private static List<String> command(Object... words) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                System.getProperty("pbft.jar")));
        for (Object word : words) {
            command.add(word.toString());
        }
        return command;
    }

    /** @param shell what a shell does before it becomes the command, such as a ulimit */
    static PbftProcess startAfter(String shell, Object... words) throws IOException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", shell + "; exec \"$@\"", "sh"));
        command.addAll(command(words));
        return new PbftProcess(new ProcessBuilder(command).start());
    }

    static Result run(Object... words) throws Exception {
        try (PbftProcess process = start(words)) {
            return process.result();
        }
    }

    Result result() throws Exception {
        int exit = process.onExit().get(PATIENCE_SECONDS, TimeUnit.SECONDS).exitValue();
        errReader.join();
        return new Result(exit, out.get(PATIENCE_SECONDS, TimeUnit.SECONDS), err());
    }

    ProcessHandle handle() {
        return process.toHandle();
    }

    synchronized String err() {
        return String.join("\n", errLines);
    }

    /** Waits for a line on standard error. */
    synchronized String awaitErr(Predicate<String> wanted) throws InterruptedException, TimeoutException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            Optional<String> line = errLines.stream().filter(wanted).findFirst();
            if (line.isPresent()) {
                return line.get();
            }
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0 || !process.isAlive()) {
                throw new TimeoutException("it did not say so:\n" + String.join("\n", errLines));
            }
            wait(Math.min(left, 1_000));
        }
    }

    private void readErr() {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                synchronized (this) {
                    errLines.add(line);
                    notifyAll();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** SIGKILL, and wait until it is gone. */
    @Override
    public void close() {
        process.toHandle().destroyForcibly();
        process.onExit().join();
    }
}
