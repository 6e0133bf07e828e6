package io.pbft.simulator.minimize;

import io.pbft.protocol.Limits;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import io.pbft.simulator.check.Check;
import io.pbft.simulator.check.Findings;
import io.pbft.simulator.world.FaultPlan;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Shrinks a failing run: takes out what it does not need to fail, and stops when nothing more can be taken out alone.
 *
 * <p>That works because chance is keyed. Every decision is a function of the seed and of what it is about, so what is left
 * decides as it did before, and the failure mostly stays. A run counts as the same failure when the same check fails: two
 * replicas that disagree are another bug than a client that waits for ever.
 *
 * <p>What is taken out: the behaviours of faulty nodes, partitions, crashes, pauses and every other option that is not at its
 * default, each alone; operations, clients and replicas; the decisions of chance, of which the few that matter are named with
 * {@code --only}; and the length of what lasts. Lists are shrunk by delta debugging (Zeller and Hildebrandt, "Simplifying and
 * isolating failure-inducing input", IEEE TSE 2002): large pieces first, then smaller ones, until no single element can go. No
 * more replicas become faulty than the protocol bears, unless there were in the first place.
 *
 * <p>The search takes at most {@link #RUNS_MAX} runs and is as deterministic as the runs. NOT thread-safe.
 */
public final class Minimizer {
    /** Runs of one search, unless told otherwise. */
    public static final int RUNS_MAX = 1_000;

    /** Passes over everything: what one takes out may make room for the others. */
    private static final int ROUNDS_MAX = 5;

    /** Nothing that lasts is made shorter than this. */
    private static final long LASTING_MICROS_MIN = 1_000;

    private static final List<String> SIZES = List.of("--seed", "--replicas", "--clients", "--ops", "--gst", "--only");
    private static final List<String> LASTING = List.of("--partition", "--cut", "--pause", "--byzantine");
    private static final Pattern INTERVAL =
            Pattern.compile("(?<from>[0-9]+)(?<fromUnit>us|ms)\\.\\.(?<to>[0-9]+)(?<toUnit>us|ms)");

    private final Function<SimOptions, SimResult> runner;
    private final Consumer<Minimized> progress;
    private final int runsMax;
    private final Check check;
    private final boolean tooManyFaulty;

    /** Command lines that were run already: what one pass tried in vain the next need not. */
    private final Set<String> tried = new HashSet<>();

    private int runs;
    private boolean exhausted;
    private Scenario best;
    private SimResult bestResult;

    private Minimizer(
            SimResult failing, int runsMax, Function<SimOptions, SimResult> runner, Consumer<Minimized> progress) {
        this.runner = runner;
        this.progress = progress;
        this.runsMax = runsMax;
        this.check = kind(failing)
                .orElseThrow(() -> new IllegalArgumentException(
                        "only a run that fails can be made smaller; everything held in this one: "
                                + failing.command()));
        this.tooManyFaulty = failing.tooManyFaulty();
        this.best = Scenario.of(failing.options());
        this.bestResult = failing;
    }

    /**
     * Shrinks the run that gave {@code failing}.
     *
     * @param progress hears of each smaller run that fails as well
     * @throws IllegalArgumentException when nothing was violated in it
     */
    public static Minimized minimize(SimResult failing, Consumer<Minimized> progress) {
        return minimize(failing, RUNS_MAX, options -> Simulation.run(options, false), progress);
    }

    /**
     * Likewise.
     *
     * @param runsMax the most runs, at least 1
     * @param runner runs the simulation, the product under test as it was in {@code failing}
     */
    public static Minimized minimize(
            SimResult failing, int runsMax, Function<SimOptions, SimResult> runner, Consumer<Minimized> progress) {
        return new Minimizer(failing, runsMax, runner, progress).minimize();
    }

    /** What is wrong with a run: the first violation of safety, without one the first of any kind. */
    static Optional<Check> kind(SimResult result) {
        List<Check> checks =
                result.violations().stream().map(Findings.Violation::check).toList();
        return checks.stream()
                .filter(Check::isSafety)
                .findFirst()
                .or(() -> checks.stream().findFirst());
    }

    private Minimized minimize() {
        int before = -1;
        for (int round = 0; round < ROUNDS_MAX && !exhausted && before != size(); round++) {
            before = size();
            shrinkSettings();
            shrinkNumber("--ops", 1, bestResult.options().ops());
            shrinkSize("--clients", 1, bestResult.options().clients());
            shrinkSize("--replicas", Limits.REPLICAS_MIN, bestResult.options().replicas());
            shrinkChance();
            shrinkTimes();
        }
        forgetNeedlessChoice();
        return found();
    }

    /** Gets smaller with every step that succeeds, but for those that only shorten times. */
    private int size() {
        SimOptions options = bestResult.options();
        return best.parts().size()
                + options.ops()
                + options.clients()
                + options.replicas()
                + options.only().map(Set::size).orElse(bestResult.plan().size());
    }

    private Minimized found() {
        return new Minimized(check, best.options(), bestResult, runs, exhausted);
    }

    /** Every option and every element of one that is not at its default. */
    private void shrinkSettings() {
        List<Scenario.Part> fixed = new ArrayList<>();
        List<Scenario.Part> settings = new ArrayList<>();
        for (Scenario.Part part : best.parts()) {
            (SIZES.contains(part.option()) ? fixed : settings).add(part);
        }
        shrink(settings, rest -> {
            List<Scenario.Part> parts = new ArrayList<>(fixed);
            parts.addAll(rest);
            return new Scenario(parts);
        });
    }

    /** The least number that fails, among few at first and more and more sparsely. */
    private void shrinkNumber(String option, int min, int now) {
        for (int value = min; value < now; value += 1 + value / 8) {
            if (fails(best.with(option, Optional.of(Integer.toString(value))))) {
                return;
            }
        }
    }

    private void shrinkSize(String option, int min, int now) {
        for (int value = min; value < now; value++) {
            if (fails(best.resized(option, value))) {
                return;
            }
        }
    }

    /** The faults that fired: without all of them first, then with ever more of them. */
    private void shrinkChance() {
        List<String> fired = bestResult.plan().stream()
                .map(FaultPlan.Decision::id)
                .distinct()
                .map(Long::toHexString)
                .toList();
        shrink(fired, rest -> best.with("--only", Optional.of(rest.isEmpty() ? "none" : String.join(",", rest))));
    }

    /** An empty choice among no faults at all says nothing. */
    private void forgetNeedlessChoice() {
        if (best.value("--only").filter("none"::equals).isPresent()) {
            Scenario without = best.with("--only", Optional.empty());
            Optional<SimResult> result = run(without);
            if (result.isPresent()
                    && isSame(result.get())
                    && result.get().plan().isEmpty()) {
                accept(without, result.get());
            }
        }
    }

    private void shrinkTimes() {
        for (int i = 0; i < best.parts().size(); i++) {
            if (LASTING.contains(best.parts().get(i).option())) {
                shrinkInterval(i);
            }
        }
        long gst = bestResult.options().net().gstMicros();
        for (int eighths = 0; eighths < 8; eighths++) {
            if (fails(best.with("--gst", Optional.of(gst * eighths / 8 + "us")))) {
                return;
            }
        }
    }

    /** Halves what lasts, from either end, as long as that goes. */
    private void shrinkInterval(int index) {
        boolean smaller = true;
        while (smaller) {
            smaller = false;
            Scenario.Part part = best.parts().get(index);
            Matcher interval = INTERVAL.matcher(part.value());
            if (!interval.find()) {
                return;
            }
            long from = micros(interval.group("from"), interval.group("fromUnit"));
            long to = micros(interval.group("to"), interval.group("toUnit"));
            long half = (to - from) / 2;
            if (half >= LASTING_MICROS_MIN) {
                smaller = fails(best.with(index, between(part, interval, from, from + half)))
                        || fails(best.with(index, between(part, interval, to - half, to)));
            }
        }
    }

    private static Scenario.Part between(Scenario.Part part, Matcher interval, long from, long to) {
        String value = part.value().substring(0, interval.start())
                + time(from) + ".." + time(to)
                + part.value().substring(interval.end());
        return new Scenario.Part(part.option(), value);
    }

    private static String time(long micros) {
        return micros % 1_000 == 0 ? micros / 1_000 + "ms" : micros + "us";
    }

    private static long micros(String number, String unit) {
        return Long.parseLong(number) * (unit.equals("ms") ? 1_000 : 1);
    }

    /** Delta debugging: leaves out pieces of {@code items}, half the size each time, until no single one can go. */
    private <T> void shrink(List<T> items, Function<List<T>, Scenario> scenario) {
        List<T> kept = items;
        int piece = kept.size();
        boolean done = kept.isEmpty();
        while (!done && !exhausted) {
            boolean any = false;
            int from = 0;
            while (from < kept.size()) {
                List<T> rest = new ArrayList<>(kept.subList(0, from));
                rest.addAll(kept.subList(Math.min(kept.size(), from + piece), kept.size()));
                if (fails(scenario.apply(rest))) {
                    kept = rest;
                    any = true;
                } else {
                    from += piece;
                }
            }
            done = kept.isEmpty() || (piece == 1 && !any);
            piece = Math.max(1, Math.min(piece, kept.size()) / 2);
        }
    }

    /** Whether {@code candidate} fails as the first run did. Then it is the best so far. */
    private boolean fails(Scenario candidate) {
        Optional<SimResult> result = run(candidate);
        if (result.isEmpty() || !isSame(result.get())) {
            return false;
        }
        accept(candidate, result.get());
        return true;
    }

    /** Empty when it was run before, or there were runs enough. */
    private Optional<SimResult> run(Scenario candidate) {
        SimOptions options = candidate.options();
        if (!tried.add(options.toCommandLine())) {
            return Optional.empty();
        }
        if (runs >= runsMax) {
            exhausted = true;
            return Optional.empty();
        }
        runs++;
        return Optional.of(runner.apply(options));
    }

    private boolean isSame(SimResult result) {
        return (tooManyFaulty || !result.tooManyFaulty())
                && result.violations().stream().anyMatch(violation -> violation.check() == check);
    }

    private void accept(Scenario scenario, SimResult result) {
        best = scenario;
        bestResult = result;
        progress.accept(found());
    }
}
