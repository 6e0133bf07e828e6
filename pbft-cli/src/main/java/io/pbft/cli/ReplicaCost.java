package io.pbft.cli;

import io.pbft.cli.load.ProcessUsage;
import io.pbft.protocol.ClusterConfig;
import io.pbft.replica.server.AdminEndpoint;
import io.pbft.replica.server.ReplicaFolder;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a stretch of load cost one replica of this machine.
 *
 * @param cpuSeconds processor time
 * @param residentBytes at the end
 * @param contextSwitches of all its threads
 * @param bytesIn frames from replicas and clients, before encryption
 * @param bytesOut frames to replicas and clients, before encryption
 * @param syncWrites the journal's group commits, which are waited for until they are on the disk; checkpoints come on top, one
 *     every so many sequence numbers
 * @param operations executed in that time, by all clients
 */
record ReplicaCost(
        int id,
        double cpuSeconds,
        long residentBytes,
        long contextSwitches,
        double bytesIn,
        double bytesOut,
        double syncWrites,
        long operations) {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaCost.class);
    private static final int TIMEOUT_MILLIS = 2_000;
    private static final int ANSWER_BYTES_MAX = 4 << 20;

    /** A replica at one moment. */
    record Sample(int id, long pid, ProcessUsage usage, Map<String, Double> metrics) {}

    double perOperation(double value) {
        return operations == 0 ? 0 : value / operations;
    }

    /** Those replicas of the cluster that run here and answer. */
    static List<Sample> sample(ClusterFolder folder, ClusterConfig cluster) {
        List<Sample> samples = new ArrayList<>();
        for (ClusterConfig.ReplicaInfo replica : cluster.replicas()) {
            try {
                AdminEndpoint.Address address = AdminEndpoint.locate(
                        ReplicaFolder.of(folder.path(), replica.id()).admin());
                Map<String, Double> metrics = scrape(address.port());
                samples.add(new Sample(replica.id(), address.pid(), ProcessUsage.of(address.pid()), metrics));
            } catch (IOException e) {
                LOG.debug("replica {} runs elsewhere, or not at all: its cost is not known", replica.id(), e);
            }
        }
        return samples;
    }

    /** @param operations how many it were, as the clients counted them */
    static List<ReplicaCost> between(List<Sample> before, List<Sample> after, long operations) {
        List<ReplicaCost> costs = new ArrayList<>();
        for (Sample end : after) {
            for (Sample begin : before) {
                if (begin.id() == end.id() && begin.pid() == end.pid()) {
                    costs.add(between(begin, end, operations));
                }
            }
        }
        return costs;
    }

    private static ReplicaCost between(Sample begin, Sample end, long operations) {
        ProcessUsage used = end.usage().since(begin.usage());
        return new ReplicaCost(
                end.id(),
                used.cpuSeconds(),
                used.residentBytes(),
                used.waits() + used.preemptions(),
                grown(begin, end, "pbft_network_bytes_total{direction=\"in\"}"),
                grown(begin, end, "pbft_network_bytes_total{direction=\"out\"}"),
                grown(begin, end, "pbft_journal_writes_total"),
                operations);
    }

    private static double grown(Sample begin, Sample end, String metric) {
        return end.metrics().getOrDefault(metric, 0.0) - begin.metrics().getOrDefault(metric, 0.0);
    }

    private static Map<String, Double> scrape(int port) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + "/metrics").toURL().openConnection(java.net.Proxy.NO_PROXY);
        connection.setConnectTimeout(TIMEOUT_MILLIS);
        connection.setReadTimeout(TIMEOUT_MILLIS);
        try (InputStream in = connection.getInputStream()) {
            return parse(new String(in.readNBytes(ANSWER_BYTES_MAX), StandardCharsets.UTF_8));
        } finally {
            connection.disconnect();
        }
    }

    /** Prometheus' text format: "name{labels} value", and comments. */
    static Map<String, Double> parse(String metrics) {
        Map<String, Double> values = new HashMap<>();
        for (String line : metrics.split("\n", -1)) {
            int space = line.lastIndexOf(' ');
            if (!line.startsWith("#") && space > 0) {
                values.put(line.substring(0, space), Double.valueOf(line.substring(space + 1)));
            }
        }
        return values;
    }
}
