package io.pbft.simulator.planted;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;

/**
 * Hunts every planted bug through the default portfolio until the first seed that catches it, and writes down how many seeds that
 * took and which checker fired. Much too long for every build, so its name is not one of a test's: it runs when it is asked for
 * with {@code -Dtest=PlantedBugsCampaign}. Properties: {@code planted.seeds} (how many at most, 10000), {@code planted.first} (1),
 * {@code planted.seconds} (for each bug, 600), {@code planted.only} (names, between commas), {@code planted.replicas} (4),
 * {@code planted.threads}, {@code planted.out} (a directory for {@code planted-bugs.md} and {@code planted-bugs.json}).
 */
class PlantedBugsCampaign {
    private record Hunted(PlantedBug bug, long seeds, long seed, String violation, long millis) {
        boolean caught() {
            return !violation.isEmpty();
        }

        String check() {
            return caught() ? violation.substring(0, violation.indexOf(':')) : "";
        }
    }

    private final long first = Long.getLong("planted.first", 1);
    private final long seeds = Long.getLong("planted.seeds", 10_000);
    private final long nanos = Long.getLong("planted.seconds", 600) * 1_000_000_000L;
    private final int replicas = Integer.getInteger("planted.replicas", 4);
    private final int threads =
            Integer.getInteger("planted.threads", Runtime.getRuntime().availableProcessors());
    private final LongFunction<String> product = PlantedProduct.unchanged(replicas);

    @Test
    void everyPlantedBugIsCaught() throws IOException, InterruptedException, ExecutionException {
        List<String> only = List.of(System.getProperty("planted.only", "").split(","));
        List<PlantedBug> bugs = PlantedBug.all().stream()
                .filter(bug -> only.contains("") || only.contains(bug.name()))
                .toList();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Hunted> hunted = new ArrayList<>();
        try {
            List<Future<Hunted>> running =
                    bugs.stream().map(bug -> pool.submit(() -> hunt(bug))).toList();
            for (Future<Hunted> one : running) {
                hunted.add(one.get());
            }
        } finally {
            pool.shutdownNow();
        }
        write(hunted);
        assertThat(hunted.stream().filter(one -> !one.caught()).map(one -> one.bug.name()))
                .as("bugs that survived")
                .isEmpty();
    }

    private Hunted hunt(PlantedBug bug) {
        long started = System.nanoTime();
        LongFunction<String> planted = PlantedProduct.with(bug, replicas);
        long seed = first;
        String violation = "";
        while (violation.isEmpty() && seed < first + seeds && System.nanoTime() - started < nanos) {
            violation = planted.apply(seed++);
        }
        if (!violation.isEmpty()) {
            assertThat(product.apply(seed - 1))
                    .as("the product itself, seed %d", seed - 1)
                    .isEmpty();
        }
        Hunted hunted = new Hunted(bug, seed - first, seed - 1, violation, (System.nanoTime() - started) / 1_000_000);
        System.out.println(bug.name() + " " + hunted.seeds + " seeds, " + hunted.millis + " ms: "
                + (hunted.caught() ? violation : "SURVIVES"));
        return hunted;
    }

    private void write(List<Hunted> hunted) throws IOException {
        String out = System.getProperty("planted.out", "");
        if (out.isEmpty()) {
            return;
        }
        StringBuilder table =
                new StringBuilder("| planted bug | rule that it breaks | seeds | caught by |\n|---|---|---:|---|\n");
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("replicas", replicas).put("first", first).put("seedsMax", seeds);
        for (Hunted one : hunted) {
            table.append("| ").append(one.bug.name()).append(" | ").append(one.bug.rule());
            table.append(" | ").append(one.caught() ? "" : "> ").append(one.seeds);
            table.append(" | ").append(one.caught() ? one.check() : "**none**").append(" |\n");
            ObjectNode row = json.withArray("bugs").addObject();
            row.put("name", one.bug.name()).put("rule", one.bug.rule()).put("caught", one.caught());
            row.put("seeds", one.seeds).put("millis", one.millis);
            if (one.caught()) {
                row.put("check", one.check()).put("seed", one.seed).put("violation", one.violation);
            }
        }
        Files.writeString(Path.of(out, "planted-bugs-table.md"), table);
        Files.writeString(
                Path.of(out, "planted-bugs.json"),
                new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
    }
}
