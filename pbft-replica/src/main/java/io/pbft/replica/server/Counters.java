package io.pbft.replica.server;

import io.pbft.protocol.NodeId;
import io.pbft.replica.core.Event;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What was counted since the process started: messages that were not taken, by sender and reason, and the core's notes by
 * event. Bounded by the nodes of the cluster times the reasons. Thread-safe.
 */
final class Counters {
    /** Dropped before it was looked at: its sender has too much here already. */
    static final String NO_ROOM = "NO_ROOM";

    /** Not the encoding of any message. */
    static final String MALFORMED = "MALFORMED";

    /** The verifier itself failed on it, which it never should. */
    static final String NOT_VERIFIABLE = "NOT_VERIFIABLE";

    private final Map<NodeId, Map<String, LongAdder>> refused = new ConcurrentHashMap<>();
    private final Map<Event, LongAdder> events = new EnumMap<>(Event.class);
    private final LongAdder accepted = new LongAdder();

    Counters() {
        for (Event event : Event.values()) {
            events.put(event, new LongAdder());
        }
    }

    /** Whether this is the first message of this sender that is refused for this reason. */
    boolean refused(NodeId from, String reason) {
        LongAdder count = refused.computeIfAbsent(from, node -> new ConcurrentHashMap<>())
                .computeIfAbsent(reason, why -> new LongAdder());
        count.increment();
        return count.sum() == 1;
    }

    void accepted() {
        accepted.increment();
    }

    void noted(Event event) {
        count(event).increment();
    }

    long events(Event event) {
        return count(event).sum();
    }

    long acceptedMessages() {
        return accepted.sum();
    }

    /** Refused messages, of all senders, by reason. */
    Map<String, Long> refusedByReason() {
        Map<String, Long> sums = new TreeMap<>();
        refused.values().forEach(reasons -> reasons.forEach((reason, n) -> sums.merge(reason, n.sum(), Long::sum)));
        return sums;
    }

    /** Refused messages by sender and reason. */
    Map<String, Map<String, Long>> refusedBySender() {
        Map<String, Map<String, Long>> bySender = new TreeMap<>();
        refused.forEach((node, reasons) -> {
            Map<String, Long> counts = new TreeMap<>();
            reasons.forEach((reason, n) -> counts.put(reason, n.sum()));
            bySender.put(node.toString(), counts);
        });
        return bySender;
    }

    private LongAdder count(Event event) {
        LongAdder count = events.get(event);
        if (count == null) {
            throw new IllegalStateException("no counter for " + event);
        }
        return count;
    }
}
