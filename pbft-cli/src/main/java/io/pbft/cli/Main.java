package io.pbft.cli;

import picocli.CommandLine;

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
    static int run(String... args) {
        return commandLine().execute(args);
    }

    static CommandLine commandLine() {
        return new CommandLine(new PbftCommand()).setCaseInsensitiveEnumValuesAllowed(true);
    }
}
