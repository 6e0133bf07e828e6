package io.pbft.cli;

import ch.qos.logback.classic.Level;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The root of the command line: it only holds its subcommands, each a class of its own. */
@Command(
        name = "pbft",
        description = "Byzantine-fault-tolerant replication: clusters, the key-value service, and their checks.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        scope = ScopeType.INHERIT,
        usageHelpAutoWidth = true,
        descriptionHeading = "%n",
        optionListHeading = "%n",
        commandListHeading = "%nCommands:%n",
        sortOptions = false,
        footerHeading = "%n",
        subcommands = {
            DemoCommand.class,
            InitCommand.class,
            UpCommand.class,
            ReplicaCommand.class,
            StatusCommand.class,
            InspectCommand.class,
            PutCommand.class,
            GetCommand.class,
            DeleteCommand.class,
            CasCommand.class,
            IncrCommand.class,
            ScanCommand.class,
            VerifyCommand.class,
            BenchCommand.class,
            FailoverCommand.class,
            SimCommand.class,
            WarmUpCommand.class
        })
final class PbftCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Log everything, and show where an error comes from.")
    private boolean verbose;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is needed");
    }

    static boolean isVerbose(CommandLine command) {
        return root(command.getCommandSpec()).verbose;
    }

    /** Before the first line is logged. What serves for long says what it does; what answers a question says only that. */
    static void setUpLog(ParseResult parsed) {
        PbftCommand root = root(parsed.commandSpec());
        ParseResult last = parsed;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        boolean serves = last.commandSpec().userObject() instanceof ReplicaCommand;
        Log.setUp(serves ? Level.INFO : Level.WARN, root.verbose);
    }

    private static PbftCommand root(CommandSpec spec) {
        return (PbftCommand) spec.root().userObject();
    }
}
