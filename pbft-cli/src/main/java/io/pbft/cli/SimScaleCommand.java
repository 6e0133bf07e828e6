package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.simulator.ScaleModel;
import io.pbft.simulator.world.Topology;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft sim scale}: what the protocol costs as a cluster grows, counted. */
@Command(
        name = "scale",
        description = {
            "Counts what an operation costs as a cluster grows: messages, bytes, latency, by replicas and batch size.",
            "Virtual time: processors cost nothing, the network and the disk what the simulator says."
        },
        footer = {
            "Example:",
            "  pbft sim scale --topology wan5          the table of docs/performance.md, as Markdown; some minutes"
        })
final class SimScaleCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--topology", paramLabel = "lan|wan5", description = "Where the replicas stand (wan5).")
    private String topology = "wan5";

    @Option(names = "--replicas", split = ",", paramLabel = "N", description = "Sizes (4,7,10,13,19,31).")
    private List<Integer> replicas = ScaleModel.SIZES;

    @Option(names = "--batch", split = ",", paramLabel = "B", description = "Operations in a batch at most (1,8,64).")
    private List<Integer> batches = ScaleModel.BATCHES;

    @Option(names = "--seed", paramLabel = "S", description = "What chance is drawn from (1).")
    private long seed = 1;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Override
    public Integer call() {
        Topology where = switch (topology) {
            case "lan" -> Topology.LAN;
            case "wan5" -> Topology.WAN5;
            default -> throw CliException.usage("--topology: expected lan or wan5, found " + topology);
        };
        replicas.forEach(n -> within("--replicas", n, 4, 31));
        batches.forEach(b -> within("--batch", b, 1, 128));
        PrintWriter out = spec.commandLine().getOut();
        ObjectNode document = Json.object();
        document.put("topology", topology).put("seed", seed);
        ArrayNode rows = document.putArray("rows");
        if (!json) {
            out.println("| n | batch | in a batch | operations/s | median ms | p99 ms | agreement messages a batch |"
                    + " 2n(n-1) | messages an operation | bytes an operation |");
            out.println("|---|---|---|---|---|---|---|---|---|---|");
        }
        for (int n : replicas) {
            for (int batch : batches) {
                ScaleModel.Row row = ScaleModel.measure(n, batch, where, seed);
                if (json) {
                    add(rows, row);
                } else {
                    print(out, row);
                }
            }
        }
        if (json) {
            Json.print(out, document);
        }
        out.flush();
        return Exit.OK;
    }

    private static void within(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw CliException.usage(option + ": expected " + min + " to " + max + ", found " + value);
        }
    }

    private static void print(PrintWriter out, ScaleModel.Row row) {
        out.println(String.format(
                Locale.ROOT,
                "| %d | %d | %.1f | %.0f | %.0f | %.0f | %.1f | %.0f | %.1f | %.0f |",
                row.replicas(),
                row.batch(),
                row.perBatch(),
                row.operationsPerSecond(),
                row.medianMillis(),
                row.p99Millis(),
                row.agreement(),
                row.formula(),
                row.messages(),
                row.bytes()));
        out.flush();
    }

    private static void add(ArrayNode rows, ScaleModel.Row row) {
        rows.addObject()
                .put("replicas", row.replicas())
                .put("batch", row.batch())
                .put("operationsPerBatch", row.perBatch())
                .put("operationsPerSecond", row.operationsPerSecond())
                .put("medianMillis", row.medianMillis())
                .put("p99Millis", row.p99Millis())
                .put("agreementMessagesPerBatch", row.agreement())
                .put("formula", row.formula())
                .put("messagesPerOperation", row.messages())
                .put("bytesPerOperation", row.bytes());
    }
}
