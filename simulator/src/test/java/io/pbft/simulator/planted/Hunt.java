package io.pbft.simulator.planted;

import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import io.pbft.simulator.Swarm;
import io.pbft.simulator.check.Findings;
import java.util.List;
import java.util.function.LongFunction;
import java.util.regex.Pattern;

/**
 * Runs seeds of the default portfolio. {@link PlantedProduct} loads it anew for each bug, so what goes in and comes out are types
 * of the JDK: a seed, and what was violated first, as {@code CHECK: TEXT}; empty where all was well.
 */
public final class Hunt implements LongFunction<String> {
    private final SimOptions base;
    private final Pattern aim;

    /** @param aim a regular expression: only runs whose command line has a match for it are run */
    public Hunt(int replicas, String aim) {
        this.aim = Pattern.compile(aim, Pattern.CASE_INSENSITIVE);
        base = SimOptions.parse(List.of("--replicas", Integer.toString(replicas)));
    }

    @Override
    public String apply(long seed) {
        SimOptions options = Swarm.drawMoreThanF(seed, base);
        if (!aim.matcher(options.toCommandLine()).find()) {
            return "";
        }
        SimResult result = Simulation.run(options, false);
        if (result.verdict() == SimResult.Verdict.OK) {
            return "";
        }
        Findings.Violation first = result.violations().get(0);
        return first.check().label() + ": " + first.text();
    }
}
