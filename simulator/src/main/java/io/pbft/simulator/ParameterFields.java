package io.pbft.simulator;

import io.pbft.protocol.ProtocolParameters;
import java.util.Map;
import java.util.TreeMap;

/** The fields of {@link ProtocolParameters} by name, as options write them. */
final class ParameterFields {
    private ParameterFields() {}

    /** All fields of {@code p}. */
    static Map<String, Integer> of(ProtocolParameters p) {
        Map<String, Integer> fields = new TreeMap<>();
        fields.put("checkpointInterval", p.checkpointInterval());
        fields.put("window", p.window());
        fields.put("pipelineDepth", p.pipelineDepth());
        fields.put("batchOperationsMax", p.batchOperationsMax());
        fields.put("batchBytesMax", p.batchBytesMax());
        fields.put("tickMillis", p.tickMillis());
        fields.put("requestTimeoutMillis", p.requestTimeoutMillis());
        fields.put("disconnectedTimeoutMillis", p.disconnectedTimeoutMillis());
        fields.put("fairnessTimeoutMillis", p.fairnessTimeoutMillis());
        fields.put("viewChangeTimeoutMillis", p.viewChangeTimeoutMillis());
        fields.put("viewChangeTimeoutMaxMillis", p.viewChangeTimeoutMaxMillis());
        fields.put("statusIntervalMillis", p.statusIntervalMillis());
        fields.put("clockSkewMillis", p.clockSkewMillis());
        fields.put("sessionWindow", p.sessionWindow());
        fields.put("sessionsPerClient", p.sessionsPerClient());
        fields.put("resultBytesMax", p.resultBytesMax());
        return fields;
    }

    /** {@code p} with other values in the fields that {@code changes} names. */
    static ProtocolParameters with(ProtocolParameters p, Map<String, Integer> changes) {
        Map<String, Integer> fields = of(p);
        fields.putAll(changes);
        return parameters(fields);
    }

    /** @throws IllegalArgumentException when a field is out of its range, or two do not go together */
    static ProtocolParameters parameters(Map<String, Integer> fields) {
        return new ProtocolParameters(
                fields.getOrDefault("checkpointInterval", 0),
                fields.getOrDefault("window", 0),
                fields.getOrDefault("pipelineDepth", 0),
                fields.getOrDefault("batchOperationsMax", 0),
                fields.getOrDefault("batchBytesMax", 0),
                fields.getOrDefault("tickMillis", 0),
                fields.getOrDefault("requestTimeoutMillis", 0),
                fields.getOrDefault("disconnectedTimeoutMillis", 0),
                fields.getOrDefault("fairnessTimeoutMillis", 0),
                fields.getOrDefault("viewChangeTimeoutMillis", 0),
                fields.getOrDefault("viewChangeTimeoutMaxMillis", 0),
                fields.getOrDefault("statusIntervalMillis", 0),
                fields.getOrDefault("clockSkewMillis", 0),
                fields.getOrDefault("sessionWindow", 0),
                fields.getOrDefault("sessionsPerClient", 0),
                fields.getOrDefault("resultBytesMax", 0));
    }
}
