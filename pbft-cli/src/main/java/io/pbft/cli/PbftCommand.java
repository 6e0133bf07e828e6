package io.pbft.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The root of the command line: it only holds its subcommands, each a class of its own. */
@Command(
        name = "pbft",
        description = "Byzantine-fault-tolerant replication: clusters, the key-value service, and their checks.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        scope = picocli.CommandLine.ScopeType.INHERIT,
        subcommands = {WarmUpCommand.class})
final class PbftCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "A command is needed.");
    }
}
