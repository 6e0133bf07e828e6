package io.pbft.cli;

import io.pbft.simulator.Campaign;
import io.pbft.simulator.CampaignOptions;
import io.pbft.simulator.CampaignResult;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code pbft sim campaign}: many simulated runs. */
@Command(
        name = "campaign",
        description = {
            "Runs many seeds, each a different set of faults.",
            "One seed in a hundred runs twice and must give the same trace. Exits with 1 where a seed failed."
        },
        customSynopsis = "pbft sim campaign [--seeds A..B] [--shard K/M] [--threads N] [--plain] [--more-than-f]"
                + " [OPTIONS of sim]",
        footer = {
            "  --seeds A..B   the first and the last seed (0..999)",
            "  --shard K/M    only the K-th of M equal parts, counted from 1",
            "  --threads N    runs side by side (one a processor)",
            "  --plain        every run exactly as the options of sim say, instead of with faults drawn from the seed",
            "  --more-than-f  one replica more than f may be faulty if it has lost its disk: nothing may break",
            "  --json         print one JSON document",
            "",
            "Example:",
            "  pbft sim campaign --seeds 1..10000 --shard 2/4 --json"
        })
final class SimCampaignCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        CampaignOptions options =
                SimCommand.options(CampaignOptions::parse, spec.commandLine().getUnmatchedArguments());
        CampaignResult result = Campaign.run(options, new PrintStream(System.err, true, StandardCharsets.UTF_8));
        if (options.base().output().json()) {
            Json.print(spec.commandLine().getOut(), result.toJson());
        } else {
            spec.commandLine()
                    .getOut()
                    .println(result.count("ok") + " of " + result.count("seeds")
                            + " seeds held everything that they have to");
        }
        return result.ok() ? Exit.OK : Exit.DOES_NOT_HOLD;
    }
}
