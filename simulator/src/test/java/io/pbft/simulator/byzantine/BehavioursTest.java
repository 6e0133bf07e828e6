package io.pbft.simulator.byzantine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.simulator.SimOptions;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Simulation;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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
    void anOldRequestIsOrderedAgainAndOneStandsTwiceInABatch() {
        SimResult result = run("--seed 3 --ops 48 --clients 4 --byzantine 0=replay");
        assertThat(count(result, "\"e\":\"lie\"", "\"at\":\"r0\"", "PROPOSAL", "\"detail\":\"replay\""))
                .isPositive();
        assertThat(result.probes()).containsKey("rejected DUPLICATE_REQUEST");
        assertThat(result.answered()).isEqualTo(48);
        safe(result);
    }

    @Test
    void clientsAreAnsweredWithWhatTheyAndOthersWereToldBefore() {
        SimResult result = run("--seed 3 --ops 48 --clients 4 --read-share 0.4 --byzantine 1=replay");
        List<String> again = result.trace()
                .lines()
                .filter(line -> line.contains("\"e\":\"lie\"") && line.contains("\"at\":\"r1\""))
                .filter(line -> line.contains("\"detail\":\"replay\",\"to\":\"c"))
                .map(line -> field(line, "key"))
                .toList();
        for (String type : List.of("REPLY", "READ_REPLY")) {
            assertThat(result.trace().lines())
                    .anyMatch(line -> line.contains("\"e\":\"send\",\"from\":\"r1\"")
                            && line.contains("\"m\":\"" + type + "\"")
                            && again.contains(field(line, "key")));
        }
        assertThat(result.answered()).isEqualTo(48);
        safe(result);
    }

    @Test
    void whoFloodsSaysWhatNoFieldMayHold() {
        SimResult result = run("--seed 3 --ops 24 --byzantine 0=flood");
        assertThat(result.probes()).containsKey("rejected BAD_FIELD");
        safe(result);
        safe(run("--seed 3 --ops 24 --codec --byzantine 0=flood"));
    }

    @Test
    void aDecisionOfOneIsNoDecision() {
        SimResult result = run("--seed 3 --ops 24 --byzantine 2=forge-signature");
        assertThat(count(result, "\"e\":\"send\"", "\"from\":\"r2\"", "DECISION"))
                .isPositive();
        assertThat(result.answered()).isEqualTo(24);
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
        "hoard, lie",
        "flood, lie",
    })
    void aByzantineClientDoesNoHarmToOthers(String behaviour, String event) {
        SimResult result = run("--seed 10 --clients 3 --ops 36 --byzantine-client 1=" + behaviour);
        assertThat(count(result, "\"e\":\"" + event + "\"", "\"at\":\"c1\"", "\"detail\":\"" + behaviour + "\""))
                .isPositive();
        safe(result);
        assertThat(result.violations()).isEmpty();
    }

    /** From the trace: what a replica told each receiver in each slot of view 0, as {@code seq>receiver} to digest. */
    private static Map<String, String> told(SimResult result, String from, String type) {
        Map<String, String> told = new TreeMap<>();
        result.trace()
                .lines()
                .filter(line -> line.contains("\"e\":\"send\"")
                        && line.contains("\"from\":\"" + from + "\"")
                        && line.contains("\"m\":\"" + type + "\",\"view\":0,"))
                .forEach(line -> told.put(field(line, "seq") + ">" + field(line, "to"), field(line, "digest")));
        return told;
    }

    private static String field(String line, String name) {
        return line.replaceAll(".*\"" + name + "\":\"?([^\",}]*).*", "$1");
    }

    @Test
    void colludersBackToEachReceiverWhatItWasToldByTheOther() {
        SimResult result = run("--seed 31 --replicas 7 --ops 24 --byzantine 0=collude --byzantine 1=collude");
        safe(result);
        Map<String, String> proposals = told(result, "r0", "PROPOSAL");
        Map<String, String> prepares = told(result, "r1", "PREPARE");
        long lies = count(result, "\"e\":\"lie\"", "\"at\":\"r1\"", "\"detail\":\"collude\"", "\"m\":\"PREPARE\"");
        assertThat(lies).isPositive();
        int compared = 0;
        for (Map.Entry<String, String> prepare : prepares.entrySet()) {
            String proposal = proposals.get(prepare.getKey());
            if (proposal != null) {
                assertThat(prepare.getValue()).as(prepare.getKey()).isEqualTo(proposal);
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(10);
        // A correct replica says the same to all.
        assertThat(told(result, "r2", "PREPARE").keySet()).isNotEmpty();
    }

    @Test
    void aColluderShowsCertificatesThatItDidNotHaveOrHidesThoseItHas() {
        SimResult result = run("--seed 32 --replicas 7 --ops 36 --byzantine 1=collude --byzantine 0=collude"
                + " --pause 2@50..600 --pause 3@120..700");
        safe(result);
        List<String> lies = result.trace()
                .lines()
                .filter(line -> line.contains("\"e\":\"lie\"") && line.contains("\"m\":\"VIEW_CHANGE\""))
                .toList();
        assertThat(lies).isNotEmpty();
    }

    @Test
    void aColluderHoldsItsCommitBackUntilTheViewIsLeft() {
        SimResult result = run("--seed 33 --replicas 7 --ops 48 --byzantine 0=collude --byzantine 1=collude"
                + " --crash 6@200 --restart 6@900");
        safe(result);
        assertThat(count(result, "\"e\":\"withhold\"", "\"detail\":\"collude\""))
                .isPositive();
    }

    @Test
    void behavioursStandOneBehindTheOtherAndEachHasItsTime() {
        SimResult result =
                run("--seed 34 --clients 2 --byzantine 0=wrong-digest@0..100,delay=20@50..400,mute@400..700");
        safe(result);
        List<String> lies = events(result, "lie", "wrong-digest");
        List<String> delays = events(result, "delay", "delay");
        List<String> silences = events(result, "withhold", "mute");
        assertThat(lies).isNotEmpty().allMatch(line -> time(line) < 100_000);
        assertThat(delays).isNotEmpty().allMatch(line -> time(line) >= 50_000 && time(line) < 400_000);
        assertThat(silences).isNotEmpty().allMatch(line -> time(line) >= 400_000 && time(line) < 700_000);
        // Both at once: what the first made up, the second sends late.
        assertThat(delays.stream().map(line -> field(line, "a")))
                .anyMatch(key -> lies.stream().anyMatch(lie -> field(lie, "a").equals(key)));
    }

    private static List<String> events(SimResult result, String event, String detail) {
        return result.trace()
                .lines()
                .filter(line -> line.contains("\"e\":\"" + event + "\"")
                        && line.contains("\"at\":\"r0\"")
                        && line.contains("\"detail\":\"" + detail + "\""))
                .toList();
    }

    private static long time(String line) {
        return Long.parseLong(field(line, "t"));
    }

    @Test
    void spoiltPartsOfTheStateAreServedAndRefused() {
        // Replica 3 is away for several checkpoints, so that it has to fetch the state, first from the liar.
        SimResult result = run("--seed 37 --ops 96 --byzantine 0=bad-state-chunk --crash 3@50 --restart 3@700");
        assertThat(result.verdict()).isEqualTo(SimResult.Verdict.OK);
        List<String> lies = events(result, "lie", "bad-state-chunk");
        assertThat(lies).isNotEmpty().allMatch(line -> line.contains("\"b\":3,"));
        assertThat(result.trace().lines())
                .anyMatch(line -> line.contains("\"e\":\"send\"")
                        && line.contains("\"from\":\"r3\"")
                        && !line.contains("\"to\":\"r0\"")
                        && line.contains("\"m\":\"STATE_FETCH\"")
                        && time(line) > time(lies.get(0)));
        assertThat(count(result, "\"e\":\"note\"", "\"at\":\"r3\"", "STATE_TRANSFER_FINISHED"))
                .isPositive();
    }
}
