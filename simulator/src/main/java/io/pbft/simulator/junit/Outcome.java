package io.pbft.simulator.junit;

import io.pbft.checkpoint.State;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.replica.Operation;
import io.pbft.replica.StateMachine;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one run of an operation came to: all that replicas must have in common.
 *
 * @param failure the exception as a client is told of it; empty where there was none
 * @param writes what each changed key holds afterwards; nothing for a failure, which leaves no trace
 */
record Outcome(Bytes result, Optional<String> failure, SortedMap<Bytes, Optional<Bytes>> writes) {
    /** Short enough not to be cut on its way to the client. */
    private static final int FAILURE_CHARS_MAX = 200;

    private static final int SHOWN_BYTES_MAX = 60;

    static Outcome ofApply(StateMachine machine, Operation operation, State state) {
        Overlay overlay = new Overlay(state);
        try {
            Bytes result = withinLimit(machine.apply(operation, overlay));
            return new Outcome(result, Optional.empty(), overlay.changes());
        } catch (Exception e) {
            return new Outcome(Bytes.EMPTY, Optional.of(text(e)), new TreeMap<>());
        }
    }

    static Outcome ofQuery(StateMachine machine, Operation operation, io.pbft.checkpoint.StateView state) {
        try {
            return new Outcome(withinLimit(machine.query(operation, state)), Optional.empty(), new TreeMap<>());
        } catch (Exception e) {
            return new Outcome(Bytes.EMPTY, Optional.of(text(e)), new TreeMap<>());
        }
    }

    /** A result that is too long is a failure, here as on a replica: nothing of the operation is left. */
    private static Bytes withinLimit(Bytes result) {
        if (result.size() > Limits.RESULT_BYTES_MAX) {
            throw new IllegalStateException("a result has at most " + Limits.RESULT_BYTES_MAX
                    + " bytes, this operation's has " + result.size());
        }
        return result;
    }

    /** Bytes of the answer, of a failure's text too. */
    int size() {
        return failure.map(text -> Bytes.utf8(text).size()).orElse(result.size());
    }

    /** As replicas word it: of the platform's exceptions only the name of the class counts. */
    private static String text(Exception e) {
        Class<?> kind = e.getClass();
        boolean ownWords = !kind.getName().startsWith("java")
                || kind == IllegalArgumentException.class
                || kind == IllegalStateException.class;
        String message = ownWords && e.getMessage() != null ? e.getMessage() : "";
        String text = message.isEmpty() ? kind.getName() : message;
        return text.codePoints()
                .limit(FAILURE_CHARS_MAX)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    /** The result, or the exception that makes the replica answer with the failure. */
    Bytes answer() {
        if (failure.isPresent()) {
            throw new IllegalStateException(failure.get());
        }
        return result;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(
                failure.map(reason -> "failed: " + reason).orElseGet(() -> "answered " + show(result)));
        writes.forEach((key, value) -> text.append(", ")
                .append(show(key))
                .append(" = ")
                .append(value.map(Outcome::show).orElse("deleted")));
        return text.toString();
    }

    static String show(Bytes bytes) {
        String text = bytes.toUtf8();
        boolean readable = text.length() <= SHOWN_BYTES_MAX && text.chars().noneMatch(c -> c < ' ' || c == '\uFFFD');
        String hex = bytes.slice(0, Math.min(bytes.size(), SHOWN_BYTES_MAX)).toHex();
        return readable ? '"' + text + '"' : "0x" + hex + (bytes.size() > SHOWN_BYTES_MAX ? "..." : "");
    }
}
