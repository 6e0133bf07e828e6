package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.simulator.OptionError;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import io.pbft.simulator.check.Findings;
import io.pbft.simulator.minimize.Minimized;
import io.pbft.simulator.minimize.Minimizer;
import io.pbft.simulator.report.HtmlReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code pbft sim}: one simulated run. Its options are the simulator's own, and so are its complaints about them. */
@Command(
        name = "sim",
        description = {
            "Runs a whole cluster in virtual time, with faults.",
            "The same seed and options give the same run, byte for byte, on every machine. Exits with 1 where something"
                    + " that has to hold did not."
        },
        customSynopsis = {"pbft sim [OPTIONS]", "pbft sim campaign --seeds A..B [--shard K/M] [OPTIONS]"},
        subcommands = {SimCampaignCommand.class, SimScaleCommand.class},
        footer = {
            "Options (times in milliseconds or as 300us, 1.5s; probabilities from 0 to 1; replicas and clients counted"
                    + " from 0):",
            "  --seed S --replicas N --clients C --ops M --workload kv|append|counter --think T --read-share P",
            "  --byzantine I=BEHAVIOUR[:ARG][@T1..T2][,BEHAVIOUR...]   replica I lies; repeatable",
            "  --byzantine-client J=BEHAVIOUR[,...]           client J lies; repeatable",
            "  --latency MIN..MAX --tail P --drop P --drop-type TYPE=P --duplicate P --reorder P --topology lan|wan5",
            "  --partition T1..T2:{0,1}|{2,3} --cut T1..T2:A>B --gst T   (the time from which the network is stable)",
            "  --crash I@T --restart I@T --pause I@T1..T2",
            "  --lose-disk I@T --corrupt-disk I@T --misdirect-disk I@T --fail-disk I@T1..T2 --slow-disk I@T1..T2",
            "  --clock-skew I=MS --clock-drift PPM --disk-latency MIN..MAX --crypto fast|real --codec --flip P",
            "  --parameters FIELD=NUMBER[,...]   of the protocol: window=32, requestTimeoutMillis=300 and so on",
            "  --without ID,... --only ID,...    decisions of chance that are taken out, or all that are left",
            "  --json --trace FILE.jsonl",
            "  --report FILE.html   the run as a picture, in one file that any browser opens; a run that fails is made",
            "               as small as possible first, and the page holds both",
            "  --minimize   a failing run is made as small as possible: fewer faults, operations, replicas",
            "Behaviours of a replica:",
            "  as primary   silent, equivocate, wrong-digest, delay=MS, censor=CLIENT, reorder, withhold-bodies,",
            "               sequence-jump, bad-time, stale-view, old-requests",
            "  always       mute, crash, lie-reply, lie-read, forge-signature, bad-checkpoint, bad-state-chunk,",
            "               conflicting-view-change, view-change-spam, bad-new-view, replay, flood, selective=IDS,",
            "               random, twin, collude (all that have it lie together)",
            "  to clients   other-cluster, false-view, refuse, flood-clients",
            "Behaviours of a client: forge, replay, partial-send, conflicting-requests, number-jump, flood,",
            "               hoard (large results that it never acknowledges), greedy (asks and does not wait)",
            "",
            "Examples:",
            "  pbft sim --seed 7",
            "  pbft sim --seed 7 --byzantine 0=equivocate --drop 0.05 --crash 1@500 --restart 1@900 --json",
            "  pbft sim --byzantine 0=twin --byzantine 1=twin        more than f: the run says so, and safety may break"
        })
final class SimCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        SimOptions options = options(SimOptions::parse, spec.commandLine().getUnmatchedArguments());
        SimResult result = Simulation.run(options);
        options.output().trace().ifPresent(file -> write("--trace", file, result.trace()));
        boolean failed = result.verdict() != SimResult.Verdict.OK;
        boolean smaller =
                options.output().minimize() || options.output().report().isPresent();
        // A picture of a failed run shows the smallest one first: a few messages can be read, some thousands cannot.
        Optional<Minimized> smallest =
                failed && smaller ? Optional.of(Minimizer.minimize(result, this::tell)) : Optional.empty();
        options.output().report().ifPresent(file -> write("--report", file, page(result, smallest)));
        PrintWriter out = spec.commandLine().getOut();
        if (options.output().json()) {
            ObjectNode json = result.toJson();
            smallest.ifPresent(found -> {
                ObjectNode minimized = json.putObject("minimized");
                minimized.put("runs", found.runs());
                minimized.put("exhausted", found.exhausted());
                minimized.set("result", found.result().toJson());
            });
            Json.print(out, json);
        } else {
            print(result, out);
            smallest.ifPresent(found -> {
                out.println();
                out.println("The smallest run found that fails likewise, after " + found.runs() + " runs"
                        + (found.exhausted() ? ", the most that are tried:" : ":"));
                print(found.result(), out);
            });
        }
        out.flush();
        return result.verdict() == SimResult.Verdict.OK ? Exit.OK : Exit.DOES_NOT_HOLD;
    }

    private static String page(SimResult result, Optional<Minimized> smallest) {
        return smallest.map(found -> HtmlReport.render(result, Simulation.run(found.options(), true)))
                .orElseGet(() -> HtmlReport.render(result));
    }

    private void tell(Minimized found) {
        PrintWriter err = spec.commandLine().getErr();
        SimOptions options = found.options();
        err.println(found.runs() + " runs: still " + found.check().label() + " with "
                + options.toArguments().size() / 2
                + " options, " + options.ops() + " operations, "
                + found.result().plan().size() + " faults of chance");
        err.flush();
    }

    /** Reads the simulator's options. */
    static <T> T options(Function<List<String>, T> parser, List<String> words) {
        try {
            return parser.apply(words);
        } catch (OptionError e) {
            throw CliException.usage(String.valueOf(e.getMessage()), e);
        } catch (IllegalArgumentException e) {
            throw CliException.usage("these options do not go together: " + e.getMessage(), e);
        }
    }

    private static void write(String option, String file, String content) {
        try {
            Files.writeString(Path.of(file), content);
        } catch (IOException | InvalidPathException e) {
            throw CliException.usage(option + ": cannot write " + file + ": " + e, e);
        }
    }

    private static void print(SimResult result, PrintWriter out) {
        if (result.tooManyFaulty()) {
            out.println("More than f = " + result.options().quorum().faulty()
                    + " replicas are faulty: nothing is promised, and safety may break.");
        }
        out.println(String.format(
                Locale.ROOT,
                "%s: %d of %d operations answered, %d views, %d messages, %.1f s of virtual time in %.1f s",
                result.verdict().label(),
                result.answered(),
                result.options().ops(),
                result.views(),
                result.messages(),
                result.virtualMillis() / 1e3,
                result.wallMillis() / 1e3));
        for (Findings.Violation violation : result.violations()) {
            out.println(String.format(
                    Locale.ROOT,
                    "  %s at %.1f ms: %s",
                    violation.check().label(),
                    violation.atMicros() / 1e3,
                    violation.text()));
        }
        out.println("Again with: " + result.command());
    }
}
