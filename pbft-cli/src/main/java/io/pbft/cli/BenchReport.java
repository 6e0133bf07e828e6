package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.errorprone.annotations.FormatMethod;
import io.pbft.cli.load.Load;
import java.io.PrintWriter;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** What {@code pbft bench} prints, as a table and as a document. */
record BenchReport(int clients, Bench.Plan plan, Bench.Result result) {
    private static final String ROW = "%-14s %12s %12s %9s %9s %9s %9s %9s";
    private static final String COST_ROW = "%-14s %12s %12s %9s %9s %9s %9s";
    private static final double MIB = 1 << 20;

    ObjectNode document() {
        Load.Measured measured = result.measured();
        ObjectNode document = Json.object();
        document.put("clients", clients);
        document.put("outstanding", plan.outstanding());
        document.put("rate", plan.perSecond());
        document.put("size", plan.size());
        document.put("replySize", plan.replySize());
        document.put("readShare", plan.readShare());
        document.put("read", plan.readMode().name().toLowerCase(Locale.ROOT));
        document.put("seconds", measured.seconds());
        document.put("operationsPerSecond", measured.perSecond());
        document.set("writes", document(measured.latencyMicros().get(Bench.WRITE)));
        document.set("reads", document(measured.latencyMicros().get(Bench.READ)));
        document.put("clientCpuSecondsPerThousand", perThousand(result.clientCpuSeconds()));
        ArrayNode replicas = document.putArray("replicas");
        for (ReplicaCost cost : result.replicas()) {
            replicas.addObject()
                    .put("id", cost.id())
                    .put("cpuSecondsPerThousand", perThousand(cost.cpuSeconds()))
                    .put("bytesInPerOperation", cost.perOperation(cost.bytesIn()))
                    .put("bytesOutPerOperation", cost.perOperation(cost.bytesOut()))
                    .put("syncWritesPerOperation", cost.perOperation(cost.syncWrites()))
                    .put("contextSwitchesPerOperation", cost.perOperation((double) cost.contextSwitches()))
                    .put("residentMiB", cost.residentBytes() / MIB);
        }
        ObjectNode errors = document.putObject("errors");
        measured.errors().forEach(errors::put);
        return document;
    }

    private double perThousand(double seconds) {
        long operations = result.measured().operations();
        return operations == 0 ? 0 : 1_000 * seconds / operations;
    }

    private ObjectNode document(Histogram micros) {
        ObjectNode document = Json.object();
        document.put("operations", micros.getTotalCount());
        document.put("perSecond", micros.getTotalCount() / result.measured().seconds());
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

    void table(PrintWriter out) {
        line(out, ROW, "", "operations", "per second", "50 % ms", "90 % ms", "99 % ms", "99.9 % ms", "max ms");
        row("writes", result.measured().latencyMicros().get(Bench.WRITE), out);
        String mode = plan.readMode().name().toLowerCase(Locale.ROOT);
        row(mode + " reads", result.measured().latencyMicros().get(Bench.READ), out);
        if (result.measured().operations() == 0) {
            return;
        }
        out.println();
        line(out, COST_ROW, "", "CPU s/1000", "B in/op", "B out/op", "syncs/op", "switch/op", "MiB");
        for (ReplicaCost cost : result.replicas()) {
            line(
                    out,
                    COST_ROW,
                    "replica " + cost.id(),
                    number(perThousand(cost.cpuSeconds()), 3),
                    number(cost.perOperation(cost.bytesIn()), 0),
                    number(cost.perOperation(cost.bytesOut()), 0),
                    number(cost.perOperation(cost.syncWrites()), 3),
                    number(cost.perOperation((double) cost.contextSwitches()), 2),
                    number(cost.residentBytes() / MIB, 0));
        }
        line(out, COST_ROW, "this client", number(perThousand(result.clientCpuSeconds()), 3), "", "", "", "", "");
    }

    private void row(String name, Histogram micros, PrintWriter out) {
        if (micros.getTotalCount() == 0) {
            return;
        }
        line(
                out,
                ROW,
                name,
                number((double) micros.getTotalCount(), 0),
                number(micros.getTotalCount() / result.measured().seconds(), 0),
                number(millis(micros, 50), 2),
                number(millis(micros, 90), 2),
                number(millis(micros, 99), 2),
                number(millis(micros, 99.9), 2),
                number(micros.getMaxValue() / 1e3, 2));
    }

    static String number(double value, int digits) {
        return String.format(Locale.ROOT, "%,." + digits + "f", value);
    }

    @FormatMethod
    private static void line(PrintWriter out, String format, Object... cells) {
        out.println(String.format(Locale.ROOT, format, cells).stripTrailing());
    }
}
