package io.pbft.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.simulator.check.Probes;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What came of a campaign, as JSON, and of several that were run apart: counts add up, failures are gathered. NOT thread-safe.
 */
public final class CampaignResult {
    /** Failures that are kept in full: the first ones matter. */
    static final int FAILURES_MAX = 200;

    private final Map<String, Long> counts = new TreeMap<>();
    private final Map<String, Long> probes = new TreeMap<>();
    private final Map<Long, ObjectNode> failures = new TreeMap<>();

    void count(String name, long by) {
        counts.merge(name, by, Long::sum);
    }

    void probe(String name, long by) {
        probes.merge(name, by, Long::sum);
    }

    void failure(long seed, ObjectNode failure) {
        if (failures.size() < FAILURES_MAX) {
            failures.put(seed, failure);
        }
    }

    public long count(String name) {
        return counts.getOrDefault(name, 0L);
    }

    /** Whether every seed was well. */
    public boolean ok() {
        return count("ok") == count("seeds");
    }

    /** The rare paths that no seed took: see {@link Probes}. */
    public List<String> probesNeverHit() {
        return Probes.missing(probes.keySet());
    }

    public ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ObjectNode sums = json.putObject("counts");
        counts.forEach(sums::put);
        ArrayNode failed = json.putArray("failures");
        failures.values().forEach(failed::add);
        ObjectNode seen = json.putObject("probes");
        probes.forEach(seen::put);
        ArrayNode never = json.putArray("probesNeverHit");
        probesNeverHit().forEach(never::add);
        return json;
    }

    /** Adds another shard's result, as {@link #toJson} wrote it. */
    public void merge(JsonNode other) {
        other.path("counts")
                .properties()
                .forEach(at -> count(at.getKey(), at.getValue().asLong()));
        other.path("probes")
                .properties()
                .forEach(at -> probe(at.getKey(), at.getValue().asLong()));
        for (JsonNode failure : other.path("failures")) {
            failure(failure.path("seed").asLong(), failure.deepCopy());
        }
    }
}
