package io.pbft.simulator.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.pbft.simulator.report.ReportModel.Event;
import io.pbft.simulator.report.ReportModel.Lane;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** An event as a line of text: time in milliseconds, what happened, where, and the fields by name. */
final class EventText {
    private static final int DIGEST_SHOWN = 8;
    private static final Set<String> ELSEWHERE = Set.of("t", "e", "from", "to", "m", "key", "id");

    private EventText() {}

    static String message(JsonNode line, String behaviour) {
        StringBuilder out = head(line.path("t").asLong(), line.path("e").asText());
        out.append(String.format(
                Locale.ROOT,
                "%-3s → %-3s %-13s",
                line.path("from").asText(),
                line.path("to").asText(),
                line.path("m").asText()));
        fields(line, out);
        out.append(" #").append(line.path("id").asText());
        return out.append(behaviour.isEmpty() ? "" : "  LIE: " + behaviour).toString();
    }

    static String event(Event event, JsonNode line, List<Lane> lanes) {
        StringBuilder out = head(event.atMicros(), event.kind());
        out.append(String.format(
                Locale.ROOT,
                "%-3s ",
                event.lane() < 0 ? "" : lanes.get(event.lane()).name()));
        switch (event.kind()) {
            case "execute" ->
                out.append("seq ").append(event.first()).append(", operations ").append(event.second());
            case "note" ->
                out.append("view ")
                        .append(event.first())
                        .append(" seq ")
                        .append(event.second())
                        .append(' ');
            case "ask", "read" -> out.append("operation ").append(event.first()).append(": ");
            case "answer", "read-answer" -> {
                out.append("operation ").append(event.first());
                out.append(event.second() > 0 ? " at seq " + event.second() : "")
                        .append(": ");
            }
            case "marks" ->
                out.append("stable ")
                        .append(event.first())
                        .append(", executed ")
                        .append(event.second());
            case "timer" ->
                out.append(
                        event.detail().isEmpty()
                                ? "stopped"
                                : "runs for " + event.first() + " of " + event.second() + " ticks: ");
            case "lie" -> {
                out.append("to ").append(line.path("to").asText()).append(": ");
            }
            case "delay" ->
                out.append("by ").append(ReportModel.millis(event.second())).append(" ms: ");
            default -> {}
        }
        out.append(event.detail().replace('\n', ' '));
        if (line.has("instead")) {
            out.append("; honest: ").append(line.path("instead").path("m").asText());
            fields(line.path("instead"), out);
        }
        return out.toString();
    }

    private static StringBuilder head(long atMicros, String kind) {
        return new StringBuilder(String.format(Locale.ROOT, "%12s %-9s ", ReportModel.millis(atMicros), kind));
    }

    private static void fields(JsonNode line, StringBuilder out) {
        for (Map.Entry<String, JsonNode> field : line.properties()) {
            if (!ELSEWHERE.contains(field.getKey())) {
                String value = field.getValue().asText();
                boolean digest = field.getKey().equals("digest") && value.length() > DIGEST_SHOWN;
                out.append(' ').append(field.getKey()).append(' ');
                out.append(digest ? value.substring(0, DIGEST_SHOWN) : value.isEmpty() ? "-" : value);
            }
        }
    }
}
