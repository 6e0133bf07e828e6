package io.pbft.simulator.junit;

import io.pbft.crypto.Bytes;
import io.pbft.replica.StateMachine;
import io.pbft.simulator.CampaignOptions;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import io.pbft.simulator.check.Findings;
import io.pbft.simulator.minimize.Minimized;
import io.pbft.simulator.minimize.Minimizer;
import io.pbft.simulator.world.Mix;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Runs your own state machine in the simulator, under faults drawn from seeds, and fails when anything that has to hold does not:
 * with JUnit or any other test framework, for it throws an {@link AssertionError}.
 *
 * <pre>{@code
 * @Test
 * void ourBankIsDeterministicUnderEveryFault() {
 *     SimulatedCluster.of(Bank::new)
 *             .operations((number, random) -> Bank.transfer("a" + random.nextInt(5), "a" + random.nextInt(5), number))
 *             .check(1, 100);
 * }
 * }</pre>
 *
 * <p>All checks of a simulated run apply. On top of them every operation runs twice on every replica: on the replica's
 * instance, and, on the same state, on a new one, with another default locale and time zone. Results, exceptions and writes
 * must be equal; they must be equal on all correct replicas; and the whole agreed order runs once more at the end, some
 * milliseconds later. That finds clocks, randomness, identity hash codes, locale, time zone, and state that is kept in fields
 * (also static ones) instead of in the state. What one JVM cannot show: the order of {@code Set.of} and {@code Map.of}, whose
 * salt is drawn when a JVM starts; the environment, files and network of another machine; a clock that is read with a step of
 * a second or more; races between threads. For the first of these compare {@link Summary#fingerprint} between two starts of
 * the JVM.
 *
 * <p>A machine must take every operation in {@code apply}, reads too: a read without enough equal answers is ordered. It must
 * bear any bytes at all: Byzantine clients send them. NOT thread-safe; while it runs, the JVM's default locale and time zone
 * change to and fro, unless {@link #sameSurroundings} is asked for.
 */
public final class SimulatedCluster {
    private static final int MINIMIZER_RUNS_MAX = 200;

    /** Makes the operation {@code number} of a run; {@code random} is drawn from the seed and the number alone. */
    @FunctionalInterface
    public interface Operations {
        Bytes operation(long number, RandomGenerator random);
    }

    /**
     * What was run.
     *
     * @param operations operations in the agreed orders
     * @param viewChanges runs in which the primary changed
     * @param fingerprint of everything that happened: equal for equal code and seeds on every machine and JVM
     */
    public record Summary(long seeds, long operations, long viewChanges, long fingerprint) {}

    private final Supplier<? extends StateMachine> machines;
    private @Nullable Operations writes;
    private @Nullable Operations reads;
    private double readShare;
    private int replicas = 4;
    private int operationsPerSeed = 48;
    private boolean travels = true;

    private SimulatedCluster(Supplier<? extends StateMachine> machines) {
        this.machines = machines;
    }

    /** @param machines makes a new instance each time */
    public static SimulatedCluster of(Supplier<? extends StateMachine> machines) {
        return new SimulatedCluster(machines);
    }

    /** What clients ask for. */
    public SimulatedCluster operations(Operations operations) {
        writes = operations;
        return this;
    }

    /** What clients read outside of the order, and how many of all operations, from 0 to 1, are such reads. */
    public SimulatedCluster reads(double share, Operations operations) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("the share of reads is from 0 to 1, not " + share);
        }
        readShare = share;
        reads = operations;
        return this;
    }

    /** 4 unless told otherwise; 4 to 31. */
    public SimulatedCluster replicas(int count) {
        replicas = count;
        return this;
    }

    /** 48 unless told otherwise. */
    public SimulatedCluster operationsPerSeed(int count) {
        operationsPerSeed = count;
        return this;
    }

    /** Leaves the JVM's default locale and time zone alone: for tests that run beside others in one JVM. */
    public SimulatedCluster sameSurroundings() {
        travels = false;
        return this;
    }

    /**
     * Runs the seeds from {@code first} to {@code last}, each with the faults that it draws, of at most f replicas.
     *
     * @throws AssertionError at the first seed that fails: it says what was violated, and the smallest run that shows it
     */
    public Summary check(long first, long last) {
        CampaignOptions campaign = CampaignOptions.parse(
                List.of("--seeds", first + ".." + last, "--replicas", "" + replicas, "--ops", "" + operationsPerSeed));
        long operations = 0;
        long viewChanges = 0;
        long fingerprint = 0;
        for (long i = 0; i < campaign.count(); i++) {
            SimResult result = run(campaign.run(campaign.seed(i)));
            if (result.verdict() != SimResult.Verdict.OK) {
                throw failure(result);
            }
            operations += result.committed();
            viewChanges += result.views() > 0 ? 1 : 0;
            fingerprint = Mix.mix(fingerprint, result.traceHash());
        }
        return new Summary(campaign.count(), operations, viewChanges, fingerprint);
    }

    /**
     * Runs once with the options that a failure named, or with any others of {@code pbft sim}.
     *
     * @throws AssertionError when it fails
     */
    public void replay(String options) {
        SimResult result =
                run(SimOptions.parse(List.of(options.strip().replace("'", "").split(" +"))));
        if (result.verdict() != SimResult.Verdict.OK) {
            throw new AssertionError(describe(result));
        }
    }

    SimResult run(SimOptions options) {
        if (writes == null) {
            throw new IllegalStateException("there is nothing to run: give operations(...) first");
        }
        return Simulation.run(options, false, keyed -> new UserApplication(this, keyed));
    }

    private AssertionError failure(SimResult result) {
        Minimized small = Minimizer.minimize(result, MINIMIZER_RUNS_MAX, this::run, step -> {});
        return new AssertionError("seed " + result.options().seed() + ": " + describe(result)
                + "\nThe smallest run found that fails likewise: " + describe(small.result()));
    }

    private static String describe(SimResult result) {
        StringBuilder text = new StringBuilder(result.verdict().label());
        for (Findings.Violation violation : result.violations()) {
            text.append("\n  ").append(violation.check().label()).append(": ").append(violation.text());
        }
        return text.append("\n  again with .replay(\"")
                .append(result.options().toCommandLine())
                .append("\")")
                .toString();
    }

    StateMachine machine() {
        return machines.get();
    }

    boolean travels() {
        return travels;
    }

    boolean isRead(double unit) {
        return unit < readShare;
    }

    Bytes operation(boolean read, long number, RandomGenerator random) {
        Operations source = read ? reads : writes;
        if (source == null) {
            throw new IllegalStateException("no operations were given");
        }
        return source.operation(number, random);
    }
}
