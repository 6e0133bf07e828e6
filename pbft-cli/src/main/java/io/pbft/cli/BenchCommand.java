package io.pbft.cli;

import io.pbft.cli.load.Load;
import io.pbft.client.ClientConfig;
import io.pbft.crypto.NativeProvider;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.kv.KvOperation;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft bench}. */
@Command(
        name = "bench",
        description = {
            "Puts a running cluster under load and prints throughput, latencies, and what it cost the replicas here.",
            "Without --rate each client keeps its operations outstanding (a closed loop). With it operations begin at",
            "that rate whatever comes back, and latencies count from when they were to begin, so that a stall shows."
        },
        footer = {
            "Examples:",
            "  pbft bench --dir D",
            "  pbft bench --dir D --clients 4 --outstanding 64 --size 1000 --seconds 30",
            "  pbft bench --dir D --read-share 0.9 --read fast --reply-size 1000 --json",
            "  pbft bench --dir D --rate 2000",
            "",
            "A write puts a value of B bytes; a read gets a value of R bytes. Progress goes to standard error.",
            "Per replica: processor time for 1000 operations; bytes of frames, synchronous writes and context switches",
            "for one operation; the memory it has resident at the end."
        })
final class BenchCommand implements Callable<Integer> {
    private static final double RATE_MAX = 1e6;

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

    @Mixin
    private ReadOption read;

    @Option(
            names = "--rate",
            paramLabel = "R",
            defaultValue = "0",
            description =
                    "Operations that begin every second, of all clients together; 0: a closed loop (${DEFAULT-VALUE}).")
    private double rate;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        NativeProvider.register();
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
        if (!(rate >= 0 && rate <= RATE_MAX)) {
            throw CliException.usage("--rate: expected 0 to " + RATE_MAX + ", found " + rate);
        }
        Bench.Plan plan =
                new Bench.Plan(outstanding, size, replySize, readShare, read.mode(false), rate, warmUp, seconds);
        PrintWriter err = spec.commandLine().getErr();
        err.println(Failures.count(clients, "client")
                + (rate > 0
                        ? ", " + BenchReport.number(rate, 0) + " operations/s"
                        : " with " + outstanding + " outstanding each")
                + "; measuring " + seconds + " s after a warm-up of " + warmUp + " s");
        Bench.Result result;
        try (Bench bench = new Bench(folder, cluster, identities(folder, cluster), plan, line -> {
            err.println(line);
            err.flush();
        })) {
            result = bench.run();
        }
        BenchReport report = new BenchReport(clients, plan, result);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Json.print(out, report.document());
        } else {
            report.table(out);
        }
        out.flush();
        if (!result.measured().errors().isEmpty()) {
            throw CliException.unreachable(
                    "not every operation was answered: " + result.measured().errors());
        }
        return Exit.OK;
    }

    private List<ClientConfig> identities(ClusterFolder folder, ClusterConfig cluster) {
        List<ClientConfig> identities = new ArrayList<>();
        int most = rate > 0 ? Load.OPEN_OUTSTANDING_MAX : outstanding;
        for (int i = 0; i < clients; i++) {
            ClientConfig identity = ClientConfig.of(cluster, i, folder.client(i).resolve("key.pem"));
            identities.add(identity.withOutstandingMax(
                    Math.max(most, identity.outstandingMax()), identity.outstandingBytesMax()));
        }
        return identities;
    }

    private static void within(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw CliException.usage(option + ": expected " + min + " to " + max + ", found " + value);
        }
    }
}
