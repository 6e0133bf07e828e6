package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.client.ClientConfig;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.kv.KvOperation;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft bench}. */
@Command(
        name = "bench",
        description = "Puts a running cluster under load, in a closed loop, and prints throughput and latencies.",
        footer = {
            "Examples:",
            "  pbft bench --dir D",
            "  pbft bench --dir D --clients 4 --outstanding 64 --size 1000 --seconds 30",
            "  pbft bench --dir D --read-share 0.9 --reply-size 1000 --json",
            "",
            "A write puts a value of SIZE bytes; a read gets a value of REPLY-SIZE bytes, with --read fast."
        })
final class BenchCommand implements Callable<Integer> {
    private static final String ROW = "%-7s %12s %12s %9s %9s %9s %9s %9s";

    @Spec
    private CommandSpec spec;

    @Mixin
    private ClusterDirOption dir;

    @Option(
            names = "--clients",
            paramLabel = "C",
            defaultValue = "1",
            description = "Clients of cluster.json (${DEFAULT-VALUE}).")
    private int clients;

    @Option(
            names = "--outstanding",
            paramLabel = "O",
            defaultValue = "16",
            description = "Operations that each client has outstanding (${DEFAULT-VALUE}).")
    private int outstanding;

    @Option(
            names = "--size",
            paramLabel = "B",
            defaultValue = "100",
            description = "Bytes of a value written (${DEFAULT-VALUE}).")
    private int size;

    @Option(
            names = "--reply-size",
            paramLabel = "R",
            defaultValue = "100",
            description = "Bytes of a value read (${DEFAULT-VALUE}).")
    private int replySize;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "Seconds that are measured (${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--warm-up",
            paramLabel = "S",
            defaultValue = "3",
            description = "Seconds of load before that (${DEFAULT-VALUE}).")
    private int warmUp;

    @Option(
            names = "--read-share",
            paramLabel = "P",
            defaultValue = "0",
            description = "The share of reads, from 0 to 1 (${DEFAULT-VALUE}).")
    private double readShare;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        ClusterFolder folder = dir.folder();
        ClusterConfig cluster = folder.read();
        within("--clients", clients, 1, cluster.clients().size());
        within("--outstanding", outstanding, 1, 1 << 16);
        within("--size", size, 0, KvOperation.VALUE_BYTES_MAX);
        within("--reply-size", replySize, 0, KvOperation.VALUE_BYTES_MAX);
        within("--seconds", seconds, 1, 86_400);
        within("--warm-up", warmUp, 0, 86_400);
        if (!(readShare >= 0 && readShare <= 1)) {
            throw CliException.usage("--read-share: expected 0 to 1, found " + readShare);
        }
        List<ClientConfig> identities = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            ClientConfig identity = ClientConfig.of(cluster, i, folder.client(i).resolve("key.pem"));
            identities.add(identity.withOutstandingMax(
                    Math.max(outstanding, identity.outstandingMax()), identity.outstandingBytesMax()));
        }
        spec.commandLine()
                .getErr()
                .println(Failures.count(clients, "client") + " with " + outstanding + " outstanding each; measuring "
                        + seconds + " s after a warm-up of " + warmUp + " s");
        Bench.Result result;
        try (Bench bench = new Bench(identities, outstanding, size, readShare)) {
            result = bench.run(replySize, warmUp, seconds);
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Json.print(out, document(result));
        } else {
            table(result, out);
        }
        out.flush();
        if (!result.errors().isEmpty()) {
            throw CliException.unreachable("not every operation was answered: " + result.errors());
        }
        return Exit.OK;
    }

    private static void within(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw CliException.usage(option + ": expected " + min + " to " + max + ", found " + value);
        }
    }

    private ObjectNode document(Bench.Result result) {
        ObjectNode document = Json.object();
        document.put("clients", clients);
        document.put("outstanding", outstanding);
        document.put("size", size);
        document.put("replySize", replySize);
        document.put("readShare", readShare);
        document.put("seconds", result.seconds());
        document.put(
                "operationsPerSecond",
                (result.writesMicros().getTotalCount() + result.readsMicros().getTotalCount()) / result.seconds());
        document.set("writes", document(result.writesMicros(), result.seconds()));
        document.set("reads", document(result.readsMicros(), result.seconds()));
        ObjectNode errors = document.putObject("errors");
        result.errors().forEach(errors::put);
        return document;
    }

    private static ObjectNode document(Histogram micros, double seconds) {
        ObjectNode document = Json.object();
        document.put("operations", micros.getTotalCount());
        document.put("perSecond", micros.getTotalCount() / seconds);
        document.putObject("latencyMillis")
                .put("p50", millis(micros, 50))
                .put("p90", millis(micros, 90))
                .put("p99", millis(micros, 99))
                .put("p999", millis(micros, 99.9))
                .put("max", micros.getMaxValue() / 1e3);
        return document;
    }

    private static double millis(Histogram micros, double percentile) {
        return micros.getTotalCount() == 0 ? 0 : micros.getValueAtPercentile(percentile) / 1e3;
    }

    private static void table(Bench.Result result, PrintWriter out) {
        out.println(String.format(
                Locale.ROOT,
                ROW,
                "",
                "operations",
                "per second",
                "50 % ms",
                "90 % ms",
                "99 % ms",
                "99.9 % ms",
                "max ms"));
        row("writes", result.writesMicros(), result.seconds(), out);
        row("reads", result.readsMicros(), result.seconds(), out);
    }

    private static void row(String name, Histogram micros, double seconds, PrintWriter out) {
        if (micros.getTotalCount() == 0) {
            return;
        }
        out.println(String.format(
                Locale.ROOT,
                ROW,
                name,
                String.format(Locale.ROOT, "%,d", micros.getTotalCount()),
                String.format(Locale.ROOT, "%,.0f", micros.getTotalCount() / seconds),
                String.format(Locale.ROOT, "%.2f", millis(micros, 50)),
                String.format(Locale.ROOT, "%.2f", millis(micros, 90)),
                String.format(Locale.ROOT, "%.2f", millis(micros, 99)),
                String.format(Locale.ROOT, "%.2f", millis(micros, 99.9)),
                String.format(Locale.ROOT, "%.2f", micros.getMaxValue() / 1e3)));
    }
}
