package io.pbft.simulator;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.protocol.MessageType;
import io.pbft.simulator.check.Check;
import io.pbft.simulator.check.Findings;
import io.pbft.simulator.world.FaultPlan;
import io.pbft.simulator.world.Traffic;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What came of a run.
 *
 * @param verdict safety counts before liveness
 * @param committed operations that correct replicas executed
 * @param views the highest view that a correct replica was in
 * @param wallMillis of the machine: the only value here that another run of the same seed may have differently
 * @param messages messages sent, one for each receiver; {@code traffic} has them by type
 * @param latenciesMicros how long clients waited for each answer, in virtual microseconds
 * @param traceHash equal for equal histories
 * @param decided whether the search for a linearization came to an end for every key
 * @param plan the faults that chance brought about
 */
public record SimResult(
        SimOptions options,
        Verdict verdict,
        List<Findings.Violation> violations,
        long committed,
        long answered,
        long views,
        long virtualMillis,
        long wallMillis,
        long messages,
        SortedMap<MessageType, Traffic> traffic,
        List<Long> latenciesMicros,
        long events,
        long traceHash,
        boolean decided,
        boolean tooManyFaulty,
        Map<String, Long> probes,
        List<FaultPlan.Decision> plan,
        String trace) {
    /** What can be said in one word. */
    public enum Verdict {
        OK("ok"),
        SAFETY("safety"),
        LIVENESS("liveness");

        private final String label;

        Verdict(String label) {
            this.label = label;
        }

        public String label() {
            return label;
        }
    }

    public SimResult {
        violations = List.copyOf(violations);
        traffic = Collections.unmodifiableSortedMap(new TreeMap<>(traffic));
        latenciesMicros = List.copyOf(latenciesMicros);
        probes = Collections.unmodifiableMap(new TreeMap<>(probes));
        plan = List.copyOf(plan);
    }

    /** The command that shows this run again. */
    public String command() {
        return "./pbft sim " + options.toCommandLine();
    }

    public ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("seed", options.seed());
        json.put("replicas", options.replicas());
        json.put("f", options.quorum().faulty());
        json.put("verdict", verdict.label());
        ArrayNode found = json.putArray("violations");
        for (Findings.Violation violation : violations) {
            ObjectNode one = found.addObject();
            one.put("check", violation.check().label());
            one.put("atMillis", violation.atMicros() / 1_000.0);
            one.put("text", violation.text());
        }
        json.put("committed", committed);
        json.put("answered", answered);
        json.put("operations", options.ops());
        json.put("views", views);
        json.put("virtualMillis", virtualMillis);
        json.put("wallMillis", wallMillis);
        json.put("messages", messages);
        json.put("events", events);
        json.put("traceHash", Long.toHexString(traceHash));
        json.put("moreThanFFaulty", tooManyFaulty);
        ObjectNode checks = json.putObject("checks");
        for (Check check : Check.values()) {
            checks.put(check.label(), violations.stream().noneMatch(violation -> violation.check() == check));
        }
        json.put("linearizabilityDecided", decided);
        ObjectNode counts = json.putObject("probes");
        probes.forEach(counts::put);
        json.put("faults", plan.size());
        json.put("command", command());
        return json;
    }

    /** {@link #toJson} as a document with line breaks. */
    public String toJsonText() {
        try {
            return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(toJson());
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalStateException("a result that does not become JSON", e);
        }
    }
}
