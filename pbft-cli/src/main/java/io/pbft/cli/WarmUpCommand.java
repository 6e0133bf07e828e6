package io.pbft.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * Touches the classes that the short commands need and does nothing else. The launcher runs it once after a build with
 * the JVM recording what is loaded; later runs find these classes parsed and verified in the shared archive.
 */
@Command(name = "warm-up", hidden = true, description = "Loads what short commands need, for the launcher's archive.")
final class WarmUpCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        PrintWriter sink = new PrintWriter(new StringWriter());
        usage(spec.root().commandLine(), sink);
    }

    private static void usage(CommandLine command, PrintWriter out) {
        command.usage(out);
        command.getSubcommands().values().forEach(subcommand -> usage(subcommand, out));
    }
}
