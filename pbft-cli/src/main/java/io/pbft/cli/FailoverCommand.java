package io.pbft.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.crypto.NativeProvider;
import io.pbft.protocol.Limits;
import io.pbft.protocol.Quorum;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft failover}. */
@Command(
        name = "failover",
        description = {
            "Measures what the death of a primary costs: starts a cluster of its own, puts it under steady load, kills"
                    + " the primary with SIGKILL time and again, and prints how long no client got an answer."
        },
        footer = {
            "Examples:",
            "  pbft failover",
            "  pbft failover --replicas 7 --at-once 2 --kills 5",
            "  pbft failover --json"
        })
final class FailoverCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--replicas",
            paramLabel = "N",
            defaultValue = "4",
            description = "Replicas of the cluster (${DEFAULT-VALUE}).")
    private int replicas;

    @Option(
            names = "--clients",
            paramLabel = "C",
            defaultValue = "50",
            description = "Clients with one operation outstanding each (${DEFAULT-VALUE}).")
    private int clients;

    @Option(names = "--kills", paramLabel = "K", defaultValue = "20", description = "How often (${DEFAULT-VALUE}).")
    private int kills;

    @Option(
            names = "--at-once",
            paramLabel = "F",
            defaultValue = "1",
            description = "Primaries in line that die together, at most as many as may be faulty (${DEFAULT-VALUE}).")
    private int atOnce;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "3",
            description = "Seconds of load before and after each kill that are measured (${DEFAULT-VALUE}).")
    private int seconds;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        NativeProvider.register();
        if (replicas < Limits.REPLICAS_MIN || replicas > Limits.REPLICAS_MAX) {
            throw CliException.usage("--replicas: expected " + Limits.REPLICAS_MIN + " to " + Limits.REPLICAS_MAX
                    + ", found " + replicas);
        }
        int faulty = new Quorum(replicas).faulty();
        if (atOnce < 1 || atOnce > faulty) {
            throw CliException.usage(
                    "--at-once: of " + replicas + " replicas 1 to " + faulty + " may fail at a time, found " + atOnce);
        }
        if (clients < 1 || kills < 1 || seconds < 1) {
            throw CliException.usage("--clients, --kills and --seconds: expected at least 1");
        }
        PrintWriter err = spec.commandLine().getErr();
        List<Failover.Kill> done;
        try (DemoCluster cluster = DemoCluster.temporary(replicas, clients, List.of());
                Failover failover = new Failover(cluster, seconds, line -> {
                    err.println(line);
                    err.flush();
                })) {
            try {
                done = failover.run(clients, kills, atOnce);
            } catch (RuntimeException e) {
                cluster.lastLines().forEach(err::println);
                throw e;
            }
        }
        ObjectNode document = Failover.document(done);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Json.print(out, document);
        } else {
            JsonNode pauses = document.get("pauseMillis");
            out.println(String.format(
                    Locale.ROOT,
                    "%d kills; no answer for: least %.0f ms, median %.0f ms, 90 %% within %.0f ms, most %.0f ms",
                    done.size(),
                    pauses.get("min").asDouble(),
                    pauses.get("median").asDouble(),
                    pauses.get("p90").asDouble(),
                    pauses.get("max").asDouble()));
        }
        out.flush();
        return Exit.OK;
    }
}
