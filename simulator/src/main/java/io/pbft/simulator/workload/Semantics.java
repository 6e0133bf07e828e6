package io.pbft.simulator.workload;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a {@link Call} does to the value of its key. The replicated state machine and the sequential model that its
 * histories are held against both use this: what is tested is the replication, not the arithmetic.
 */
public final class Semantics {
    /** The value afterwards, empty when there is none, and the answer. */
    public record Effect(Optional<String> value, String answer) {}

    /** The answer where there is no value. */
    public static final String NOTHING = "-";

    private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,15}");

    private Semantics() {}

    /** @throws IllegalArgumentException when the call is refused: then nothing changes, and its message is the answer */
    public static Effect apply(Call call, Optional<String> value) {
        return switch (call.verb()) {
            case "get" -> new Effect(value, value.orElse(NOTHING));
            case "put" -> new Effect(Optional.of(call.first()), value.orElse(NOTHING));
            case "delete" -> new Effect(Optional.empty(), value.orElse(NOTHING));
            case "cas" -> {
                boolean equal = value.orElse(NOTHING).equals(call.first());
                yield new Effect(equal ? Optional.of(call.second()) : value, equal ? "yes" : "no");
            }
            case "append" -> {
                String list = value.map(head -> head + ",").orElse("") + call.first();
                yield new Effect(Optional.of(list), list);
            }
            case "add" -> {
                String sum = Long.toString(number(value.orElse("0")) + number(call.first()));
                yield new Effect(Optional.of(sum), sum);
            }
            default -> throw new IllegalArgumentException("no such operation: " + call.verb());
        };
    }

    private static long number(String text) {
        if (!NUMBER.matcher(text).matches()) {
            throw new IllegalArgumentException("not a number: " + text);
        }
        return Long.parseLong(text);
    }
}
