package io.pbft.simulator.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What a picture of a run is made of, read from its trace: lanes, events (one for each line of the trace, in its order),
 * messages with their ends, the views that each replica was in, and when it was away. NOT thread-safe.
 */
final class ReportModel {
    private static final int NONE = -1;

    /** Lines that say where a replica stands: nothing happens in them. */
    private static final Set<String> REMARKS = Set.of("marks", "timer");

    /** A client or a replica. */
    record Lane(String name, boolean replica, boolean faulty, String why) {}

    /** A line of the trace. {@code message} is the index of what it is about, {@code lane} that of the node; -1 for none. */
    record Event(long atMicros, String kind, int lane, int message, long first, long second, String detail) {}

    /** Another arrival of a message that was duplicated. */
    record Again(int message, int event) {}

    /** What a replica was doing between two events. */
    record Band(int lane, int from, int to, long view, String status) {}

    /** One message to one receiver. */
    static final class Sent {
        final long id;
        final int from;
        final int to;
        final int content;
        final int sendEvent;
        int endEvent = NONE;
        String behaviour = "";
        Optional<JsonNode> instead = Optional.empty();
        boolean inCone;

        Sent(long id, int from, int to, int content, int sendEvent) {
            this.id = id;
            this.from = from;
            this.to = to;
            this.content = content;
            this.sendEvent = sendEvent;
        }
    }

    /** A lie that was announced and whose message has not yet been sent. */
    private record Announced(String key, String to, String behaviour, Optional<JsonNode> instead) {}

    private final List<Lane> lanes = new ArrayList<>();
    private final List<Event> events = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
    private final List<Sent> messages = new ArrayList<>();
    private final List<JsonNode> contents = new ArrayList<>();
    private final List<Again> again = new ArrayList<>();

    /** These are looked up, never iterated over. */
    private final Map<String, Integer> laneOf = new HashMap<>();

    private final Map<String, Integer> contentOf = new HashMap<>();
    private final Map<Long, Integer> messageOf = new HashMap<>();
    private final Map<Integer, Announced> announced = new HashMap<>();

    private Bands bands = new Bands(0);
    private TimerBars timers = new TimerBars(0, events);
    private OptionalInt anchor = OptionalInt.empty();
    private OptionalInt firstWrong = OptionalInt.empty();
    private long slot = NONE;

    private ReportModel() {}

    static ReportModel of(SimResult result) {
        if (result.trace().isEmpty()) {
            throw new IllegalArgumentException("there is no trace to make a report of: run with --report or --trace");
        }
        ReportModel model = new ReportModel();
        model.lanes(result.options());
        model.bands = new Bands(model.lanes.size());
        model.timers = new TimerBars(model.lanes.size(), model.events);
        ObjectMapper mapper = new ObjectMapper();
        try {
            for (String line : result.trace().split("\n")) {
                model.read(mapper.readTree(line));
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a line of the trace is not JSON", e);
        }
        model.bands.end(model.events.size() - 1);
        model.timers.end(model.events.size() - 1);
        model.cone();
        model.findFirstWrong();
        return model;
    }

    private void lanes(SimOptions options) {
        for (int i = 0; i < options.clients(); i++) {
            String why = String.valueOf(options.byzantineClients().getOrDefault(i, List.of()));
            lane(new Lane("c" + i, false, options.byzantineClients().containsKey(i), why));
        }
        for (int i = 0; i < options.replicas(); i++) {
            var specs = options.byzantine().getOrDefault(i, List.of());
            boolean faulty = options.faulty().contains(i);
            lane(new Lane("r" + i, true, faulty, specs.isEmpty() && faulty ? "disk" : words(specs)));
            if (specs.stream().anyMatch(spec -> spec.name().equals("twin"))) {
                lane(new Lane("r" + i + "'", true, true, words(specs)));
            }
        }
    }

    private static String words(List<io.pbft.simulator.BehaviourSpec> specs) {
        return String.join(", ", specs.stream().map(spec -> spec.name()).toList());
    }

    private void lane(Lane lane) {
        laneOf.put(lane.name, lanes.size());
        lanes.add(lane);
    }

    List<Lane> lanes() {
        return List.copyOf(lanes);
    }

    List<Event> events() {
        return List.copyOf(events);
    }

    List<Sent> messages() {
        return List.copyOf(messages);
    }

    List<Band> bands() {
        return bands.all();
    }

    List<TimerBars.Bar> timers() {
        return timers.all();
    }

    /** A line of text for each event. */
    List<String> lines() {
        return List.copyOf(lines);
    }

    /** The event of the first lie: of the first that led to the violation, if one did. */
    OptionalInt firstWrong() {
        return firstWrong;
    }

    /** The event that broke a property of safety. */
    OptionalInt anchor() {
        return anchor;
    }

    private void read(JsonNode line) {
        if (line.has("from") && line.has("key")) {
            readMessage(line);
        } else {
            readEvent(line);
        }
    }

    private void readMessage(JsonNode line) {
        int index = events.size();
        int from = laneOf.getOrDefault(line.path("from").asText(), NONE);
        int to = laneOf.getOrDefault(line.path("to").asText(), NONE);
        String kind = line.path("e").asText();
        long id = line.path("id").asLong();
        int message;
        if (kind.equals("send")) {
            message = messages.size();
            messageOf.put(id, message);
            Sent sent = new Sent(id, from, to, content(line), index);
            messages.add(sent);
            Announced lie = announced.remove(from);
            if (lie != null
                    && lie.key.equals(line.path("key").asText())
                    && (lie.to + "'").startsWith(line.path("to").asText())) {
                sent.behaviour = lie.behaviour;
                sent.instead = lie.instead;
            }
        } else {
            message = messageOf.getOrDefault(id, NONE);
            if (message == NONE) {
                throw new IllegalStateException("the trace has no sending for " + line);
            }
            Sent sent = messages.get(message);
            if (sent.endEvent == NONE) {
                sent.endEvent = index;
            } else {
                again.add(new Again(message, index));
            }
        }
        Sent sent = messages.get(message);
        // What befalls a message on its way is an event of the sender's end; what arrives is one of the receiver's.
        int lane = kind.equals("send") || kind.equals("drop") ? from : to;
        events.add(new Event(line.path("t").asLong(), kind, lane, message, 0, 0, sent.behaviour));
        bands.message(kind, from, line, lanes, index);
        lines.add(EventText.message(line, sent.behaviour));
    }

    private int content(JsonNode line) {
        return contentOf.computeIfAbsent(
                line.path("m").asText() + line.path("key").asText(), key -> {
                    ObjectNode fields = line.deepCopy();
                    fields.remove(List.of("t", "e", "from", "to", "id"));
                    contents.add(fields);
                    return contents.size() - 1;
                });
    }

    private void readEvent(JsonNode line) {
        int index = events.size();
        int lane = laneOf.getOrDefault(line.path("at").asText(), NONE);
        String kind = line.path("e").asText();
        Event event = new Event(
                line.path("t").asLong(),
                kind,
                lane,
                NONE,
                line.path("a").asLong(),
                line.path("b").asLong(),
                line.path("detail").asText());
        events.add(event);
        lines.add(EventText.event(event, line, lanes));
        if (kind.equals("lie")) {
            announced.put(
                    lane,
                    new Announced(
                            line.path("key").asText(),
                            line.path("to").asText(),
                            event.detail,
                            Optional.ofNullable(line.get("instead"))));
        } else if (kind.equals("violation") && anchor.isEmpty()) {
            anchor = lastWithLane(index);
        }
        bands.event(event, index);
        timers.event(event, index);
    }

    private OptionalInt lastWithLane(int before) {
        for (int i = before - 1; i >= 0; i--) {
            Event event = events.get(i);
            if (event.lane != NONE && !REMARKS.contains(event.kind)) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    /**
     * The causal past of the violation, of what matters to it: messages about the violated sequence number, the requests
     * in it, and those that change views. Backwards along each lane, and from a message's arrival to its sending.
     */
    private void cone() {
        if (anchor.isEmpty()) {
            return;
        }
        int last = anchor.getAsInt();
        slot = slotOf(last);
        boolean[] matters = new boolean[contents.size()];
        List<String> requests = requestsOf(slot);
        for (int i = 0; i < matters.length; i++) {
            matters[i] = matters(contents.get(i), requests) || isReplyBehind(last, contents.get(i));
        }
        int[] known = new int[lanes.size()];
        Arrays.fill(known, NONE);
        known[events.get(last).lane] = last;
        for (int i = last; i >= 0; i--) {
            Event event = events.get(i);
            if (event.kind.equals("execute") && event.first == slot && !lanes.get(event.lane).faulty) {
                // The other side of a disagreement belongs to it.
                known[event.lane] = Math.max(known[event.lane], i);
            }
            if (event.kind.equals("deliver") && i <= known[event.lane]) {
                Sent sent = messages.get(event.message);
                if (matters[sent.content]) {
                    sent.inCone = true;
                    known[sent.from] = Math.max(known[sent.from], sent.sendEvent);
                }
            }
        }
    }

    private long slotOf(int index) {
        Event event = events.get(index);
        if (event.kind.equals("execute")) {
            return event.first;
        }
        if (event.kind.equals("answer") && event.second > 0) {
            return event.second;
        }
        return event.message == NONE
                ? NONE
                : contents.get(messages.get(event.message).content).path("seq").asLong(NONE);
    }

    /** Whether {@code content} says the same as the reply after which the client took what it was told for settled. */
    private boolean isReplyBehind(int answer, JsonNode content) {
        if (!events.get(answer).kind.equals("answer")
                || !content.path("m").asText().equals("REPLY")) {
            return false;
        }
        for (int i = answer - 1; i >= 0; i--) {
            Event event = events.get(i);
            if (event.lane == events.get(answer).lane && event.kind.equals("deliver")) {
                JsonNode told = contents.get(messages.get(event.message).content);
                return told.path("items").equals(content.path("items"));
            }
        }
        return false;
    }

    private List<String> requestsOf(long seq) {
        List<String> requests = new ArrayList<>();
        for (JsonNode content : contents) {
            if (seq != NONE && content.path("seq").asLong(NONE) == seq && content.has("requests")) {
                requests.addAll(List.of(content.path("requests").asText().split(" ")));
            }
        }
        return requests;
    }

    private boolean matters(JsonNode content, List<String> requests) {
        String type = content.path("m").asText();
        if (type.equals("VIEW_CHANGE") || type.equals("NEW_VIEW")) {
            return true;
        }
        if (slot == NONE) {
            return !type.equals("STATUS");
        }
        if (type.equals("REQUEST")) {
            return requests.contains(content.path("client").asText() + "#"
                    + content.path("first").asText());
        }
        return content.path("seq").asLong(NONE) == slot;
    }

    private void findFirstWrong() {
        for (Sent sent : messages) {
            if (sent.inCone && !sent.behaviour.isEmpty()) {
                firstWrong = OptionalInt.of(sent.sendEvent);
                return;
            }
        }
        for (int i = 0; i < events.size() && firstWrong.isEmpty(); i++) {
            String kind = events.get(i).kind;
            if (kind.equals("send")
                    && !messages.get(events.get(i).message).behaviour.isEmpty()) {
                firstWrong = OptionalInt.of(i);
            }
        }
    }

    ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ArrayNode laneRows = json.putArray("lanes");
        for (Lane lane : lanes) {
            laneRows.addObject()
                    .put("name", lane.name)
                    .put("replica", lane.replica)
                    .put("faulty", lane.faulty)
                    .put("why", lane.why);
        }
        ArrayNode rows = json.putArray("events");
        for (Event e : events) {
            ArrayNode row =
                    rows.addArray().add(e.atMicros).add(e.kind).add(e.lane).add(e.message);
            if (e.message == NONE) {
                row.add(e.first).add(e.second).add(e.detail);
            }
        }
        json.putArray("contents").addAll(contents);
        ArrayNode sentRows = json.putArray("messages");
        for (Sent m : messages) {
            ArrayNode row = sentRows.addArray().add(m.id).add(m.from).add(m.to).add(m.content);
            row.add(m.sendEvent).add(m.endEvent).add(m.inCone ? 1 : 0);
            if (!m.behaviour.isEmpty()) {
                row.add(m.behaviour);
                m.instead.ifPresent(row::add);
            }
        }
        ArrayNode againRows = json.putArray("again");
        again.forEach(a -> againRows.addArray().add(a.message).add(a.event));
        ArrayNode bandRows = json.putArray("bands");
        for (Band b : bands.all()) {
            bandRows.addArray().add(b.lane).add(b.from).add(b.to).add(b.view).add(b.status);
        }
        ArrayNode timerRows = json.putArray("timers");
        for (TimerBars.Bar b : timers.all()) {
            ArrayNode row = timerRows.addArray().add(b.lane()).add(b.from()).add(b.to());
            row.add(b.awaited()).add(b.ticks()).add(b.end().name());
        }
        json.put("anchor", anchor.orElse(NONE));
        json.put("slot", slot);
        json.put("firstWrong", firstWrong.orElse(NONE));
        return json;
    }

    static String millis(long micros) {
        return String.format(Locale.ROOT, "%.3f", micros / 1e3);
    }
}
