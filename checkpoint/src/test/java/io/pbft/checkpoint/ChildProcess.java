package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A Java process of the tests that writes to a disk and reports on its standard output, a number a line, what is durable. */
final class ChildProcess {
    private ChildProcess() {}

    /** What the child said before its end. */
    record Said(long last, List<String> otherLines) {}

    /** In the child: where it reports. */
    static PrintStream reports() {
        return new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.US_ASCII);
    }

    /**
     * Runs {@code main} until it has reported {@code killAt}, then kills it; what it reports must ascend.
     *
     * @param shell what a shell does before it becomes the child, such as a ulimit
     */
    static Said run(String shell, Class<?> main, long killAt, Object... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "/bin/sh",
                "-c",
                shell + "; exec \"$@\"",
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        Process child = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader out = child.inputReader(StandardCharsets.US_ASCII)) {
            long last = 0;
            List<String> otherLines = new ArrayList<>();
            String line = out.readLine();
            while (line != null) {
                if (line.matches("\\d+")) {
                    assertThat(Long.parseLong(line)).isGreaterThan(last);
                    last = Long.parseLong(line);
                } else {
                    otherLines.add(line);
                }
                if (last >= killAt) {
                    // The process alone: its output has yet to be read to the end.
                    child.toHandle().destroyForcibly();
                }
                line = out.readLine();
            }
            return new Said(last, otherLines);
        } finally {
            child.destroyForcibly().waitFor();
        }
    }
}
