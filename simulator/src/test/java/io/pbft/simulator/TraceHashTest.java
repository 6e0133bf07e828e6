package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The same seeds and options have the same history on every machine and JDK: these histories' hashes are written down. A
 * change of the protocol or of the world changes them, and is then written down anew with {@code -Dhashes.rewrite=true}; a
 * change that is to alter nothing must leave them alone.
 */
class TraceHashTest {
    private static final Path FILE = Path.of("src", "test", "resources", "trace-hashes.txt");

    /** {@code swarm SEED [--replicas N]} stands for what the seed draws. */
    private static SimOptions options(String line) {
        List<String> words = new ArrayList<>(List.of(line.split(" ")));
        if (words.remove("swarm")) {
            long seed = Long.parseLong(words.remove(0));
            return Swarm.draw(seed, SimOptions.parse(words));
        }
        return SimOptions.parse(words);
    }

    private static String hash(String line) {
        return Long.toHexString(Simulation.run(options(line), false).traceHash());
    }

    @Test
    void everyHistoryIsTheOneThatIsWrittenDown() throws IOException {
        List<String> expected = Files.readAllLines(FILE);
        List<String> found = new ArrayList<>();
        for (String line : expected) {
            String run = line.substring(line.indexOf(' ') + 1);
            found.add(hash(run) + " " + run);
        }
        if (Boolean.getBoolean("hashes.rewrite")) {
            Files.writeString(FILE, String.join("\n", found) + "\n");
        } else {
            assertThat(found)
                    .as("where this change is to alter histories: -Dtest=TraceHashTest -Dhashes.rewrite=true")
                    .isEqualTo(expected);
        }
        assertThat(expected).hasSizeGreaterThanOrEqualTo(20);
    }
}
