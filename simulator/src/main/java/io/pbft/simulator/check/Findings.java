package io.pbft.simulator.check;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** What the checkers found. NOT thread-safe. */
public final class Findings {
    /** So many are kept of each check: the first ones matter. */
    private static final int KEPT_PER_CHECK = 5;

    /** A property that does not hold: when that was seen, and what was seen. */
    public record Violation(Check check, long atMicros, String text) {}

    private final LongSupplier clock;
    private final Consumer<Violation> heard;
    private final List<Violation> violations = new ArrayList<>();
    private final Map<Check, Integer> counts = new EnumMap<>(Check.class);

    public Findings(LongSupplier clock) {
        this(clock, violation -> {});
    }

    /** {@code heard} hears of each violation that is kept, at once: what was done last is what broke the property. */
    public Findings(LongSupplier clock, Consumer<Violation> heard) {
        this.clock = clock;
        this.heard = heard;
    }

    public void report(Check check, String text) {
        if (counts.merge(check, 1, Integer::sum) <= KEPT_PER_CHECK) {
            Violation violation = new Violation(check, clock.getAsLong(), text);
            violations.add(violation);
            heard.accept(violation);
        }
    }

    public boolean isEmpty() {
        return violations.isEmpty();
    }

    public int count(Check check) {
        return counts.getOrDefault(check, 0);
    }

    public boolean anySafety() {
        return counts.keySet().stream().anyMatch(Check::isSafety);
    }

    public boolean anyLiveness() {
        return counts.keySet().stream().anyMatch(check -> !check.isSafety());
    }

    public List<Violation> violations() {
        return List.copyOf(violations);
    }
}
