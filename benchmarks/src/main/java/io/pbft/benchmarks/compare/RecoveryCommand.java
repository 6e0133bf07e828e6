package io.pbft.benchmarks.compare;

import io.pbft.replica.server.ReplicaFolder;
import io.pbft.replica.server.ReplicaStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code benchmarks/run recovery}. */
@Command(
        name = "recovery",
        mixinStandardHelpOptions = true,
        description = {
            "How long a replica takes from its start after SIGKILL, as its journal grows: a cluster of four",
            "processes is filled, one of them killed and started again, and timed from the start of its process",
            "until it answers, and until it has a vote and has executed as much as the others. Medians of the",
            "rounds. A journal holds what was ordered since the last stable checkpoint: 40 MiB at most."
        },
        footer = {"Example:", "  benchmarks/run recovery --dir /tmp/recovery --megabytes 0,10,20,35"})
public final class RecoveryCommand implements Callable<Integer> {
    private static final int REPLICA = 3;
    private static final int VALUE_BYTES = 250_000;
    private static final int SECONDS_MAX = 60;

    @Option(
            names = "--dir",
            required = true,
            paramLabel = "DIR",
            description = "An empty or missing directory for the clusters, on the disk that is meant.")
    private Path directory;

    @Option(
            names = "--megabytes",
            split = ",",
            paramLabel = "MB",
            defaultValue = "0,10,20,35",
            description = "Bytes of values that are written before it is killed (${DEFAULT-VALUE}).")
    private List<Integer> megabytes;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "How often it is killed and started (${DEFAULT-VALUE}).")
    private int rounds;

    /** Of one start: milliseconds until it answered, and until it was as far as the others. */
    private record Start(double answers, double level) {}

    @Override
    public Integer call() throws Exception {
        for (int many : megabytes) {
            measure(directory.resolve(many + "-mb"), many);
        }
        return 0;
    }

    private void measure(Path cluster, int many) throws Exception {
        try (PbftService service = PbftService.start(PbftService.Variant.of("pbft"), cluster, 1)) {
            PbftService.fill(cluster, many, VALUE_BYTES);
            List<Start> starts = new ArrayList<>();
            long journalBytes = 0;
            awaitLevel(cluster, System.nanoTime());
            service.kill(REPLICA);
            for (int round = 0; round < rounds; round++) {
                journalBytes = bytes(ReplicaFolder.of(cluster, REPLICA).journal());
                long begin = System.nanoTime();
                Child replica = service.startAgain(REPLICA, List.of(), "again.log");
                try {
                    double answers = awaitAnswer(cluster, begin);
                    starts.add(new Start(answers, awaitLevel(cluster, begin)));
                } finally {
                    service.kill(REPLICA);
                    replica.kill();
                }
            }
            System.out.printf(
                    Locale.ROOT,
                    "%d MB written, %.1f MB of journal: answers after %.0f ms, as far as the others after %.0f ms%n",
                    many,
                    journalBytes / 1e6,
                    median(starts.stream().map(Start::answers).toList()),
                    median(starts.stream().map(Start::level).toList()));
        }
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    private static long bytes(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            long bytes = 0;
            for (Path file : files.toList()) {
                bytes += Files.size(file);
            }
            return bytes;
        }
    }

    private static double awaitAnswer(Path cluster, long begin) throws Exception {
        while (lastExecuted(cluster, REPLICA) < 0) {
            await(begin);
        }
        return (System.nanoTime() - begin) / 1e6;
    }

    private static double awaitLevel(Path cluster, long begin) throws Exception {
        while (lastExecuted(cluster, REPLICA) < lastExecuted(cluster, 0)) {
            await(begin);
        }
        return (System.nanoTime() - begin) / 1e6;
    }

    private static void await(long begin) throws IOException, InterruptedException {
        if (System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(SECONDS_MAX)) {
            throw new IOException("replica " + REPLICA + " was not as far as the others within " + SECONDS_MAX + " s");
        }
        TimeUnit.MILLISECONDS.sleep(2);
    }

    /** What a replica that votes has executed; -1 where it does not answer, or does not vote. */
    private static long lastExecuted(Path cluster, int id) {
        return PbftService.status(cluster, id)
                .filter(status -> status.state().equals("NORMAL"))
                .map(ReplicaStatus::lastExecuted)
                .orElse(-1L);
    }
}
