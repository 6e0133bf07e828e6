package io.pbft.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.benchmarks.Driver;
import io.pbft.benchmarks.floor.FloorDriver;
import io.pbft.benchmarks.rival.RatisDriver;
import io.pbft.benchmarks.rival.ZooKeeperDriver;
import io.pbft.cli.load.Load;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.NativeProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The client process of a comparison, the same for all services. It reads cells from its standard input, one a line behind
 * how long to warm up and to measure, and talks to whoever started it:
 *
 * <pre>
 *   in:   min max seconds cell      warm up until steady, from min to max seconds
 *   out:  STEADY true|false s       false: not within max; the load goes on
 *   in:   (any line)                 now measure
 *   out:  END                        as soon as the time is over
 *   out:  RESULT {...}
 * </pre>
 */
@Command(name = "load", hidden = true)
public final class LoadCommand implements Callable<Integer> {
    /**
     * Steady: so many seconds, or a fifth of the least warm-up, gave as much as the same time before, but for a share.
     */
    static final int STEADY_SECONDS = 3;

    static final double STEADY_SHARE = 0.05;

    private static final ObjectMapper JSON = new ObjectMapper();

    @Option(names = "--service", required = true)
    private String service;

    @Option(names = "--ports", split = ",")
    private List<Integer> ports = List.of();

    @Option(names = "--dir")
    private Path dir;

    @Option(names = "--clients", required = true)
    private int clients;

    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    @Override
    public Integer call() throws Exception {
        NativeProvider.register();
        try (Driver driver = connect()) {
            driver.prepare(1, 1);
            out.println("READY");
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ", 4);
                run(driver, Cell.decode(words[3]), Integer.parseInt(words[0]), Integer.parseInt(words[1]), words[2]);
            }
        }
        return 0;
    }

    private Driver connect() throws IOException, InterruptedException {
        return switch (service) {
            case "ratis" -> new RatisDriver(ports, clients);
            case "zookeeper" -> new ZooKeeperDriver(ports, clients);
            case "floor" -> new FloorDriver(dir, clients);
            case "pbft" -> new PbftDriver(dir);
            default -> throw new IllegalArgumentException("--service: there is no " + service);
        };
    }

    private void run(Driver driver, Cell cell, int min, int max, String seconds) throws Exception {
        driver.prepare(cell.outstanding(), cell.clients());
        byte[] bytes = new byte[cell.size()];
        new SplittableRandom(cell.size()).nextBytes(bytes);
        Bytes value = Bytes.wrap(bytes);
        if (cell.operation() != Cell.Operation.PUT) {
            for (int i = 0; i < cell.outstanding(); i++) {
                driver.put(i, value).join();
            }
        }
        try (Load load = new Load(1, worker -> new Load.Started(0, begin(driver, cell, worker, value)))) {
            if (cell.rate() > 0) {
                load.startOpen(cell.rate(), cell.outstanding());
            } else {
                load.startClosed(cell.outstanding());
            }
            long begun = System.nanoTime();
            boolean steady = warmUp(load, min, max);
            out.println("STEADY " + steady + " " + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun));
            if (in.readLine() == null) {
                return;
            }
            load.beginMeasuring();
            TimeUnit.NANOSECONDS.sleep((long) (Double.parseDouble(seconds) * 1e9));
            Load.Measured measured = load.endMeasuring();
            out.println("END");
            out.println("RESULT " + JSON.writeValueAsString(document(measured)));
        }
    }

    private static CompletableFuture<?> begin(Driver driver, Cell cell, int worker, Bytes value) {
        return switch (cell.operation()) {
            case PUT -> driver.put(worker, value);
            case FAST_READ -> driver.read(worker, Driver.Mode.FAST);
            case ORDERED_READ -> driver.read(worker, Driver.Mode.ORDERED);
        };
    }

    /** Whether the load became steady. */
    private static boolean warmUp(Load load, int min, int max) throws InterruptedException {
        Deque<Long> answered = new ArrayDeque<>(List.of(load.answered()));
        int window = Math.max(STEADY_SECONDS, min / 5);
        for (int i = 1; i <= max; i++) {
            TimeUnit.SECONDS.sleep(1);
            answered.addLast(load.answered());
            if (answered.size() > 2 * window + 1) {
                answered.removeFirst();
                if (i >= min
                        && isSteady(answered.stream().mapToLong(Long::longValue).toArray())) {
                    return true;
                }
            }
        }
        return false;
    }

    /** @param answered a count for every second, growing */
    static boolean isSteady(long[] answered) {
        int middle = answered.length / 2;
        double before = answered[middle] - answered[0];
        double after = answered[answered.length - 1] - answered[middle];
        return before > 0 && after > 0 && Math.abs(after - before) <= STEADY_SHARE * before;
    }

    private static ObjectNode document(Load.Measured measured) {
        Histogram micros = measured.all();
        ObjectNode document = JSON.createObjectNode();
        document.put("seconds", measured.seconds());
        document.put("operations", micros.getTotalCount());
        document.put("perSecond", measured.perSecond());
        document.put("meanMillis", micros.getMean() / 1e3);
        document.put("p50Millis", micros.getValueAtPercentile(50) / 1e3);
        document.put("p90Millis", micros.getValueAtPercentile(90) / 1e3);
        document.put("p99Millis", micros.getValueAtPercentile(99) / 1e3);
        document.put("p999Millis", micros.getValueAtPercentile(99.9) / 1e3);
        document.put("maxMillis", micros.getMaxValue() / 1e3);
        ObjectNode errors = document.putObject("errors");
        measured.errors().forEach(errors::put);
        return document;
    }
}
