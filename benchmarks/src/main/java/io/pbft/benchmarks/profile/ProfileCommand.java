package io.pbft.benchmarks.profile;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code benchmarks/run profile}: what flight recordings say of where processor time went. */
@Command(
        name = "profile",
        mixinStandardHelpOptions = true,
        description = {
            "Reads flight recordings (JFR) of replicas or clients, and prints the shares of threads and methods.",
            "docs/performance.md says how to record."
        },
        footer = {"Example:", "  benchmarks/run profile recordings/*.jfr"})
public final class ProfileCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "FILE", description = "Recordings; they are added up.")
    private List<Path> files;

    @Option(names = "--top", defaultValue = "12", description = "Lines a table (${DEFAULT-VALUE}).")
    private int top;

    @Override
    public Integer call() throws Exception {
        Samples samples = new Samples();
        for (Path file : files) {
            samples.add(file);
        }
        System.out.print(samples.describe(top));
        return 0;
    }
}
