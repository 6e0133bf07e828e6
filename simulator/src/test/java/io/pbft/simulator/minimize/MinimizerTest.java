package io.pbft.simulator.minimize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import io.pbft.simulator.check.Check;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MinimizerTest {
    /** Two liars of four break safety; the rest is there to be taken out. */
    private static final String BUSY =
            "--seed 3 --byzantine 0=reorder,lie-reply --byzantine 1=withhold-bodies,lie-reply "
                    + "--drop 0.05 --duplicate 0.1 --reorder 0.1 --gst 400 "
                    + "--partition 100..200:{0,1}|{2,3} --pause 3@50..90 "
                    + "--crash 2@300 --restart 2@350 --clock-skew 1=40 --codec --parameters window=24,sessionWindow=32";

    private static SimResult run(String line) {
        return Simulation.run(SimOptions.parse(List.of(line.split(" "))), false);
    }

    @Test
    void aRunWithEverythingInItShrinksToWhatBreaksIt() {
        SimResult failing = run(BUSY);
        assertThat(failing.verdict()).as("%s", failing.command()).isEqualTo(SimResult.Verdict.SAFETY);
        List<Minimized> steps = new ArrayList<>();
        Minimized found = Minimizer.minimize(failing, steps::add);

        SimOptions small = found.options();
        assertThat(found.exhausted()).isFalse();
        assertThat(found.runs()).isLessThanOrEqualTo(Minimizer.RUNS_MAX);
        assertThat(steps).isNotEmpty();
        assertThat(steps.get(steps.size() - 1).options()).isEqualTo(small);
        assertThat(small.ops()).isLessThan(failing.options().ops());
        assertThat(small.codec()).isFalse();
        assertThat(small.parameters()).isEqualTo(SimOptions.PARAMETERS);
        assertThat(small.clocks().skewMillis()).isEmpty();
        assertThat(small.byzantine()).isNotEmpty();
        assertThat(found.result().plan().size()).isLessThan(failing.plan().size() / 2);

        // The command line that is printed shows the same failure.
        SimResult again = run(small.toCommandLine().replace("'", ""));
        assertThat(again.traceHash()).isEqualTo(found.result().traceHash());
        assertThat(again.violations()).isEqualTo(found.result().violations());
        assertThat(Minimizer.kind(again)).contains(found.check());
    }

    @Test
    void twoSearchesFindTheSame() {
        SimResult failing = run(BUSY);
        Minimized first = Minimizer.minimize(failing, 60, options -> Simulation.run(options, false), step -> {});
        Minimized second = Minimizer.minimize(failing, 60, options -> Simulation.run(options, false), step -> {});
        assertThat(first.options()).isEqualTo(second.options());
        assertThat(first.exhausted()).isTrue();
        assertThat(first.runs()).isEqualTo(60);
    }

    @Test
    void nothingIsLeftThatCouldGoAlone() {
        Minimized found = Minimizer.minimize(run(BUSY), step -> {});
        Scenario small = Scenario.of(found.options());
        for (int i = 0; i < small.parts().size(); i++) {
            List<Scenario.Part> parts = new ArrayList<>(small.parts());
            Scenario.Part part = parts.remove(i);
            if (!List.of("--seed", "--replicas", "--clients", "--ops", "--gst", "--only")
                    .contains(part.option())) {
                SimResult without = Simulation.run(new Scenario(parts).options(), false);
                assertThat(without.violations())
                        .as("without %s", part)
                        .noneMatch(violation -> violation.check() == found.check());
            }
        }
    }

    @Test
    void aReplicaThatDoesNotComeBackIsNotMadeTheCauseOfALackOfProgress() {
        SimResult failing = run("--seed 5 --ops 12 --crash 1@100 --restart 1@200 --pause 2@50..150");
        assertThat(failing.verdict()).isEqualTo(SimResult.Verdict.OK);
        // As if progress were lost in every run in which replica 1 crashes.
        SimResult stuck = withLiveness(failing);
        Minimized found = Minimizer.minimize(
                stuck,
                100,
                options -> {
                    SimResult result = Simulation.run(options, false);
                    return options.faults().isEmpty() ? result : withLiveness(result);
                },
                step -> {});
        assertThat(found.check()).isEqualTo(Check.LIVENESS);
        assertThat(found.options().faults()).hasSize(1);
        assertThat(found.options().ops()).isEqualTo(1);
        assertThat(found.options().clients()).isEqualTo(1);
    }

    private static SimResult withLiveness(SimResult r) {
        return new SimResult(
                r.options(),
                SimResult.Verdict.LIVENESS,
                List.of(new io.pbft.simulator.check.Findings.Violation(Check.LIVENESS, 1, "planted")),
                r.committed(),
                r.answered(),
                r.views(),
                r.virtualMillis(),
                r.wallMillis(),
                r.messages(),
                r.traffic(),
                r.latenciesMicros(),
                r.events(),
                r.traceHash(),
                r.decided(),
                r.tooManyFaulty(),
                r.probes(),
                r.plan(),
                r.trace());
    }

    @Test
    void theRunThatHeldHasNothingToShrink() {
        SimResult fine = run("--seed 1 --ops 3");
        assertThatThrownBy(() -> Minimizer.minimize(fine, step -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("only a run that fails can be made smaller");
    }

    @Test
    void aCommandLineTakenApartAndPutTogetherIsTheSameRun() {
        for (long seed = 0; seed < 200; seed++) {
            SimOptions drawn =
                    io.pbft.simulator.CampaignOptions.parse(List.of()).run(seed);
            assertThat(Scenario.of(drawn).options()).isEqualTo(drawn);
        }
    }
}
