package io.pbft.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** Medians of the rounds, as a document and as a page that needs nothing but itself. */
final class Report {
    /** Where more of the machine than this was busy with something else, an outcome says little. */
    static final double FOREIGN_SHARE_MAX = 0.1;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** A median with the least and the most of what it is the median of. */
    record Spread(double median, double min, double max) {
        static Spread of(List<Outcome> outcomes, ToDoubleFunction<Outcome> value) {
            double[] sorted = outcomes.stream().mapToDouble(value).sorted().toArray();
            int middle = sorted.length / 2;
            double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
            return new Spread(median, sorted[0], sorted[sorted.length - 1]);
        }
    }

    /** What one service made of one cell, over all rounds. */
    record Summary(
            String service,
            Cell cell,
            int rounds,
            int disturbed,
            Spread perSecond,
            Spread p50Millis,
            Spread p99Millis,
            Spread serverMicros,
            Spread clientMicros,
            Spread residentMiB) {
        static Summary of(String service, Cell cell, List<Outcome> outcomes) {
            int disturbed = (int) outcomes.stream()
                    .filter(outcome -> outcome.foreignShare() > FOREIGN_SHARE_MAX)
                    .count();
            return new Summary(
                    service,
                    cell,
                    outcomes.size(),
                    disturbed,
                    Spread.of(outcomes, Outcome::perSecond),
                    Spread.of(outcomes, Outcome::p50Millis),
                    Spread.of(outcomes, Outcome::p99Millis),
                    Spread.of(outcomes, Outcome::serverMicrosPerOperation),
                    Spread.of(outcomes, Outcome::clientMicrosPerOperation),
                    Spread.of(outcomes, outcome -> outcome.serverResidentBytes() / (double) (1 << 20)));
        }
    }

    private final List<Outcome> outcomes;
    private final List<Summary> summaries = new ArrayList<>();

    Report(List<Outcome> outcomes) {
        this.outcomes = outcomes;
        Set<String> services = new LinkedHashSet<>();
        Set<Cell> cells = new LinkedHashSet<>();
        for (Outcome outcome : outcomes) {
            services.add(outcome.service());
            cells.add(kind(outcome.cell()));
        }
        for (Cell cell : cells) {
            for (String service : services) {
                List<Outcome> own = outcomes.stream()
                        .filter(outcome -> outcome.service().equals(service)
                                && kind(outcome.cell()).equals(cell))
                        .toList();
                if (!own.isEmpty()) {
                    summaries.add(Summary.of(service, cell, own));
                }
            }
        }
    }

    /** Cells that are one point of the report: an open loop's rate depends on what the round gave. */
    private static Cell kind(Cell cell) {
        return cell.rate() == 0 ? cell : new Cell(cell.operation(), cell.size(), cell.clients(), cell.outstanding(), 1);
    }

    List<Summary> summaries() {
        return List.copyOf(summaries);
    }

    void write(Path directory) throws IOException {
        Files.writeString(
                directory.resolve("report.json"),
                JSON.writerWithDefaultPrettyPrinter().writeValueAsString(document()));
        Files.writeString(directory.resolve("report.html"), new ReportPage(summaries, machine()).html());
    }

    private ObjectNode document() {
        ObjectNode document = JSON.createObjectNode();
        document.put("machine", machine());
        ArrayNode medians = document.putArray("medians");
        for (Summary summary : summaries) {
            ObjectNode node = medians.addObject();
            node.put("service", summary.service());
            node.set("cell", JSON.valueToTree(summary.cell()));
            node.put("rounds", summary.rounds()).put("disturbedRounds", summary.disturbed());
            node.put("ratioToBestRival", ratioToBestRival(summary));
            node.set("perSecond", JSON.valueToTree(summary.perSecond()));
            node.set("p50Millis", JSON.valueToTree(summary.p50Millis()));
            node.set("p99Millis", JSON.valueToTree(summary.p99Millis()));
            node.set("serverMicrosPerOperation", JSON.valueToTree(summary.serverMicros()));
            node.set("clientMicrosPerOperation", JSON.valueToTree(summary.clientMicros()));
            node.set("residentMiB", JSON.valueToTree(summary.residentMiB()));
        }
        document.set("raw", JSON.valueToTree(outcomes));
        return document;
    }

    /** Throughput against the better of the rivals in the same cell; 0 where there is none. */
    double ratioToBestRival(Summary of) {
        double best = summaries.stream()
                .filter(other -> other.cell().equals(of.cell())
                        && (other.service().equals("zookeeper")
                                || other.service().equals("ratis")))
                .mapToDouble(other -> other.perSecond().median())
                .max()
                .orElse(0);
        return best == 0 ? 0 : of.perSecond().median() / best;
    }

    static String machine() {
        return String.format(
                Locale.ROOT,
                "%d processors, %s %s, Java %s",
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                System.getProperty("java.runtime.version"));
    }
}
