package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a replica whose disk fails, lies or is slow, and of the cluster around it. */
class DiskFaultsTest {
    private static SimResult run(String line) {
        return Simulation.run(SimOptions.parse(List.of(line.split(" "))), true);
    }

    private static void ok(SimResult result) {
        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isEqualTo(SimResult.Verdict.OK);
        assertThat(result.answered()).isEqualTo(result.options().ops());
    }

    private static List<String> lines(SimResult result, String... parts) {
        return result.trace()
                .lines()
                .filter(line -> List.of(parts).stream().allMatch(line::contains))
                .toList();
    }

    private static long time(String line) {
        return Long.parseLong(line.replaceAll("\\{\"t\":([0-9]+),.*", "$1"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void aReplicaWhoseDiskReportsAnErrorHaltsAndComesBackWhenItIsOver(int replica) {
        SimResult result = run("--seed 21 --fail-disk " + replica + "@60..400");
        ok(result);
        String at = "\"at\":\"r" + replica + "\"";
        List<String> halts = lines(result, "\"e\":\"halt\"", at, "StorageFailure");
        assertThat(halts).hasSize(1);
        long halted = time(halts.get(0));
        assertThat(lines(result, "\"e\":\"send\"", "\"from\":\"r" + replica + "\""))
                .noneMatch(line -> time(line) > halted && time(line) < 400_000);
        assertThat(lines(result, "\"e\":\"start\"", at)).hasSize(2);
        // A failing disk loses nothing that was durable: such a replica is not faulty.
        assertThat(result.options().faulty()).isEmpty();
    }

    @Test
    void aClusterWhoseDisksAllFailAtOnceGoesOnFromWhatIsDurable() {
        SimResult result = run("--seed 22 --fail-disk 0@100..450 --fail-disk 1@100..500 --fail-disk 2@100..450"
                + " --fail-disk 3@110..470");
        ok(result);
        assertThat(lines(result, "\"e\":\"halt\"", "StorageFailure")).hasSize(4);
    }

    @Test
    void aSlowDiskHoldsUpItsReplicaAlone() {
        SimResult result = run("--seed 23 --slow-disk 2@0..5000 --disk-latency 500us..1ms");
        ok(result);
        assertThat(result.views()).isZero();
        long executed = time(
                lines(result, "\"e\":\"execute\"", "\"at\":\"r1\"", "\"a\":5,").get(0));
        String prepare = "\"m\":\"PREPARE\",\"view\":0,\"seq\":5,";
        assertThat(time(lines(result, "\"e\":\"send\"", "\"from\":\"r2\"", prepare)
                        .get(0)))
                .isGreaterThan(executed);
    }

    @Test
    void flippedBitsOnDiskAreFoundAndTheReplicaDoesNotStart() {
        SimResult result = run("--seed 24 --corrupt-disk 1@50 --crash 1@200 --restart 1@300");
        ok(result);
        assertThat(lines(result, "\"e\":\"halt\"", "\"at\":\"r1\"", "is damaged"))
                .hasSize(1);
        assertThat(result.options().faulty()).containsExactly(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {25, 26, 27})
    void writesThatLandElsewhereAreFoundAndTheReplicaDoesNotStart(int seed) {
        SimResult result = run("--seed " + seed + " --misdirect-disk 1@50 --crash 1@200 --restart 1@300");
        ok(result);
        assertThat(result.plan()).anyMatch(decision -> decision.kind().name().equals("MISDIRECT"));
        assertThat(lines(result, "\"e\":\"halt\"", "\"at\":\"r1\"", "is damaged"))
                .hasSize(1);
        assertThat(result.options().faulty()).containsExactly(1);
    }

    @Test
    void bitsFlippedOnTheWayAreRefusedWithoutHarm() {
        SimResult result = run("--seed 28 --flip 0.05 --drop 0.01 --gst 500");
        ok(result);
        assertThat(lines(result, "\"e\":\"spoilt\"")).isNotEmpty();
        // None of the spoilt ones is delivered: neither what no longer decodes nor what does.
        List<String> ids = lines(result, "\"e\":\"spoilt\"").stream()
                .map(line -> line.replaceAll(".*(\"id\":[0-9]+)}", "$1}"))
                .toList();
        assertThat(lines(result, "\"e\":\"deliver\""))
                .noneMatch(line -> ids.stream().anyMatch(line::endsWith));
    }

    @Test
    void theOptionsAreWrittenAsTheyAreRead() {
        String line = "--seed 1 --gst 0ms --misdirect-disk 1@50ms --fail-disk 0@1ms..2ms --slow-disk 3@5ms..7ms";
        assertThat(SimOptions.parse(List.of(line.split(" "))).toCommandLine())
                .isEqualTo("--seed 1 --gst 0ms --misdirect-disk 1@50ms --fail-disk 0@1ms..2ms --slow-disk 3@5ms..7ms");
    }
}
