package io.pbft.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimulationTest {
    private static SimResult run(String line) {
        return Simulation.run(SimOptions.parse(List.of(line.split(" "))), true);
    }

    private static void ok(SimResult result) {
        assertThat(result.verdict())
                .as("%s: %s", result.command(), result.violations())
                .isEqualTo(SimResult.Verdict.OK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"kv", "append", "counter"})
    void aRunWithoutFaultsAnswersEverythingInTheFirstView(String workload) {
        SimResult result = run("--seed 1 --workload " + workload);
        ok(result);
        assertThat(result.answered()).isEqualTo(48);
        assertThat(result.views()).isZero();
    }

    @Test
    void sevenReplicasToo() {
        ok(run("--seed 2 --replicas 7"));
    }

    @Test
    void theWideAreaTakesItsTime() {
        SimResult near = run("--seed 3 --ops 12");
        SimResult far = run("--seed 3 --ops 12 --replicas 5 --topology wan5 --parameters requestTimeoutMillis=1000,"
                + "fairnessTimeoutMillis=4000,viewChangeTimeoutMillis=1500");
        ok(near);
        ok(far);
        assertThat(far.virtualMillis()).isGreaterThan(near.virtualMillis() + 200);
    }

    @Test
    void theSameSeedGivesTheSameTraceByteForByteAndAnotherSeedAnother() {
        String line = "--seed 7 --drop 0.1 --reorder 0.1 --duplicate 0.1 --gst 300 --byzantine 0=equivocate,random";
        SimResult first = run(line);
        SimResult second = run(line);
        assertThat(first.trace()).isNotEmpty().isEqualTo(second.trace());
        assertThat(first.traceHash()).isEqualTo(second.traceHash());
        assertThat(run(line.replace("--seed 7", "--seed 8")).traceHash()).isNotEqualTo(first.traceHash());
    }

    @Test
    void whatTheTraceSaysDoesNotDependOnWhetherItIsKept() {
        SimOptions options = SimOptions.parse(List.of("--seed", "9", "--drop", "0.1"));
        assertThat(Simulation.run(options, false).traceHash())
                .isEqualTo(Simulation.run(options, true).traceHash());
    }

    @Test
    void aFaultTakenOutLeavesTheOthersInPlace() {
        SimResult all = run("--seed 11 --drop 0.1 --gst 300 --ops 12");
        assertThat(all.plan()).isNotEmpty();
        String last = Long.toHexString(all.plan().get(all.plan().size() - 1).id());
        SimResult without = run("--seed 11 --drop 0.1 --gst 300 --ops 12 --without " + last);
        // Up to the moment of that fault the two runs are one.
        assertThat(without.plan()).containsAll(all.plan().subList(0, all.plan().size() - 1));
        assertThat(without.plan()).doesNotContain(all.plan().get(all.plan().size() - 1));
    }

    @Test
    void theCodecChangesNothingButTheTimeItTakes() {
        SimResult objects = run("--seed 12");
        SimResult bytes = run("--seed 12 --codec");
        ok(bytes);
        assertThat(bytes.traceHash()).isEqualTo(objects.traceHash());
    }

    @Test
    void realSignaturesDecideAsCheapOnesDo() {
        SimResult result = run("--seed 13 --ops 6 --crypto real");
        ok(result);
        assertThat(result.answered()).isEqualTo(6);
    }

    @Test
    void moreThanFMutedReplicasAreSaidAndNotBlamedOnTheProtocol() {
        SimResult result = run("--seed 14 --ops 6 --byzantine 1=mute --byzantine 2=mute");
        assertThat(result.tooManyFaulty()).isTrue();
        assertThat(result.verdict()).isEqualTo(SimResult.Verdict.OK);
        assertThat(result.answered()).isZero();
    }

    /** What README.md shows: more than f replicas with a second half each, and what clients were told does not stand. */
    @Test
    void moreThanFTwinsBreakSafetyAsTheReadmeSays() throws IOException {
        Matcher example = Pattern.compile("(?m)^    ./pbft sim (--seed \\d+ --byzantine 0=twin --byzantine 1=twin) ")
                .matcher(Files.readString(Path.of("..", "README.md")));
        assertThat(example.find()).isTrue();
        SimResult result = run(example.group(1));
        assertThat(result.tooManyFaulty()).isTrue();
        assertThat(result.verdict()).isEqualTo(SimResult.Verdict.SAFETY);
    }

    @Test
    void theJsonHasWhatOthersReadFromIt() {
        JsonNode json = run("--seed 15 --ops 6").toJson();
        assertThat(json.path("seed").asLong()).isEqualTo(15);
        assertThat(json.path("replicas").asInt()).isEqualTo(4);
        assertThat(json.path("f").asInt()).isEqualTo(1);
        assertThat(json.path("verdict").asText()).isEqualTo("ok");
        assertThat(json.path("violations").isArray()).isTrue();
        assertThat(json.path("committed").asInt()).isPositive();
        for (String field : List.of("views", "virtualMillis", "wallMillis", "messages")) {
            assertThat(json.path(field).isNumber()).as(field).isTrue();
        }
        assertThat(json.path("checks").path("agreement").asBoolean()).isTrue();
    }

    @Test
    void aCommandLineMeansTheRunItCameFrom() {
        for (long seed = 0; seed < 300; seed++) {
            SimOptions drawn = Swarm.draw(seed, SimOptions.defaults());
            assertThat(SimOptions.parse(drawn.toArguments())).isEqualTo(drawn);
            assertThat(drawn.faulty().size()).isLessThanOrEqualTo(1);
        }
    }
}
