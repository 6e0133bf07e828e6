package io.pbft.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * One behaviour of a Byzantine node as an option names it: {@code NAME}, {@code NAME=ARG} or {@code NAME:ARG}, and
 * {@code @FROM..TO} behind it when it is switched on for a while only.
 *
 * @param argument empty where the behaviour takes none, or none was given
 * @param fromMicros when it begins; {@code toMicros} when it ends, {@link Long#MAX_VALUE} for never
 */
public record BehaviourSpec(String name, String argument, long fromMicros, long toMicros) {
    /** The behaviours of a replica. */
    public static final List<String> REPLICA = List.of(
            "silent",
            "equivocate",
            "wrong-digest",
            "delay",
            "censor",
            "reorder",
            "withhold-bodies",
            "sequence-jump",
            "bad-time",
            "stale-view",
            "old-requests",
            "mute",
            "crash",
            "lie-reply",
            "lie-read",
            "forge-signature",
            "bad-checkpoint",
            "bad-state-chunk",
            "conflicting-view-change",
            "view-change-spam",
            "bad-new-view",
            "replay",
            "flood",
            "selective",
            "random",
            "twin",
            "collude",
            "other-cluster",
            "false-view",
            "refuse",
            "flood-clients");

    /** The behaviours of a client. */
    public static final List<String> CLIENT = List.of(
            "forge", "replay", "partial-send", "conflicting-requests", "number-jump", "flood", "hoard", "greedy");

    /**
     * The behaviours of one replica, separated by commas.
     *
     * @throws OptionError when {@code text}, the value of {@code option}, is none
     */
    public static List<BehaviourSpec> ofReplica(String option, String text) {
        return parseAll(option, text, REPLICA);
    }

    static BehaviourSpec parse(String option, String text, List<String> known) {
        String rest = text;
        long from = 0;
        long to = Long.MAX_VALUE;
        int at = rest.indexOf('@');
        if (at >= 0) {
            long[] interval = OptionText.interval(option, rest.substring(at + 1));
            from = interval[0];
            to = interval[1];
            rest = rest.substring(0, at);
        }
        int separator = firstOf(rest, '=', ':');
        String name = separator < 0 ? rest : rest.substring(0, separator);
        String argument = separator < 0 ? "" : rest.substring(separator + 1);
        if (!known.contains(name)) {
            throw new OptionError(option, "one of the behaviours " + String.join(", ", new TreeSet<>(known)), name);
        }
        BehaviourSpec spec = new BehaviourSpec(name, argument, from, to);
        spec.checkArgument(option);
        return spec;
    }

    private static int firstOf(String text, char first, char second) {
        int a = text.indexOf(first);
        int b = text.indexOf(second);
        return a < 0 ? b : b < 0 ? a : Math.min(a, b);
    }

    private void checkArgument(String option) {
        switch (name) {
            case "delay" -> OptionText.micros(option, argument);
            case "censor" -> OptionText.number(option, argument, 0, 65_535);
            case "selective" -> ids(option);
            default -> {
                if (!argument.isEmpty() && !name.equals("random")) {
                    throw new OptionError(option, name + " without an argument", name + "=" + argument);
                }
            }
        }
    }

    /** The replicas that {@code selective} talks to: {@code 1,2,3} or a single one. */
    private List<Integer> ids(String option) {
        List<Integer> ids = new ArrayList<>();
        for (String id : argument.split(",", -1)) {
            ids.add(OptionText.number(option, id, 0, 30));
        }
        return ids;
    }

    /** The argument of {@code delay}, in virtual microseconds. */
    public long delayMicros() {
        return OptionText.micros("delay", argument);
    }

    /** The argument of {@code selective}. */
    public List<Integer> friends() {
        return ids("selective");
    }

    /** Behaviours with commas between them; a piece of digits alone belongs to the list that the piece before it began. */
    static List<BehaviourSpec> parseAll(String option, String text, List<String> known) {
        List<String> pieces = new ArrayList<>();
        for (String piece : text.split(",", -1)) {
            if (piece.matches("[0-9]+(@.*)?") && !pieces.isEmpty()) {
                pieces.set(pieces.size() - 1, pieces.get(pieces.size() - 1) + "," + piece);
            } else {
                pieces.add(piece);
            }
        }
        List<BehaviourSpec> specs = new ArrayList<>();
        for (String piece : pieces) {
            specs.add(parse(option, piece, known));
        }
        return specs;
    }

    public boolean isOn(long nowMicros) {
        return nowMicros >= fromMicros && nowMicros < toMicros;
    }

    @Override
    public String toString() {
        String text = argument.isEmpty() ? name : name + "=" + argument;
        return toMicros == Long.MAX_VALUE && fromMicros == 0
                ? text
                : text + "@" + OptionText.interval(fromMicros, Math.min(toMicros, 3_600_000_000L));
    }
}
