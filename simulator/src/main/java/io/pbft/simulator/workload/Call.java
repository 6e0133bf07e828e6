package io.pbft.simulator.workload;

import io.pbft.crypto.Bytes;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An operation of the simulated application: one key, one verb, what the verb needs, and a number that no other
 * operation of the run has. Written as text, {@code NUMBER VERB KEY ARGUMENTS}, so that traces can be read.
 *
 * @param number names the operation; negative for one that a Byzantine client made up
 */
public record Call(long number, String verb, String key, String first, String second) {
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,18}");

    public Bytes encode() {
        String text = number + " " + verb + " " + key + (first.isEmpty() ? "" : " " + first);
        return Bytes.utf8(second.isEmpty() ? text : text + " " + second);
    }

    /** Reads what {@link #encode} wrote; empty for anything else. */
    public static Optional<Call> decode(Bytes payload) {
        String[] words = payload.toUtf8().split(" ", -1);
        if (words.length < 3 || words.length > 5 || !NUMBER.matcher(words[0]).matches() || words[2].isEmpty()) {
            return Optional.empty();
        }
        String first = words.length > 3 ? words[3] : "";
        String second = words.length > 4 ? words[4] : "";
        return Optional.of(new Call(Long.parseLong(words[0]), words[1], words[2], first, second));
    }

    /** Whether it changes nothing. */
    public boolean isRead() {
        return verb.equals("get");
    }
}
