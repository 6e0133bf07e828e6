package io.pbft.benchmarks.micro;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code benchmarks/run micro}: JMH. */
@Command(
        name = "micro",
        mixinStandardHelpOptions = true,
        description = {
            "What is hot, one piece at a time, by JMH: signatures, encoding, digests, Merkle trees, a step of the",
            "core, the journal, checkpoints. Options that are not known here go to JMH itself (-h shows them)."
        },
        footer = {
            "Examples:",
            "  benchmarks/run micro --brief              all of them in some minutes",
            "  benchmarks/run micro SignatureBench       one of them, with JMH's own times",
            "  benchmarks/run micro CoreBench -prof gc"
        })
public final class MicroCommand implements Callable<Integer> {
    @Option(names = "--brief", description = "One fork, two warm-ups and three iterations of half a second.")
    private boolean brief;

    @Parameters(paramLabel = "ARG", description = "For JMH: names of benchmarks, options.")
    private @Nullable List<String> arguments;

    @Override
    public Integer call() throws Exception {
        List<String> all = new ArrayList<>();
        if (brief) {
            all.addAll(List.of("-f", "1", "-wi", "2", "-w", "500ms", "-i", "3", "-r", "500ms"));
        }
        all.addAll(List.of("-foe", "true"));
        all.addAll(arguments == null ? List.of() : arguments);
        org.openjdk.jmh.Main.main(all.toArray(String[]::new));
        return 0;
    }
}
