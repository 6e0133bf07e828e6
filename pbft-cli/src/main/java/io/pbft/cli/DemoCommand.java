package io.pbft.cli;

import io.pbft.crypto.NativeProvider;
import io.pbft.protocol.Limits;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft demo}. */
@Command(
        name = "demo",
        description = {
            "Shows what this is for: a cluster that is not to be noticed when its machines die.",
            "Starts 4 replica processes, puts them under load, kills a backup and then the primary with SIGKILL,"
                    + " restarts them, and compares every result with a model. Ends by itself within 90 seconds and"
                    + " leaves nothing behind. Exits with 1 where something did not hold."
        },
        footer = {
            "Examples:",
            "  pbft demo",
            "  pbft demo --json",
            "  pbft demo --dir keep-this     keeps the cluster's files"
        })
final class DemoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Option(
            names = "--dir",
            paramLabel = "D",
            description = "Make the cluster there, and keep it, instead of a temporary directory.")
    private @Nullable Path dir;

    @Option(names = "--operations", hidden = true, defaultValue = "6000")
    private long operations;

    @Option(names = "--clients", hidden = true, defaultValue = "8")
    private int clients;

    @Option(names = "--outstanding", hidden = true, defaultValue = "4")
    private int outstanding;

    @Option(names = "--time-limit", hidden = true, defaultValue = "85")
    private long secondsMax;

    @Override
    public Integer call() throws InterruptedException {
        NativeProvider.register();
        PrintWriter err = spec.commandLine().getErr();
        DemoReport report;
        try (DemoCluster cluster = dir == null
                ? DemoCluster.temporary(Limits.REPLICAS_MIN, clients, DemoCluster.SHORT_LIVED)
                : DemoCluster.in(dir, clients, DemoCluster.SHORT_LIVED)) {
            try {
                report = new Demo(cluster, clients, outstanding, operations, secondsMax, line -> {
                            err.println(line);
                            err.flush();
                        })
                        .run();
            } catch (RuntimeException e) {
                cluster.lastLines().forEach(err::println);
                throw e;
            }
            if (!report.passed()) {
                cluster.lastLines().forEach(err::println);
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Json.print(out, report.toJson());
        } else {
            report.print(out);
        }
        return report.passed() ? Exit.OK : Exit.DOES_NOT_HOLD;
    }
}
