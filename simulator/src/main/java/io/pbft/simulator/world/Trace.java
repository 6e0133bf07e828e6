package io.pbft.simulator.world;

import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import java.util.Optional;

/**
 * What happened, in order. Its hash is always kept, so that two runs can be compared; its text, a JSON object a line, only when
 * somebody wants to read it. Nothing of the machine gets into either: no address, no wall clock, no order of a hash table.
 * NOT thread-safe.
 */
public final class Trace {
    private final EventQueue time;
    private final Optional<StringBuilder> text;
    private long hash;
    private long lines;

    public Trace(EventQueue time, boolean keepText) {
        this.time = time;
        this.text = keepText ? Optional.of(new StringBuilder(1 << 16)) : Optional.empty();
    }

    /** Equal for equal histories; different, but for bad luck of one in 2^64, for different ones. */
    public long hash() {
        return hash;
    }

    public long lines() {
        return lines;
    }

    /** The lines so far; empty when none were kept. */
    public String text() {
        return text.map(StringBuilder::toString).orElse("");
    }

    public boolean keepsText() {
        return text.isPresent();
    }

    /**
     * A message: {@code what} is send, deliver, drop and the like. The line says under {@code id} which sending it belongs to.
     */
    public void message(String what, String from, String to, long key, long id, Message message) {
        count(what, key, Mix.mix(fold(from), fold(to)));
        if (text.isPresent()) {
            StringBuilder out = begin(what);
            out.append(",\"from\":\"")
                    .append(from)
                    .append("\",\"to\":\"")
                    .append(to)
                    .append("\",");
            Describe.fields(message, out);
            out.append(",\"key\":\"")
                    .append(Long.toHexString(key))
                    .append("\",\"id\":")
                    .append(id)
                    .append("}\n");
        }
    }

    /** A message that a Byzantine node is about to send to {@code to}, and what it would have sent had it been honest. */
    public void lie(String node, NodeId to, long key, String behaviour, Optional<Message> instead) {
        count("lie", Mix.mix(key, to.index(), fold(behaviour)), fold(node));
        if (text.isPresent()) {
            StringBuilder out = begin("lie");
            out.append(",\"at\":\"").append(node).append("\",\"a\":").append(key);
            out.append(",\"b\":").append(to.index()).append(",\"detail\":\"").append(behaviour);
            out.append("\",\"to\":\"").append(to.isReplica() ? 'r' : 'c').append(to.index());
            out.append("\",\"key\":\"").append(Long.toHexString(key)).append('"');
            instead.ifPresent(honest -> {
                out.append(",\"instead\":{");
                Describe.fields(honest, out);
                out.append('}');
            });
            out.append("}\n");
        }
    }

    /** Something that happened to, or at, a node. */
    public void event(String what, String node, long first, long second, String detail) {
        count(what, Mix.mix(first, second, fold(detail)), fold(node));
        if (text.isPresent()) {
            write(what, node, first, second, detail);
        }
    }

    /**
     * Something that readers want to see and that follows from the rest: where a node stands. Kept with the text alone, so that
     * it costs a campaign nothing; the hash knows nothing of it.
     */
    public void remark(String what, String node, long first, long second, String detail) {
        if (text.isPresent()) {
            write(what, node, first, second, detail);
        }
    }

    private void write(String what, String node, long first, long second, String detail) {
        StringBuilder out = begin(what);
        out.append(",\"at\":\"")
                .append(node)
                .append("\",\"a\":")
                .append(first)
                .append(",\"b\":")
                .append(second);
        out.append(",\"detail\":\"");
        escape(detail, out);
        out.append("\"}\n");
    }

    private void count(String what, long first, long second) {
        hash = Mix.mix(hash ^ time.now(), fold(what), first, second);
        lines++;
    }

    private StringBuilder begin(String what) {
        return text.orElseThrow()
                .append("{\"t\":")
                .append(time.now())
                .append(",\"e\":\"")
                .append(what)
                .append('"');
    }

    private static long fold(String string) {
        // The specification of String fixes this hash, so it is the same everywhere.
        return string.hashCode();
    }

    private static void escape(String detail, StringBuilder out) {
        for (int i = 0; i < detail.length(); i++) {
            char c = detail.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
    }
}
