package io.pbft.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Everything measured so far, in a file that only grows. NOT thread-safe. */
final class Results {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final List<Outcome> outcomes = new ArrayList<>();

    private Results(Path file) {
        this.file = file;
    }

    static Results in(Path directory) throws IOException {
        Files.createDirectories(directory);
        Results results = new Results(directory.resolve("raw.jsonl"));
        if (Files.exists(results.file)) {
            for (String line : Files.readAllLines(results.file)) {
                results.outcomes.add(JSON.readValue(line, Outcome.class));
            }
        }
        return results;
    }

    void add(Outcome outcome) throws IOException {
        outcomes.add(outcome);
        Files.writeString(
                file,
                JSON.writeValueAsString(outcome) + System.lineSeparator(),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    List<Outcome> outcomes() {
        return List.copyOf(outcomes);
    }

    boolean has(int round, String service, Cell cell) {
        return outcomes.stream()
                .anyMatch(outcome -> outcome.round() == round
                        && outcome.service().equals(service)
                        && outcome.cell().equals(cell));
    }

    /** The throughput of a cell, or 0 where it has not been measured. */
    double perSecond(int round, String service, Cell cell) {
        return outcomes.stream()
                .filter(outcome -> outcome.round() == round
                        && outcome.service().equals(service)
                        && outcome.cell().equals(cell))
                .mapToDouble(Outcome::perSecond)
                .findFirst()
                .orElse(0);
    }
}
