package io.pbft.simulator.minimize;

import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.check.Check;

/**
 * The smallest run found so far that still fails.
 *
 * @param check what fails in it, as in the run that it was made from
 * @param options the run; {@link SimOptions#toCommandLine} replays it
 * @param result what came of it
 * @param runs runs that it took
 * @param exhausted whether the limit of runs ended the search: then more could be left out
 */
public record Minimized(Check check, SimOptions options, SimResult result, int runs, boolean exhausted) {}
