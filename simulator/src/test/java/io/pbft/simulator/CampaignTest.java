package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class CampaignTest {
    private static CampaignResult run(String line) throws InterruptedException {
        ByteArrayOutputStream heard = new ByteArrayOutputStream();
        PrintStream progress = new PrintStream(heard, true, StandardCharsets.UTF_8);
        CampaignResult result = Campaign.run(CampaignOptions.parse(List.of(line.split(" "))), progress);
        assertThat(result.ok())
                .as(
                        "%s%n%s",
                        heard.toString(StandardCharsets.UTF_8), result.toJson().path("failures"))
                .isTrue();
        return result;
    }

    @Test
    void fourReplicasKeepTheirPromisesUnderEveryFault() throws InterruptedException {
        CampaignResult result = run("--seeds 1..240");
        assertThat(result.count("seeds")).isEqualTo(240);
        assertThat(result.count("viewChanges")).isGreaterThan(50);
        for (Swarm.Style style : Swarm.Style.values()) {
            assertThat(result.count("style " + style.name().toLowerCase(java.util.Locale.ROOT)))
                    .as(style.name())
                    .isPositive();
        }
    }

    @Test
    void sevenReplicasToo() throws InterruptedException {
        assertThat(run("--seeds 1..60 --replicas 7 --ops 32").count("seeds")).isEqualTo(60);
    }

    /** One has lost its disk, and with it its vote, and another one lies: everything may stop, and nothing may break. */
    @Test
    void oneMoreThanFWithoutAVoteBreaksNothing() throws InterruptedException {
        List<Long> beyond = LongStream.rangeClosed(1, 600)
                .filter(seed -> Swarm.drawMoreThanF(seed, SimOptions.defaults())
                                .faulty()
                                .size()
                        > 1)
                .boxed()
                .toList();
        assertThat(beyond).hasSizeGreaterThan(5);
        for (long seed : beyond) {
            run("--more-than-f --seeds " + seed + ".." + seed);
        }
    }

    @Test
    void withoutFaultsNothingEverHappens() throws InterruptedException {
        assertThat(run("--seeds 1..60 --plain").count("viewChanges")).isZero();
    }

    @Test
    void whatWasNeverSeenIsSaid() throws InterruptedException {
        CampaignResult calm = run("--seeds 1..2 --plain");
        assertThat(calm.probesNeverHit())
                .contains("a view begins with a null request", "note VIEW_ENTERED", "rejected BAD_SIGNATURE")
                .doesNotContain("note CHECKPOINT_STABLE");
        assertThat(calm.toJson().path("probesNeverHit").size())
                .isEqualTo(calm.probesNeverHit().size());
        CampaignResult lively = run("--seeds 1..1 --plain --byzantine 0=silent,forge-signature");
        assertThat(lively.probesNeverHit()).doesNotContain("note VIEW_ENTERED", "rejected BAD_SIGNATURE");
    }

    @Test
    void aSeedWhoseTwoRunsDifferIsAFailure() throws InterruptedException {
        AtomicLong runs = new AtomicLong();
        ByteArrayOutputStream heard = new ByteArrayOutputStream();
        CampaignResult result = Campaign.run(
                CampaignOptions.parse(List.of("--seeds", "5..6", "--plain", "--ops", "2", "--threads", "1")),
                options -> Simulation.run(
                        options.toBuilder().seed(runs.incrementAndGet()).build(), false),
                new PrintStream(heard, true, StandardCharsets.UTF_8));
        assertThat(result.ok()).isFalse();
        assertThat(result.count("nondeterministic")).isEqualTo(1);
        assertThat(result.count("ok")).isEqualTo(1);
        assertThat(result.toJson().path("failures").path(0).path("verdict").asText())
                .isEqualTo("nondeterministic");
        assertThat(heard.toString(StandardCharsets.UTF_8)).contains("seed 5 nondeterministic two runs had two traces");
    }

    @Test
    void aSeedThatBreaksTheSimulatorIsAFailureAndTheOthersGoOn() throws InterruptedException {
        ByteArrayOutputStream heard = new ByteArrayOutputStream();
        CampaignResult result = Campaign.run(
                CampaignOptions.parse(List.of("--seeds", "1..4", "--plain", "--ops", "2", "--threads", "1")),
                options -> {
                    if (options.seed() == 2) {
                        throw new StackOverflowError("too deep");
                    }
                    return Simulation.run(options, false);
                },
                new PrintStream(heard, true, StandardCharsets.UTF_8));
        assertThat(result.ok()).isFalse();
        assertThat(result.count("seeds")).isEqualTo(4);
        assertThat(result.count("broken")).isEqualTo(1);
        assertThat(result.count("ok")).isEqualTo(3);
        assertThat(heard.toString(StandardCharsets.UTF_8))
                .contains("seed 2 broke the simulator: java.lang.StackOverflowError: too deep");
    }

    @Test
    void theShardsTogetherAreTheWhole() throws InterruptedException {
        CampaignResult whole = run("--seeds 10..21 --ops 6");
        CampaignResult merged = new CampaignResult();
        merged.merge(run("--seeds 10..21 --ops 6 --shard 1/2").toJson());
        merged.merge(run("--seeds 10..21 --ops 6 --shard 2/2 --threads 1").toJson());
        for (String count : List.of("seeds", "ok", "operations", "messages", "events", "virtualMillis")) {
            assertThat(merged.count(count)).as(count).isEqualTo(whole.count(count));
        }
    }

    @Test
    void everySeedBelongsToOneShard() {
        CampaignOptions first = CampaignOptions.parse(List.of("--seeds", "5..9", "--shard", "1/3"));
        CampaignOptions third = CampaignOptions.parse(List.of("--seeds", "5..9", "--shard", "3/3"));
        assertThat(first.count()).isEqualTo(2);
        assertThat(first.seed(1)).isEqualTo(8);
        assertThat(third.count()).isEqualTo(1);
        assertThat(third.seed(0)).isEqualTo(7);
        assertThatThrownBy(() -> CampaignOptions.parse(List.of("--shard", "4/3")))
                .isInstanceOf(OptionError.class)
                .hasMessage("--shard: expected a whole number from 1 to 3, found '4'");
        assertThatThrownBy(() -> CampaignOptions.parse(List.of("--seeds", "9..5")))
                .isInstanceOf(OptionError.class);
    }
}
