package io.pbft.simulator;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.simulator.check.Findings;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * Runs many seeds, a few side by side, each on one thread. One seed in a hundred runs twice, and its two traces must be equal;
 * a run that fails to be live runs again with ten times the patience, which tells slow from stuck. Which thread runs which seed
 * decides nothing: the results are those of the seeds.
 */
public final class Campaign {
    private static final int TWICE_EVERY = 100;
    private static final int PATIENCE = 10;
    private static final long PROGRESS_NANOS = 2_000_000_000L;

    private final CampaignOptions options;
    private final Function<SimOptions, SimResult> runner;
    private final PrintStream progress;
    private final CampaignResult result = new CampaignResult();
    private final AtomicLong next = new AtomicLong();
    private final Object lock = new Object();
    private final long startedNanos = System.nanoTime();
    private long lastProgressNanos = startedNanos;

    private Campaign(CampaignOptions options, Function<SimOptions, SimResult> runner, PrintStream progress) {
        this.options = options;
        this.runner = runner;
        this.progress = progress;
    }

    /** Runs all seeds of the shard. {@code progress} hears how far it is, and of each failure the command that shows it again. */
    public static CampaignResult run(CampaignOptions options, PrintStream progress) throws InterruptedException {
        return run(options, run -> Simulation.run(run, false), progress);
    }

    /** The same, with something else than {@link Simulation} that runs a seed. */
    static CampaignResult run(CampaignOptions options, Function<SimOptions, SimResult> runner, PrintStream progress)
            throws InterruptedException {
        return new Campaign(options, runner, progress).run();
    }

    private CampaignResult run() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < options.threads(); i++) {
            Thread thread = new Thread(this::work, "campaign-" + i);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        synchronized (lock) {
            result.count("wallMillis", (System.nanoTime() - startedNanos) / 1_000_000);
            say(true);
            if (!options.plain() && !result.probesNeverHit().isEmpty()) {
                progress.println("never seen: " + String.join("; ", result.probesNeverHit()));
            }
            return result;
        }
    }

    private void work() {
        long i = next.getAndIncrement();
        while (i < options.count()) {
            long seed = options.seed(i);
            try {
                take(seed, i);
            } catch (RuntimeException | Error e) {
                // Also a stack overflow or a failed assertion: the seed counts as failed, and the others go on.
                synchronized (lock) {
                    result.count("seeds", 1);
                    result.count("broken", 1);
                    ObjectNode failure = JsonNodeFactory.instance.objectNode();
                    failure.put("seed", seed);
                    failure.put("verdict", "broken");
                    failure.put("text", String.valueOf(e));
                    result.failure(seed, failure);
                    progress.println("seed " + seed + " broke the simulator: " + e);
                }
            }
            i = next.getAndIncrement();
        }
    }

    private void take(long seed, long index) {
        SimOptions run = options.run(seed);
        SimResult found = runner.apply(run);
        boolean repeats = true;
        if (index % TWICE_EVERY == 0) {
            repeats = runner.apply(run).traceHash() == found.traceHash();
        }
        boolean stuck = found.verdict() == SimResult.Verdict.LIVENESS
                && Simulation.runPatiently(run, PATIENCE).verdict() != SimResult.Verdict.OK;
        synchronized (lock) {
            add(seed, found, repeats, stuck);
        }
    }

    private void add(long seed, SimResult found, boolean repeats, boolean stuck) {
        result.count("seeds", 1);
        String verdict = repeats ? found.verdict().label() : "nondeterministic";
        result.count(verdict, 1);
        result.count("style " + Swarm.style(seed, options.base()).name().toLowerCase(Locale.ROOT), 1);
        result.count("operations", found.committed());
        result.count("events", found.events());
        result.count("messages", found.messages());
        result.count("virtualMillis", found.virtualMillis());
        result.count("viewChanges", found.views() > 0 ? 1 : 0);
        result.count("undecided", found.decided() ? 0 : 1);
        found.probes().forEach(result::probe);
        if (found.verdict() != SimResult.Verdict.OK || !repeats) {
            fail(seed, found, verdict, stuck);
        }
        if (System.nanoTime() - lastProgressNanos > PROGRESS_NANOS) {
            say(false);
        }
    }

    private void fail(long seed, SimResult found, String verdict, boolean stuck) {
        ObjectNode failure = JsonNodeFactory.instance.objectNode();
        failure.put("seed", seed);
        failure.put("verdict", verdict);
        if (found.verdict() == SimResult.Verdict.LIVENESS) {
            failure.put("stuck", stuck);
            result.count(stuck ? "stuck" : "slow", 1);
        }
        ArrayNode texts = failure.putArray("violations");
        for (Findings.Violation violation : found.violations()) {
            texts.add(violation.check().label() + ": " + violation.text());
            result.count("check " + violation.check().label(), 1);
        }
        failure.put("command", found.command());
        result.failure(seed, failure);
        if (result.count(verdict) <= CampaignResult.FAILURES_MAX) {
            String first = found.violations().isEmpty()
                    ? "two runs had two traces"
                    : found.violations().get(0).check().label() + ": "
                            + found.violations().get(0).text();
            progress.println("seed " + seed + " " + verdict + " " + first);
            progress.println("  " + found.command());
        }
    }

    private void say(boolean last) {
        lastProgressNanos = System.nanoTime();
        long done = result.count("seeds");
        double seconds = (lastProgressNanos - startedNanos) / 1e9;
        double rate = done / Math.max(0.001, seconds);
        long failed = done - result.count("ok");
        String line = String.format(
                Locale.ROOT,
                "%d of %d seeds, %d failed, %.0f seeds/s, %.0fx real time",
                done,
                options.count(),
                failed,
                rate,
                result.count("virtualMillis") / 1_000.0 / Math.max(0.001, seconds));
        String rest = last
                ? String.format(Locale.ROOT, ", %.1f s", seconds)
                : String.format(Locale.ROOT, ", %.0f s to go", (options.count() - done) / Math.max(0.001, rate));
        progress.println(line + rest);
    }
}
