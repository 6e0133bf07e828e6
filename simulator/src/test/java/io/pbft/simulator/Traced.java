package io.pbft.simulator;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** A run and its trace, line by line. */
public record Traced(SimResult result, List<JsonNode> lines) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Something that was said: when, and the line of its sending. */
    public record Said(JsonNode honest, JsonNode sent) {}

    public static Traced run(String line) {
        SimResult result = Simulation.run(SimOptions.parse(List.of(line.split(" "))), true);
        List<JsonNode> lines = new ArrayList<>();
        result.trace().lines().forEach(text -> lines.add(read(text)));
        return new Traced(result, List.copyOf(lines));
    }

    private static JsonNode read(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    public List<JsonNode> events(String event, Predicate<JsonNode> which) {
        return lines.stream()
                .filter(line -> line.path("e").asText().equals(event) && which.test(line))
                .toList();
    }

    /** What {@code node} sent, of one type of message. */
    public List<JsonNode> sent(String node, String type) {
        return events(
                "send",
                line -> text(line, "from").equals(node) && text(line, "m").equals(type));
    }

    /** The lies of {@code node} by one behaviour: what it was to say, if anything, and what it said instead. */
    public List<Said> lies(String node, String behaviour) {
        List<Said> lies = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            JsonNode lie = lines.get(i);
            if (text(lie, "e").equals("lie")
                    && text(lie, "at").equals(node)
                    && text(lie, "detail").equals(behaviour)) {
                JsonNode sent = lines.get(i + 1);
                // What is lost at once is said as well.
                if (text(sent, "from").equals(node) && text(sent, "key").equals(text(lie, "key"))) {
                    lies.add(new Said(lie.path("instead"), sent));
                }
            }
        }
        return lies;
    }

    public static String text(JsonNode line, String field) {
        return line.path(field).asText();
    }

    public static long number(JsonNode line, String field) {
        return line.path(field).asLong();
    }
}
