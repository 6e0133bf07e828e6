package io.pbft.simulator.byzantine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each behaviour does what its name says: the message that a correct replica would not have sent is in the trace. */
class BehavioursTest {
    private static SimResult run(String line) {
        return Simulation.run(SimOptions.parse(List.of(line.split(" "))), true);
    }

    private static long count(SimResult result, String... parts) {
        return result.trace()
                .lines()
                .filter(line -> List.of(parts).stream().allMatch(line::contains))
                .count();
    }

    private static void safe(SimResult result) {
        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isNotEqualTo(SimResult.Verdict.SAFETY);
    }

    @ParameterizedTest
    @CsvSource({
        "silent, withhold",
        "equivocate, lie",
        "wrong-digest, lie",
        "delay=50, delay",
        "censor=0, withhold",
        "reorder, delay",
        "withhold-bodies, lie",
        "sequence-jump, lie",
        "bad-time, lie",
        "stale-view, lie",
        "mute, withhold",
        "lie-reply, lie",
        "forge-signature, lie",
        "bad-checkpoint, lie",
        "view-change-spam, lie",
        "replay, lie",
        "flood, lie",
        "'selective=1,2', withhold",
        "random, lie",
    })
    void theLieIsInTheTrace(String behaviour, String event) {
        SimResult result = run("--seed 3 --ops 24 --byzantine 0=" + behaviour);
        String name = behaviour.split("=")[0];
        assertThat(count(result, "\"e\":\"" + event + "\"", "\"at\":\"r0\"", "\"detail\":\"" + name + "\""))
                .isPositive();
        safe(result);
    }

    @Test
    void aLiarTellsReadersOfAStateThatIsOver() {
        SimResult result = run("--seed 4 --read-share 0.6 --byzantine 2=lie-read");
        assertThat(count(result, "\"e\":\"lie\"", "lie-read")).isPositive();
        safe(result);
    }

    @Test
    void equivocationIsTwoProposalsForOneSequenceNumber() {
        SimResult result = run("--seed 3 --ops 24 --byzantine 0=equivocate");
        List<String> digests = result.trace()
                .lines()
                .filter(line -> line.contains("\"e\":\"send\"")
                        && line.contains("\"from\":\"r0\"")
                        && line.contains("PROPOSAL")
                        && line.contains("\"view\":0,\"seq\":1,"))
                .map(line -> line.replaceAll(".*\"digest\":\"([0-9a-f]+)\".*", "$1"))
                .distinct()
                .toList();
        assertThat(digests).hasSize(2);
    }

    @Test
    void aSilentPrimaryIsReplaced() {
        SimResult result = run("--seed 5 --ops 12 --byzantine 0=silent");
        assertThat(result.views()).isPositive();
        assertThat(result.answered()).isEqualTo(12);
    }

    @Test
    void aMuteReplicaSendsNothing() {
        SimResult result = run("--seed 6 --ops 12 --byzantine 3=mute");
        assertThat(count(result, "\"e\":\"send\"", "\"from\":\"r3\"")).isZero();
        assertThat(count(result, "\"e\":\"deliver\"", "\"to\":\"r3\"")).isPositive();
    }

    @Test
    void aCrashedReplicaIsGoneFromItsTimeOn() {
        SimResult result = run("--seed 6 --ops 12 --byzantine 3=crash@40..3600s");
        assertThat(count(result, "\"e\":\"crash\"", "\"at\":\"r3\"")).isEqualTo(1);
        assertThat(result.answered()).isEqualTo(12);
    }

    @Test
    void liesAboutViewChangesAreToldWhenViewsChange() {
        SimResult conflicting =
                run("--seed 7 --ops 24 --byzantine 1=conflicting-view-change --crash 0@100 --restart 0@900");
        assertThat(count(conflicting, "\"e\":\"lie\"", "conflicting-view-change"))
                .isPositive();
        safe(conflicting);
        SimResult badNewView = run("--seed 7 --ops 24 --byzantine 1=bad-new-view --crash 0@100 --restart 0@900");
        assertThat(count(badNewView, "\"e\":\"lie\"", "bad-new-view")).isPositive();
        safe(badNewView);
    }

    @Test
    void twinsAreTwoHalvesWithOneKey() {
        SimResult result = run("--seed 8 --byzantine 0=twin");
        assertThat(count(result, "\"e\":\"start\"", "\"at\":\"r0'\"")).isEqualTo(1);
        assertThat(count(result, "\"e\":\"send\"", "\"from\":\"r0'\"")).isPositive();
        safe(result);
    }

    @Test
    void aBehaviourEndsWhenItsTimeIsOver() {
        SimResult result = run("--seed 9 --byzantine 3=mute@0..100");
        long first = result.trace()
                .lines()
                .filter(line -> line.contains("\"e\":\"send\"") && line.contains("\"from\":\"r3\""))
                .map(line -> Long.valueOf(line.replaceAll("\\{\"t\":([0-9]+),.*", "$1")))
                .findFirst()
                .orElseThrow();
        assertThat(first).isGreaterThanOrEqualTo(100_000);
    }

    @ParameterizedTest
    @CsvSource({
        "forge, lie",
        "replay, lie",
        "partial-send, withhold",
        "conflicting-requests, lie",
        "number-jump, lie",
        "flood, lie",
    })
    void aByzantineClientDoesNoHarmToOthers(String behaviour, String event) {
        SimResult result = run("--seed 10 --clients 3 --ops 36 --byzantine-client 1=" + behaviour);
        assertThat(count(result, "\"e\":\"" + event + "\"", "\"at\":\"c1\"", "\"detail\":\"" + behaviour + "\""))
                .isPositive();
        safe(result);
        assertThat(result.violations()).isEmpty();
    }
}
