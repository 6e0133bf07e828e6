package io.pbft.benchmarks.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code benchmarks/run compare}. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        description = {
            "Runs services in turn under the same load and reports medians over the rounds.",
            "Services: pbft (this project, 4 replicas), zookeeper and ratis (3 servers each), floor (the same service",
            "on one server); pbft-nN (N replicas), pbft-dead (f are killed), pbft-transferM (one fetches a state of",
            "M MB, 200 if nothing is said).",
            "What was measured is in OUT/raw.jsonl, a line a cell; a run that is cut short goes on there.",
            "OUT/report.json and OUT/report.html have the medians."
        },
        footer = {
            "Examples:",
            "  benchmarks/run compare --out report                        everything: about an hour",
            "  benchmarks/run compare --quick --out report                a look: some minutes",
            "  benchmarks/run compare --preset identities --out report    see --preset",
        })
public final class CompareCommand implements Callable<Integer> {
    private static final int OUTSTANDING_MAX = 16_384;

    /** What the other aims of docs/performance.md compare. Explicit options win over what a preset says. */
    enum Preset {
        /** 100 clients with a key of their own and one operation outstanding each. */
        IDENTITIES,
        /** One shared client against as many identities as operations are outstanding: 1, 10, 100, 1,000. Two rounds. */
        SHARING,
        /** With f replicas dead. */
        DEAD,
        /** While a replica that lost its disk fetches a state of 200 MB. */
        TRANSFER,
        /** Fast reads against ordered operations. */
        READS,
        /** Latencies at half of the saturation rate. */
        LATENCY,
        /** What it costs with more replicas. */
        GROWTH,
        /** Half an hour of load: memory. */
        MEMORY
    }

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Where the report is, and what it is made from.")
    private Path out;

    @Option(names = "--preset", description = "One of: ${COMPLETION-CANDIDATES}.")
    private @Nullable Preset preset;

    @Option(names = "--services", split = ",", description = "What to compare (pbft,zookeeper,ratis,floor).")
    private @Nullable List<String> services;

    @Option(names = "--rounds", paramLabel = "N", description = "Every service has its turn so many times (5).")
    private @Nullable Integer rounds;

    @Option(names = "--sizes", split = ",", paramLabel = "B", description = "Bytes of a value (0,100,1024,4096).")
    private @Nullable List<Integer> sizes;

    @Option(
            names = "--outstanding",
            split = ",",
            paramLabel = "O",
            description = "Operations outstanding, of all clients together (1,10,50,100,200,1000).")
    private @Nullable List<Integer> outstanding;

    @Option(names = "--clients", paramLabel = "C", description = "Identities in the client process (1).")
    private @Nullable Integer clients;

    @Option(names = "--operations", split = ",", description = "Some of: ${COMPLETION-CANDIDATES} (PUT).")
    private @Nullable List<Cell.Operation> operations;

    @Option(names = "--seconds", paramLabel = "S", description = "Seconds that are measured of a cell (5).")
    private @Nullable Integer seconds;

    @Option(
            names = "--at-share",
            paramLabel = "P",
            description =
                    "And an open loop at this share of the last cell's throughput: latencies from the intended start.")
    private @Nullable Double atShare;

    @Option(
            names = "--warm-up-max",
            paramLabel = "S",
            defaultValue = "75",
            description = "Seconds after which a load is measured even if it is not steady (${DEFAULT-VALUE}).")
    private int warmUpMax;

    @Option(names = "--budget", paramLabel = "S", description = "Begin no cell that would end after so many seconds.")
    private @Nullable Integer budget;

    @Option(names = "--quick", description = "One round, 100 B, 1 and 100 outstanding, 3 s each.")
    private boolean quick;

    @Option(names = "--report-only", description = "Make the report from what has been measured.")
    private boolean reportOnly;

    @Override
    public Integer call() throws Exception {
        Plan plan = plan();
        Results results = Results.in(out);
        Comparison comparison = new Comparison(plan, results, System.err::println);
        boolean complete = reportOnly || comparison.run();
        new Report(results.outcomes()).write(out);
        System.err.println("report: " + out.resolve("report.html"));
        if (!complete) {
            System.err.println("not all of it is measured yet; the same command goes on");
        }
        return 0;
    }

    /**
     * What to measure.
     *
     * @param atShare 0: no open loop
     * @param budgetSeconds how long a run may take
     */
    record Plan(
            List<String> services,
            int rounds,
            List<Cell> cells,
            int clients,
            double atShare,
            int seconds,
            int warmUpMax,
            int budgetSeconds) {
        Plan {
            services = List.copyOf(services);
            cells = List.copyOf(cells);
        }
    }

    private Plan plan() {
        Defaults defaults = Defaults.of(preset, quick);
        int identities = or(clients, defaults.clients());
        boolean sharing = preset == Preset.SHARING;
        List<Cell> cells = new ArrayList<>();
        for (Cell.Operation operation : or(operations, defaults.operations())) {
            for (int size : or(sizes, defaults.sizes())) {
                for (int many : or(outstanding, defaults.outstanding())) {
                    if (many > OUTSTANDING_MAX) {
                        throw new IllegalArgumentException("--outstanding: at most " + OUTSTANDING_MAX);
                    }
                    cells.add(new Cell(operation, size, sharing ? 1 : identities, many, 0));
                    if (sharing && many > 1) {
                        cells.add(new Cell(operation, size, Math.min(many, identities), many, 0));
                    }
                }
            }
        }
        return new Plan(
                or(services, defaults.services()),
                or(rounds, defaults.rounds()),
                cells,
                identities,
                or(atShare, defaults.atShare()),
                or(seconds, defaults.seconds()),
                warmUpMax,
                or(budget, Integer.MAX_VALUE));
    }

    private static <T> T or(@Nullable T chosen, T otherwise) {
        return chosen == null ? otherwise : chosen;
    }

    private record Defaults(
            List<String> services,
            int rounds,
            List<Cell.Operation> operations,
            List<Integer> sizes,
            List<Integer> outstanding,
            int clients,
            double atShare,
            int seconds) {
        static Defaults of(@Nullable Preset preset, boolean quick) {
            int rounds = quick ? 1 : 5;
            int seconds = quick ? 3 : 5;
            List<Cell.Operation> puts = List.of(Cell.Operation.PUT);
            List<Integer> small = List.of(100);
            List<Integer> many = List.of(100);
            if (preset == null) {
                return new Defaults(
                        Services.NAMES,
                        rounds,
                        puts,
                        quick ? small : List.of(0, 100, 1_024, 4_096),
                        quick ? List.of(1, 100) : List.of(1, 10, 50, 100, 200, 1_000),
                        1,
                        0,
                        seconds);
            }
            return switch (preset) {
                case IDENTITIES -> new Defaults(List.of("pbft", "ratis"), rounds, puts, small, many, 100, 0, seconds);
                case SHARING ->
                    new Defaults(
                            List.of("pbft"), quick ? 1 : 2, puts, small, List.of(1, 10, 100, 1_000), 1_000, 0, seconds);
                case DEAD -> new Defaults(List.of("pbft", "pbft-dead"), rounds, puts, small, many, 1, 0, seconds);
                case TRANSFER ->
                    new Defaults(List.of("pbft", "pbft-transfer"), rounds, puts, small, many, 1, 0, 2 * seconds);
                case READS ->
                    new Defaults(
                            List.of("pbft"),
                            rounds,
                            List.of(Cell.Operation.values()),
                            small,
                            List.of(100, 1_000),
                            1,
                            0,
                            seconds);
                case LATENCY ->
                    new Defaults(
                            List.of("pbft", "zookeeper", "ratis"),
                            rounds,
                            puts,
                            small,
                            List.of(1, 1_000),
                            1,
                            0.5,
                            2 * seconds);
                case GROWTH ->
                    new Defaults(
                            List.of("pbft", "pbft-n7", "pbft-n10", "pbft-n13"),
                            rounds,
                            puts,
                            small,
                            many,
                            1,
                            0,
                            seconds);
                case MEMORY -> new Defaults(List.of("pbft"), 1, puts, small, many, 1, 0, quick ? 60 : 1_800);
            };
        }
    }
}
