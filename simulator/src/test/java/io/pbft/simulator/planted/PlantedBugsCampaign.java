package io.pbft.simulator.planted;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hunts every planted bug through the default portfolio, from seed 1 on, until the first seed that catches it, and writes down
 * how many seeds that took and which checker fired. Much too long for every build, so its name is not that of a test: it
 * runs when asked for, with {@code -Dtest=PlantedBugsCampaign}. System properties:
 *
 * <ul>
 *   <li>{@code planted.only}: names, between commas; all bugs otherwise;
 *   <li>{@code planted.seeds}: how many at most, 10000; {@code planted.seconds}: how long at most for each bug, 60;
 *   <li>{@code planted.total}: seconds after which no further bug is begun, 3600;
 *   <li>{@code planted.aimed=true}: runs only the seeds that the bug's aim fits, which finds rare ones sooner: the seed that
 *       fails is then an upper bound, and is marked as one. A hunt of all seeds that is to follow begins at the first;
 *   <li>{@code planted.replicas}: 4; {@code planted.threads}: as many as there are processors;
 *   <li>{@code planted.out}: the directory of {@code planted-bugs.json}, which is carried on: a bug that was caught rests
 *       unless {@code planted.only} names it, one that got away is hunted from where it was left, the least hunted first.
 *       The table in {@code planted-bugs.md} beside it, below the marked line, is written anew.
 * </ul>
 */
class PlantedBugsCampaign {
    private static final Logger LOG = LoggerFactory.getLogger(PlantedBugsCampaign.class);

    private static final String MARK = "<!-- What follows is written by PlantedBugsCampaign. -->";

    private final List<String> only =
            List.of(System.getProperty("planted.only", "").split(","));
    private final long seedsMax = Long.getLong("planted.seeds", 10_000);
    private final long nanosMax = seconds("planted.seconds", 60);
    private final long deadline = System.nanoTime() + seconds("planted.total", 3_600);
    private final int replicas = Integer.getInteger("planted.replicas", 4);
    private final boolean aimed = Boolean.getBoolean("planted.aimed");
    private final int threads =
            Integer.getInteger("planted.threads", Runtime.getRuntime().availableProcessors());
    private final String out = System.getProperty("planted.out", "");
    private final LongFunction<String> product = PlantedProduct.unchanged(replicas);
    private final ObjectMapper mapper = new ObjectMapper();
    private final ObjectNode results = read();

    private static long seconds(String property, long otherwise) {
        return Long.getLong(property, otherwise) * 1_000_000_000L;
    }

    @Test
    void everyPlantedBugIsCaught() throws InterruptedException, ExecutionException {
        List<PlantedBug> bugs = PlantedBug.all();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> running = bugs.stream()
                    .filter(this::isWanted)
                    .sorted(Comparator.comparingLong(this::seedsSoFar))
                    .<Future<?>>map(bug -> pool.submit(() -> hunt(bug)))
                    .toList();
            for (Future<?> one : running) {
                one.get();
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(bugs.stream().map(PlantedBug::name).filter(name -> isNamed(name) && !caught(name)))
                .as("planted bugs that were not caught")
                .isEmpty();
    }

    private boolean isNamed(String name) {
        return only.contains("") || only.contains(name);
    }

    private boolean caught(String name) {
        return results.path(name).has("check");
    }

    private boolean isWanted(PlantedBug bug) {
        if (aimed && bug.aim().isEmpty()) {
            return false;
        }
        return only.contains("") ? !caught(bug.name()) : only.contains(bug.name());
    }

    private long seedsSoFar(PlantedBug bug) {
        JsonNode row = results.path(bug.name());
        return row.has("aimed") == aimed ? row.path("seeds").asLong(0) : 0;
    }

    private void hunt(PlantedBug bug) {
        long started = System.nanoTime();
        long seed;
        synchronized (results) {
            seed = caught(bug.name()) ? 1 : 1 + seedsSoFar(bug);
        }
        if (started > deadline || seed > seedsMax) {
            return;
        }
        LongFunction<String> planted =
                aimed ? PlantedProduct.aimedAt(bug, replicas) : PlantedProduct.with(bug, replicas);
        String violation = planted.apply(seed);
        while (violation.isEmpty() && seed < seedsMax && System.nanoTime() - started < nanosMax) {
            violation = planted.apply(++seed);
        }
        if (!violation.isEmpty()) {
            assertThat(product.apply(seed))
                    .as("the product itself, seed %d", seed)
                    .isEmpty();
        }
        synchronized (results) {
            ObjectNode row =
                    results.putObject(bug.name()).put("rule", bug.rule()).put("seeds", seed);
            if (aimed) {
                row.put("aimed", true);
            }
            if (!violation.isEmpty()) {
                row.put("check", violation.substring(0, violation.indexOf(':'))).put("violation", violation);
            }
            write();
            LOG.info(
                    "{}: {} seeds, {} ms: {}",
                    bug.name(),
                    seed,
                    (System.nanoTime() - started) / 1_000_000,
                    violation.isEmpty() ? "still at large" : violation);
        }
    }

    private ObjectNode read() {
        Path file = Path.of(out, "planted-bugs.json");
        try {
            return out.isEmpty() || !Files.exists(file)
                    ? JsonNodeFactory.instance.objectNode()
                    : (ObjectNode) mapper.readTree(Files.readString(file)).path("n = " + replicas);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write() {
        if (out.isEmpty()) {
            return;
        }
        StringBuilder table =
                new StringBuilder("\n\n| planted bug | what is wrong | seeds | caught by |\n|---|---|---:|---|\n");
        ObjectNode inOrder = JsonNodeFactory.instance.objectNode();
        for (PlantedBug bug : PlantedBug.all()) {
            JsonNode row = results.path(bug.name());
            if (row.isMissingNode()) {
                continue;
            }
            inOrder.set(bug.name(), row);
            boolean caught = caught(bug.name());
            table.append("| `").append(bug.name()).append("` | ").append(bug.rule());
            table.append(" | ")
                    .append(caught ? row.has("aimed") ? "≤ " : "" : "> ")
                    .append(row.path("seeds").asLong());
            table.append(" | ")
                    .append(caught ? row.path("check").asText() : "**nothing**")
                    .append(" |\n");
        }
        try {
            ObjectNode json = JsonNodeFactory.instance.objectNode().set("n = " + replicas, inOrder);
            Path page = Path.of(out, "planted-bugs.md");
            String head = Files.exists(page) ? Files.readString(page) : MARK;
            Files.writeString(page, head.substring(0, head.indexOf(MARK)) + MARK + table);
            Files.writeString(
                    Path.of(out, "planted-bugs.json"),
                    mapper.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
