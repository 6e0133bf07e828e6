package io.pbft.simulator;

import io.pbft.protocol.MessageType;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Quorum;
import io.pbft.simulator.world.Topology;
import io.pbft.simulator.world.Traffic;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/**
 * What the protocol costs as a cluster grows, counted in the simulator: a fault-free run for each size and batch size, every
 * message encoded. Processors cost nothing there, so that latency is that of the network and the disk, and throughput what the
 * pipeline lets through; what a processor pays grows with the counted messages.
 */
public final class ScaleModel {
    /** Sizes that are worth a row: each bears one fault more than the one before, the last is the largest there is. */
    public static final List<Integer> SIZES = List.of(4, 7, 10, 13, 19, 31);

    /** Operations that one batch holds at most. */
    public static final List<Integer> BATCHES = List.of(1, 8, 64);

    private static final int OPERATIONS_PER_BATCH_SIZE = 40;
    private static final int CLIENTS = 64;
    private static final int OPERATIONS_MIN = 320;

    /**
     * A row of the table.
     *
     * @param batch operations in a batch at most; {@code perBatch} are those that were in one on average
     * @param agreement PROPOSAL, PREPARE and COMMIT messages for each batch, counted; {@code formula} by the paper
     * @param messages all messages for each operation, and {@code bytes} theirs
     */
    public record Row(
            int replicas,
            int batch,
            double perBatch,
            double operationsPerSecond,
            double medianMillis,
            double p99Millis,
            double agreement,
            double formula,
            double messages,
            double bytes) {}

    private ScaleModel() {}

    /** One row. It is an {@link IllegalStateException} when the run does not hold what it must, or changes its view. */
    public static Row measure(int replicas, int batch, Topology topology, long seed) {
        SimOptions.Builder options =
                new SimOptions.Builder().seed(seed).replicas(replicas).clients(CLIENTS);
        options.ops = Math.max(OPERATIONS_MIN, OPERATIONS_PER_BATCH_SIZE * batch);
        options.readShare = 0;
        options.thinkMicros = 0;
        options.topology = topology;
        options.codec = true;
        options.parameters = parameters(batch);
        SimResult result = Simulation.run(options.build(), false);
        if (result.verdict() != SimResult.Verdict.OK || result.views() > 0) {
            throw new IllegalStateException("not the normal case: " + result.command());
        }
        return row(result, batch);
    }

    /** Timers far beyond the longest way around the world, and a window that never stops the pipeline. */
    private static ProtocolParameters parameters(int batch) {
        ProtocolParameters p = SimOptions.PARAMETERS;
        return new ProtocolParameters(
                64,
                256,
                4,
                batch,
                p.batchBytesMax(),
                p.tickMillis(),
                20_000,
                p.disconnectedTimeoutMillis(),
                60_000,
                20_000,
                60_000,
                1_000,
                p.clockSkewMillis(),
                p.sessionWindow(),
                p.sessionsPerClient(),
                p.resultBytesMax());
    }

    private static Row row(SimResult result, int batch) {
        SortedMap<MessageType, Traffic> traffic = result.traffic();
        int n = result.options().replicas();
        double operations = result.committed();
        // The primary sends each batch to all others once: that is how many there were.
        double batches = (double) messages(traffic, MessageType.PROPOSAL) / (n - 1);
        long agreement = messages(traffic, MessageType.PROPOSAL)
                + messages(traffic, MessageType.PREPARE)
                + messages(traffic, MessageType.COMMIT);
        long all = 0;
        long bytes = 0;
        for (Traffic of : traffic.values()) {
            all += of.messages();
            bytes += of.bytes();
        }
        List<Long> latencies = new ArrayList<>(result.latenciesMicros());
        latencies.sort(null);
        return new Row(
                n,
                batch,
                operations / batches,
                operations * 1_000 / result.virtualMillis(),
                latencies.get(latencies.size() / 2) / 1e3,
                latencies.get(latencies.size() * 99 / 100) / 1e3,
                agreement / batches,
                formula(result.options().quorum()),
                all / operations,
                bytes / operations);
    }

    private static long messages(SortedMap<MessageType, Traffic> traffic, MessageType type) {
        return traffic.getOrDefault(type, new Traffic(0, 0)).messages();
    }

    /**
     * Messages for a batch in the normal case (OSDI'99, section 4.2): the primary's PRE-PREPARE to n - 1 backups, the PREPARE of
     * each of them to all others, the COMMIT of each replica to all others; 2 n (n - 1) together.
     */
    static long formula(Quorum quorum) {
        long n = quorum.replicas();
        return (n - 1) + (n - 1) * (n - 1) + n * (n - 1);
    }
}
