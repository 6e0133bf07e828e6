package io.pbft.benchmarks.compare;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A process of a comparison. It reads its standard input, a pipe that only this process holds, and ends at its end. */
final class Child implements AutoCloseable {
    private static final int END_SECONDS_MAX = 10;

    private final Process process;
    private final BufferedReader out;
    private final PrintStream in;
    private final Path log;

    private Child(Process process, Path log) {
        this.process = process;
        this.log = log;
        this.out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        this.in = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    }

    /** A server: all that it prints goes to {@code log}. */
    static Child server(List<String> command, Path log) throws IOException {
        ProcessBuilder.Redirect toLog = ProcessBuilder.Redirect.appendTo(log.toFile());
        return new Child(
                new ProcessBuilder(command)
                        .redirectOutput(toLog)
                        .redirectError(toLog)
                        .start(),
                log);
    }

    /** A client, whose standard output is for {@link #await}. */
    static Child client(List<String> command, Path log) throws IOException {
        ProcessBuilder.Redirect toLog = ProcessBuilder.Redirect.appendTo(log.toFile());
        return new Child(new ProcessBuilder(command).redirectError(toLog).start(), log);
    }

    /** The command line of another process of this program. */
    static List<String> java(List<String> jvmOptions, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmOptions);
        // What LMDB needs, for those of them that use it.
        command.add("--add-opens=java.base/java.nio=ALL-UNNAMED");
        command.add("--add-exports=java.base/sun.nio.ch=ALL-UNNAMED");
        command.addAll(List.of("-XX:+IgnoreUnrecognizedVMOptions", "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.pbft.benchmarks.Main"));
        command.addAll(arguments);
        return command;
    }

    long pid() {
        return process.pid();
    }

    List<ProcessHandle> children() {
        return process.toHandle().children().toList();
    }

    void say(String line) {
        in.println(line);
    }

    /** The next line of its standard output that begins with {@code word}: what follows the word. */
    String await(String word) throws IOException {
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            if (line.startsWith(word)) {
                return line.substring(word.length()).strip();
            }
        }
        throw new IOException("a process of the comparison ended before it said " + word + "; see " + log);
    }

    /** SIGKILL. */
    void kill() {
        process.toHandle().destroyForcibly();
        process.onExit().join();
    }

    @Override
    public void close() {
        in.close();
        try {
            if (!process.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            kill();
        }
    }

    /** The program at the root of this checkout. */
    static String launcher() {
        String path = System.getProperty("pbft.launcher");
        if (path == null) {
            throw new IllegalStateException("run this by benchmarks/run, which knows where ./pbft is");
        }
        return new File(path).getAbsolutePath();
    }
}
