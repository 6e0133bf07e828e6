package io.pbft.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.RunLast;

/** Where the {@code pbft} command begins. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /**
     * Runs one command and returns its exit code: 0 done, 1 the thing asked about does not hold, 2 wrong usage or
     * configuration, 3 not reachable or timed out with the outcome unknown.
     */
    public static int run(String... args) {
        return commandLine()
                .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
                .execute(args);
    }

    static CommandLine commandLine() {
        Failures failures = new Failures();
        CommandLine command = new CommandLine(new PbftCommand());
        // The simulator reads its options itself.
        Objects.requireNonNull(command.getSubcommands().get("sim")).setUnmatchedArgumentsAllowed(true);
        return command.setCaseInsensitiveEnumValuesAllowed(true)
                // A value may well begin with an @.
                .setExpandAtFiles(false)
                .setExecutionStrategy(parsed -> {
                    PbftCommand.setUpLog(parsed);
                    return new RunLast().execute(parsed);
                })
                .setParameterExceptionHandler(failures)
                .setExecutionExceptionHandler(failures);
    }
}
