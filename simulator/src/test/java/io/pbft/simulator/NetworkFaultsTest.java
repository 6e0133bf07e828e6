package io.pbft.simulator;

import static io.pbft.simulator.Traced.number;
import static io.pbft.simulator.Traced.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** Each fault of the network and of the clocks does what its option says, as the trace shows it. */
class NetworkFaultsTest {
    private static Traced run(String line) {
        Traced traced = Traced.run(line);
        assertThat(traced.result().verdict())
                .as("%s", traced.result().violations())
                .isEqualTo(SimResult.Verdict.OK);
        return traced;
    }

    private static long share(Traced traced, String event, Predicate<JsonNode> which) {
        return 100L
                * traced.events(event, which).size()
                / Math.max(1, traced.events("send", which).size());
    }

    private static Predicate<JsonNode> before(long micros) {
        return line -> number(line, "t") < micros;
    }

    /** Microseconds on the way, by the number of the sending; of two copies the first. */
    private static Map<Long, Long> delays(Traced traced) {
        Map<Long, Long> sent = new HashMap<>();
        Map<Long, Long> delays = new HashMap<>();
        for (JsonNode line : traced.lines()) {
            if (text(line, "e").equals("send")) {
                sent.put(number(line, "id"), number(line, "t"));
            } else if (text(line, "e").equals("deliver")) {
                long id = number(line, "id");
                delays.putIfAbsent(id, number(line, "t") - sent.get(id));
            }
        }
        return delays;
    }

    @Test
    void everyDelayLiesWithinTheLatencyAndTheyDiffer() {
        Traced traced = run("--seed 41 --ops 24 --latency 2..7");
        assertThat(traced.lines()).isNotEmpty();
        // Order on a link is kept, so one may wait for another that was slower.
        assertThat(delays(traced).values()).allMatch(delay -> delay >= 2_000 && delay <= 7_000);
        assertThat(delays(traced).values().stream().distinct()).hasSizeGreaterThan(200);
    }

    @Test
    void messagesAreLostUntilTheNetworkIsStable() {
        Traced traced = run("--seed 42 --drop 0.2 --gst 600");
        assertThat(share(traced, "drop", before(600_000))).isBetween(15L, 25L);
        assertThat(traced.events("drop", before(600_000).negate())).isEmpty();
    }

    @Test
    void oneTypeIsLostMoreThanTheOthers() {
        Traced traced = run("--seed 43 --drop-type prepare=0.6 --gst 600");
        Predicate<JsonNode> prepare = line -> text(line, "m").equals("PREPARE") && number(line, "t") < 600_000;
        assertThat(share(traced, "drop", prepare)).isBetween(45L, 75L);
        assertThat(traced.events("drop", prepare.negate())).isEmpty();
    }

    @Test
    void messagesArriveTwice() {
        Traced traced = run("--seed 44 --duplicate 0.3 --gst 10000");
        Map<Long, Integer> copies = new HashMap<>();
        traced.events("deliver", line -> true).forEach(line -> copies.merge(number(line, "id"), 1, Integer::sum));
        long twice = copies.values().stream().filter(count -> count == 2).count();
        assertThat(copies.values()).allMatch(count -> count <= 2);
        assertThat(100 * twice / copies.size()).isBetween(22L, 38L);
    }

    @Test
    void messagesOvertakeEachOtherOnALinkOnlyWhenToldTo() {
        assertThat(overtaken(run("--seed 45 --gst 10000"))).isZero();
        assertThat(overtaken(run("--seed 45 --reorder 0.2 --gst 10000"))).isGreaterThan(20);
    }

    private static long overtaken(Traced traced) {
        Map<String, Long> last = new HashMap<>();
        long overtaken = 0;
        for (JsonNode line : traced.events("deliver", any -> true)) {
            String link = text(line, "from") + ">" + text(line, "to");
            long id = number(line, "id");
            overtaken += id < last.getOrDefault(link, 0L) ? 1 : 0;
            last.merge(link, id, Math::max);
        }
        return overtaken;
    }

    @Test
    void someMessagesTakeVeryLong() {
        Traced traced = run("--seed 46 --tail 0.05 --latency 1..2 --gst 10000");
        assertThat(delays(traced).values()).anyMatch(delay -> delay > 20_000);
        assertThat(delays(run("--seed 46 --latency 1..2")).values()).noneMatch(delay -> delay > 2_000);
    }

    @Test
    void nothingPassesBetweenTheGroupsOfAPartitionWhileItLasts() {
        Traced traced = run("--seed 47 --partition 100..500:{0,1}|{2,3}");
        Predicate<JsonNode> across = line -> text(line, "from").startsWith("r")
                && text(line, "to").startsWith("r")
                && List.of("r0", "r1").contains(text(line, "from"))
                        != List.of("r0", "r1").contains(text(line, "to"));
        Predicate<JsonNode> during = line -> number(line, "t") >= 100_000 && number(line, "t") < 500_000;
        assertThat(traced.events("deliver", across.and(during))).isEmpty();
        assertThat(traced.events("cut", across.and(during))).isNotEmpty();
        assertThat(traced.events("cut", across.negate())).isEmpty();
        assertThat(traced.events("deliver", across.and(during.negate()))).isNotEmpty();
        // Clients reach everybody all the time.
        assertThat(traced.events(
                        "deliver", during.and(line -> text(line, "from").startsWith("c"))))
                .isNotEmpty();
    }

    @Test
    void oneDirectionOfOneLinkIsCut() {
        Traced traced = run("--seed 48 --cut 0..400:1>2");
        assertThat(traced.events("cut", line -> true))
                .isNotEmpty()
                .allMatch(line ->
                        text(line, "from").equals("r1") && text(line, "to").equals("r2"));
        assertThat(traced.events(
                        "deliver",
                        before(400_000)
                                .and(line -> text(line, "from").equals("r2")
                                        && text(line, "to").equals("r1"))))
                .isNotEmpty();
    }

    @Test
    void theWideAreaHasItsRoundTripTimes() {
        Traced traced = run("--seed 49 --ops 12 --replicas 5 --topology wan5 --latency 0..1");
        Map<Long, Long> delays = delays(traced);
        for (JsonNode line : traced.events("send", line -> text(line, "to").startsWith("r"))) {
            int from = Integer.parseInt(text(line, "from").substring(1)) % 5;
            int to = Integer.parseInt(text(line, "to").substring(1)) % 5;
            Long delay = delays.get(number(line, "id"));
            if (delay != null) {
                long oneWay = io.pbft.simulator.world.Topology.oneWayMicros(from, to);
                assertThat(delay).as("%d to %d", from, to).isBetween(oneWay, oneWay + 1_000);
            }
        }
    }

    @Test
    void aSkewedPrimaryProposesItsOwnTime() {
        long right = firstTime(run("--seed 50 --ops 12"));
        assertThat(firstTime(run("--seed 50 --ops 12 --clock-skew 0=150")) - right)
                .isEqualTo(150);
        assertThat(firstTime(run("--seed 50 --ops 12 --clock-skew 0=-150")) - right)
                .isEqualTo(-150);
    }

    private static long firstTime(Traced traced) {
        return number(traced.sent("r0", "PROPOSAL").get(0), "time");
    }

    /** Clocks that run wrong by up to a twentieth: what a primary proposes is another time than that of the world. */
    @Test
    void driftingClocksRunAwayFromTheRightTime() {
        // A core knows the time of its last tick.
        int tickMillis = SimOptions.PARAMETERS.tickMillis();
        long right = 0;
        long wrong = 0;
        for (int seed = 51; seed < 56; seed++) {
            String line = "--ops 36 --think 200ms --seed " + seed;
            right = Math.max(right, Math.abs(lateness(run(line))));
            wrong = Math.max(wrong, Math.abs(lateness(run(line + " --clock-drift 50000"))));
        }
        assertThat(right).isLessThanOrEqualTo(tickMillis);
        assertThat(wrong).isGreaterThan(2L * tickMillis);
    }

    /** By how many milliseconds the time of the last proposal is not that of its sending. */
    private static long lateness(Traced traced) {
        List<JsonNode> sent = traced.sent("r0", "PROPOSAL");
        JsonNode first = sent.get(0);
        JsonNode last = sent.get(sent.size() - 1);
        return number(last, "time") - number(first, "time") - (number(last, "t") - number(first, "t")) / 1_000;
    }

    @Test
    void whoIsPausedSaysNothingAndAnswersAfterwards() {
        Traced traced = run("--seed 52 --pause 2@100..400");
        Predicate<JsonNode> during = line -> number(line, "t") > 100_000 && number(line, "t") < 400_000;
        assertThat(traced.events("send", during.and(line -> text(line, "from").equals("r2"))))
                .isEmpty();
        assertThat(traced.events("deliver", during.and(line -> text(line, "to").equals("r2"))))
                .isNotEmpty();
        assertThat(traced.events(
                        "send",
                        line -> number(line, "t") == 400_000
                                && text(line, "from").equals("r2")))
                .isNotEmpty();
    }
}
