package io.pbft.simulator.byzantine;

import static io.pbft.simulator.Traced.number;
import static io.pbft.simulator.Traced.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.pbft.simulator.SimResult;
import io.pbft.simulator.Traced;
import io.pbft.simulator.Traced.Said;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What a behaviour says is what its name says: the content of the wrong message, as the trace has it. */
class WrongMessagesTest {
    private static Traced run(String behaviour) {
        Traced traced = Traced.run("--seed 3 --ops 48 --byzantine 0=" + behaviour);
        assertThat(traced.result().verdict())
                .as("%s", traced.result().violations())
                .isEqualTo(SimResult.Verdict.OK);
        return traced;
    }

    private static List<Said> lies(Traced traced, String behaviour) {
        List<Said> lies = traced.lies("r0", behaviour);
        assertThat(lies).as(behaviour).isNotEmpty();
        return lies;
    }

    private static boolean same(Said lie, String field) {
        return text(lie.honest(), field).equals(text(lie.sent(), field));
    }

    @Test
    void theDigestIsNotThatOfTheBatch() {
        assertThat(lies(run("wrong-digest"), "wrong-digest"))
                .allMatch(lie -> text(lie.sent(), "m").equals("PROPOSAL")
                        && same(lie, "seq")
                        && same(lie, "requests")
                        && same(lie, "time")
                        && !same(lie, "digest"));
    }

    @Test
    void theBatchStaysAway() {
        assertThat(lies(run("withhold-bodies"), "withhold-bodies"))
                .allMatch(lie -> text(lie.sent(), "m").equals("PRE_PREPARE")
                        && text(lie.honest(), "m").equals("PROPOSAL")
                        && same(lie, "seq")
                        && same(lie, "digest"));
    }

    @Test
    void theSequenceNumberIsAnother() {
        List<Said> lies = lies(run("sequence-jump"), "sequence-jump");
        assertThat(lies).allMatch(lie -> same(lie, "requests") && !same(lie, "seq"));
        assertThat(lies).anyMatch(lie -> number(lie.sent(), "seq") > number(lie.honest(), "seq"));
    }

    @Test
    void theTimeIsAnother() {
        assertThat(lies(run("bad-time"), "bad-time"))
                .allMatch(lie -> same(lie, "seq") && same(lie, "requests") && !same(lie, "time"));
    }

    @Test
    void theViewIsAnotherOfTheSamePrimary() {
        assertThat(lies(run("stale-view"), "stale-view"))
                .allMatch(lie -> !same(lie, "view") && number(lie.sent(), "view") % 4 == 0);
    }

    @Test
    void theAnswerIsAnother() {
        assertThat(lies(run("lie-reply"), "lie-reply"))
                .allMatch(lie -> text(lie.sent(), "m").equals("REPLY"))
                .anyMatch(lie -> !same(lie, "items"));
    }

    @Test
    void theStateVouchedForIsNobodys() {
        Traced traced = run("bad-checkpoint");
        Map<Long, String> correct = new HashMap<>();
        traced.sent("r1", "CHECKPOINT").forEach(line -> correct.put(number(line, "seq"), text(line, "digest")));
        assertThat(lies(traced, "bad-checkpoint"))
                .allMatch(lie -> same(lie, "seq") && !same(lie, "digest"))
                .allMatch(lie -> !text(lie.sent(), "digest").equals(correct.get(number(lie.sent(), "seq"))))
                .anyMatch(lie -> correct.containsKey(number(lie.sent(), "seq")));
    }

    @Test
    void theNameUnderAMessageIsAnothers() {
        Traced traced = run("forge-signature");
        assertThat(lies(traced, "forge-signature"))
                .anyMatch(lie ->
                        List.of("PREPARE", "COMMIT").contains(text(lie.sent(), "m")) && number(lie.sent(), "by") != 0)
                .anyMatch(lie -> text(lie.sent(), "m").equals("REPLY") && number(lie.sent(), "by") != 0)
                .anyMatch(lie ->
                        text(lie.sent(), "m").equals("PROPOSAL") && same(lie, "requests") && !same(lie, "digest"));
        assertThat(traced.result().probes()).containsKey("rejected BAD_SIGNATURE");
    }

    @Test
    void oneFieldOfAMessageIsAnother() {
        List<Said> lies = lies(run("random"), "random");
        Set<String> changed = new TreeSet<>();
        for (Said lie : lies) {
            lie.honest().fieldNames().forEachRemaining(field -> {
                if (!same(lie, field)) {
                    changed.add(text(lie.honest(), "m") + " " + field);
                }
            });
        }
        assertThat(changed).hasSizeGreaterThan(5);
        assertThat(lies.stream().map(lie -> text(lie.sent(), "to")).distinct()).hasSizeGreaterThan(2);
    }

    @Test
    void whatWasSaidBeforeIsSaidAgain() {
        Traced traced = run("replay");
        Set<String> before = new HashSet<>();
        int again = 0;
        for (JsonNode line : traced.lines()) {
            boolean said = (text(line, "e").equals("deliver")
                            && text(line, "to").equals("r0"))
                    || (text(line, "e").equals("send") && text(line, "from").equals("r0"));
            if (text(line, "e").equals("lie") && !line.has("instead")) {
                again += before.contains(text(line, "key")) ? 1 : 0;
            } else if (said) {
                before.add(text(line, "key"));
            }
        }
        assertThat(again).isGreaterThan(10);
    }

    @Test
    void viewsAreAskedForThatNobodyElseWants() {
        Traced traced = run("view-change-spam");
        assertThat(lies(traced, "view-change-spam"))
                .anyMatch(lie -> text(lie.sent(), "m").equals("VIEW_CHANGE")
                        && number(lie.sent(), "view") > traced.result().views());
    }

    @Test
    void whoFloodsSaysMoreThanTheOthers() {
        Traced traced = run("flood");
        Map<String, Long> from = new HashMap<>();
        traced.events("send", line -> text(line, "from").startsWith("r"))
                .forEach(line -> from.merge(text(line, "from"), 1L, Long::sum));
        assertThat(from.get("r0")).isGreaterThan(from.getOrDefault("r1", 0L) * 5 / 4);
    }

    /** Replica 1 of four lies to clients, and whoever asks has every answer, without an error and without a new session. */
    private static Traced unnoticed(String behaviour) {
        Traced traced = Traced.run("--seed 3 --ops 48 --read-share 0.4 --byzantine 1=" + behaviour);
        SimResult result = traced.result();
        assertThat(result.verdict()).as("%s", result.violations()).isEqualTo(SimResult.Verdict.OK);
        assertThat(result.answered()).isEqualTo(48);
        assertThat(result.views()).isZero();
        assertThat(traced.lies("r1", behaviour)).isNotEmpty();
        assertThat(result.probes().keySet())
                .noneMatch(probe -> probe.startsWith("failed ")
                        || probe.startsWith("answered ")
                        || probe.startsWith("session ended"));
        return traced;
    }

    @Test
    void whatIsRightIsSignedForAnotherCluster() {
        Traced traced = unnoticed("other-cluster");
        List<Said> lies = traced.lies("r1", "other-cluster");
        for (String type : List.of("REPLY", "PREPARE", "COMMIT", "CHECKPOINT")) {
            assertThat(lies).anyMatch(lie -> text(lie.sent(), "m").equals(type));
        }
        assertThat(lies)
                .allMatch(lie -> number(lie.sent(), "by") == 1
                        && List.of("m", "view", "seq", "digest", "items").stream()
                                .allMatch(field -> same(lie, field)));
        // Nothing in it is wrong but for what it was signed with.
        Set<String> keys = new HashSet<>();
        lies.stream()
                .filter(lie -> text(lie.sent(), "to").equals("r2"))
                .forEach(lie -> keys.add(text(lie.sent(), "key")));
        assertThat(traced.events("reject", line -> text(line, "detail").equals("BAD_SIGNATURE")))
                .anyMatch(line -> keys.contains(Long.toHexString(number(line, "a"))));
    }

    @Test
    void clientsAreToldOfAViewThatIsToComeAndAskNobodyElseForIt() {
        Traced traced = unnoticed("false-view");
        List<Said> lies = traced.lies("r1", "false-view");
        assertThat(lies)
                .allMatch(lie -> same(lie, "items") && number(lie.sent(), "view") > number(lie.honest(), "view"))
                .anyMatch(lie -> number(lie.sent(), "view") < 10)
                .anyMatch(lie -> number(lie.sent(), "view") > 1_000 && number(lie.sent(), "view") % 4 == 1);
        assertThat(traced.events(
                        "send",
                        line -> text(line, "from").startsWith("c")
                                && text(line, "m").equals("REQUEST")))
                .isNotEmpty()
                .allMatch(line -> text(line, "to").equals("r0"));
    }

    @Test
    void clientsAreToldOfAViewThatIsOver() {
        Traced traced = Traced.run("--seed 7 --ops 48 --byzantine 2=false-view --crash 0@100 --restart 0@1500");
        assertThat(traced.result().verdict()).isEqualTo(SimResult.Verdict.OK);
        assertThat(traced.result().answered()).isEqualTo(48);
        assertThat(traced.lies("r2", "false-view"))
                .anyMatch(lie -> same(lie, "items") && number(lie.sent(), "view") < number(lie.honest(), "view"));
    }

    @Test
    void requestsAreRefusedAtOnceAndInPlaceOfTheAnswerAndSuchAsNobodySent() {
        Traced traced = unnoticed("refuse");
        List<Said> lies = traced.lies("r1", "refuse");
        assertThat(lies)
                .allMatch(lie -> text(lie.sent(), "m").equals("REFUSAL"))
                .anyMatch(lie -> text(lie.sent(), "reason").equals("OVERLOADED"))
                .anyMatch(lie -> text(lie.sent(), "reason").equals("SESSION_EXPIRED"))
                .anyMatch(lie -> text(lie.honest(), "m").equals("REPLY"));
        long last = traced.events("ask", line -> true).size();
        assertThat(lies).anyMatch(lie -> number(lie.sent(), "number") > last);
    }

    @Test
    void whatIsToBeOrderedIsRefusedBeforeItIsOrdered() {
        Traced traced = run("refuse");
        List<Said> premature = lies(traced, "refuse").stream()
                .filter(lie -> lie.honest().isMissingNode())
                .toList();
        Set<Long> epochs = new HashSet<>();
        premature.forEach(lie -> epochs.add(number(lie.sent(), "epoch")));
        assertThat(premature).isNotEmpty().allMatch(lie -> text(lie.sent(), "m").equals("REFUSAL"));
        assertThat(epochs).as("sessions that are, and sessions that are not").hasSizeGreaterThan(4);
    }

    @Test
    void clientsAreSentFarMoreThanTheyAsk() {
        Traced traced = unnoticed("flood-clients");
        Map<String, Long> from = new HashMap<>();
        traced.events("send", line -> text(line, "to").startsWith("c"))
                .forEach(line -> from.merge(text(line, "from"), 1L, Long::sum));
        assertThat(from.get("r1")).isGreaterThan(10 * from.get("r2"));
        Set<String> types = new TreeSet<>();
        traced.lies("r1", "flood-clients").forEach(lie -> types.add(text(lie.sent(), "m")));
        assertThat(types).containsExactly("COMMIT", "READ_REPLY", "REPLY", "STATUS");
        assertThat(traced.result().probes()).containsKeys("rejected BAD_SIGNATURE", "rejected BAD_PATH");
    }

    @Test
    void aSilentPrimaryProposesNothingAndSaysAllElse() {
        Traced traced = run("silent");
        assertThat(traced.sent("r0", "PROPOSAL")).isEmpty();
        assertThat(traced.sent("r0", "STATUS")).isNotEmpty();
        assertThat(traced.sent("r0", "COMMIT")).isNotEmpty();
    }

    @Test
    void onlyFriendsAreTalkedTo() {
        Traced traced = run("selective=1,2");
        assertThat(traced.events("send", line -> text(line, "from").equals("r0")))
                .noneMatch(line -> text(line, "to").equals("r3"))
                .anyMatch(line -> text(line, "to").equals("r1"))
                .anyMatch(line -> text(line, "to").equals("c0"));
    }

    @Test
    void theCensoredClientIsInNoProposal() {
        assertThat(run("censor=0").sent("r0", "PROPOSAL"))
                .isNotEmpty()
                .noneMatch(line -> text(line, "requests").matches("(.* )?0#.*"));
    }

    @Test
    void proposalsComeLate() {
        Traced traced = run("delay=50");
        Map<Long, Long> sentAt = new HashMap<>();
        traced.sent("r0", "PROPOSAL").forEach(line -> sentAt.put(number(line, "id"), number(line, "t")));
        List<JsonNode> delivered = traced.events("deliver", line -> sentAt.containsKey(number(line, "id")));
        assertThat(delivered)
                .isNotEmpty()
                .allMatch(line -> number(line, "t") - sentAt.get(number(line, "id")) >= 50_000);
    }

    @Test
    void laterProposalsOvertakeEarlierOnesAndRequestsTurnRound() {
        Traced traced = Traced.run("--seed 3 --ops 48 --clients 8 --think 2ms --byzantine 0=reorder");
        List<JsonNode> heard = traced.events(
                "deliver",
                line -> text(line, "m").equals("PROPOSAL") && text(line, "to").equals("r1"));
        boolean overtaken = false;
        for (int i = 1; i < heard.size(); i++) {
            overtaken |= number(heard.get(i), "seq") < number(heard.get(i - 1), "seq");
        }
        assertThat(overtaken).isTrue();
        assertThat(lies(traced, "reorder")).allMatch(lie -> {
            List<String> honest = List.of(text(lie.honest(), "requests").split(" "));
            List<String> sent = List.of(text(lie.sent(), "requests").split(" "));
            return !honest.equals(sent) && new TreeSet<>(honest).equals(new TreeSet<>(sent));
        });
    }

    /** The log grows, over several checkpoints' worth, with one old batch, and no client gets an answer. */
    @Test
    void oldRequestsAreOrderedAgainAndNoOthers() {
        Traced traced = run("old-requests");
        List<Said> lies = lies(traced, "old-requests");
        assertThat(lies.stream().map(lie -> text(lie.sent(), "requests")).distinct())
                .hasSize(1);
        String old = text(lies.get(0).sent(), "requests");
        List<JsonNode> executed =
                traced.events("execute", line -> text(line, "at").equals("r1"));
        long entered = traced
                .events(
                        "note",
                        line -> text(line, "at").equals("r1")
                                && text(line, "detail").startsWith("VIEW_ENTERED"))
                .stream()
                .mapToLong(line -> number(line, "t"))
                .min()
                .orElse(Long.MAX_VALUE);
        // Executed, and nothing was left to be done: an operation runs once.
        assertThat(executed.stream()
                        .filter(line -> number(line, "t") < entered && number(line, "a") > 1)
                        .toList())
                .hasSizeGreaterThan(8)
                .allMatch(line -> number(line, "b") == 0);
        assertThat(traced.sent("r0", "PROPOSAL").stream()
                        .filter(line -> number(line, "view") == 0)
                        .map(line -> text(line, "requests"))
                        .distinct())
                .containsExactly(old);
        assertThat(entered).isLessThan(2_000_000L);
        assertThat(traced.result().answered()).isEqualTo(48);
    }

    @Test
    void eachReceiverIsToldAnotherViewChange() {
        Traced traced =
                Traced.run("--seed 7 --ops 48 --byzantine 1=conflicting-view-change --crash 0@300 --restart 0@1500");
        assertThat(traced.lies("r1", "conflicting-view-change")).isNotEmpty();
        Map<Long, Set<String>> keys = new HashMap<>();
        traced.sent("r1", "VIEW_CHANGE")
                .forEach(line -> keys.computeIfAbsent(number(line, "view"), view -> new HashSet<>())
                        .add(text(line, "key")));
        assertThat(keys.values()).anyMatch(told -> told.size() > 1);
    }

    @Test
    void theNewViewDoesNotFollowFromItsViewChanges() {
        Traced traced = Traced.run("--seed 7 --ops 48 --byzantine 1=bad-new-view --crash 0@300 --restart 0@1500");
        assertThat(traced.lies("r1", "bad-new-view"))
                .isNotEmpty()
                .allMatch(lie -> text(lie.sent(), "m").equals("NEW_VIEW"));
        assertThat(traced.events(
                        "note", line -> text(line, "detail").contains("does not follow from its VIEW-CHANGEs")))
                .isNotEmpty();
    }

    private static void client(String behaviour, Function<Traced, Boolean> wrong) {
        Traced traced = Traced.run("--seed 10 --clients 3 --ops 36 --byzantine-client 1=" + behaviour);
        assertThat(wrong.apply(traced)).as(behaviour).isTrue();
    }

    @Test
    void aClientSignsWithAnothersName() {
        client(
                "forge",
                traced -> traced.lies("c1", "forge").stream().anyMatch(lie -> number(lie.sent(), "client") != 1));
    }

    @Test
    void aClientSaysAgainWhatItSaid() {
        client("replay", traced -> {
            Set<String> before = new HashSet<>();
            return traced.sent("c1", "REQUEST").stream()
                            .filter(line -> !before.add(text(line, "key") + text(line, "to")))
                            .count()
                    > 5;
        });
    }

    @Test
    void aClientAsksForTwoThingsUnderOneNumber() {
        client("conflicting-requests", traced -> {
            Map<Long, Set<String>> keys = new HashMap<>();
            traced.sent("c1", "REQUEST")
                    .forEach(line -> keys.computeIfAbsent(number(line, "first"), first -> new HashSet<>())
                            .add(text(line, "key")));
            return keys.values().stream().anyMatch(told -> told.size() > 1);
        });
    }

    @Test
    void aClientJumpsFarAhead() {
        client(
                "number-jump",
                traced -> traced.lies("c1", "number-jump").stream()
                        .allMatch(lie -> number(lie.sent(), "first") >= number(lie.honest(), "first") + 40));
    }

    @Test
    void aClientTellsSomeReplicasOnly() {
        client("partial-send", traced -> {
            Map<String, Set<String>> heard = new HashMap<>();
            traced.sent("c1", "REQUEST")
                    .forEach(line -> heard.computeIfAbsent(text(line, "key"), key -> new HashSet<>())
                            .add(text(line, "to")));
            List<JsonNode> withheld =
                    traced.events("withhold", line -> text(line, "at").equals("c1"));
            return !withheld.isEmpty()
                    && withheld.stream()
                            .anyMatch(line -> !heard.getOrDefault(Long.toHexString(number(line, "a")), Set.of())
                                    .contains("r" + number(line, "b")));
        });
    }
}
