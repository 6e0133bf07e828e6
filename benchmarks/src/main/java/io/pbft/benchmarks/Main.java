package io.pbft.benchmarks;

import io.pbft.benchmarks.compare.CompareCommand;
import io.pbft.benchmarks.compare.LoadCommand;
import io.pbft.benchmarks.compare.RecoveryCommand;
import io.pbft.benchmarks.compare.ServeCommand;
import io.pbft.benchmarks.compare.SessionsCommand;
import io.pbft.benchmarks.micro.MicroCommand;
import io.pbft.benchmarks.profile.ProfileCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Where {@code benchmarks/run} begins. */
@Command(
        name = "benchmarks/run",
        description =
                "Measures this project, alone and beside others. docs/performance.md says how, and what came out.",
        mixinStandardHelpOptions = true,
        subcommands = {
            MicroCommand.class,
            CompareCommand.class,
            RecoveryCommand.class,
            ProfileCommand.class,
            LoadCommand.class,
            ServeCommand.class,
            SessionsCommand.class
        })
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args));
    }
}
