package io.pbft.simulator.planted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A few planted bugs that every build must catch, each of another kind, and all of them findable in the sources of today. When
 * this test fails since a bug's text is not there, the product has changed: adapt {@code planted-bugs.txt}, and see that
 * the bug is still caught (PlantedBugsCampaign with {@code -Dplanted.only=NAME}).
 */
class PlantedBugsTest {
    /** The canary: when it is not caught, nothing that the simulator says can be believed. */
    @Test
    void theCanaryIsCaught() {
        assertThat(firstViolation("quorum-one-less", 20)).startsWith("certificates");
    }

    @ParameterizedTest
    @CsvSource({
        "sent-before-durable, persistence",
        "executed-again, exactly-once",
        "time-goes-back, validity",
        "no-request-timer, liveness",
        "prepared-not-shown, promises",
        "executes-out-of-order, agreement",
    })
    void bugsOfOtherKindsAreCaught(String name, String check) {
        assertThat(firstViolation(name, 60)).startsWith(check);
    }

    private static String firstViolation(String name, int seeds) {
        LongFunction<String> planted = PlantedProduct.with(PlantedBug.named(name), 4);
        for (long seed = 1; seed <= seeds; seed++) {
            String violation = planted.apply(seed);
            if (!violation.isEmpty()) {
                return violation;
            }
        }
        return "no violation in " + seeds + " seeds";
    }

    @Test
    void everyBugFindsItsPlace() {
        List<PlantedBug> bugs = PlantedBug.all();
        assertThat(bugs).hasSizeGreaterThan(60);
        Set<String> names = new HashSet<>();
        for (PlantedBug bug : bugs) {
            assertThat(names.add(bug.name())).as(bug.name()).isTrue();
            assertThat(bug.rule()).as(bug.name()).isNotEmpty();
            assertThat(bug.sources()).as(bug.name()).isNotEmpty();
        }
    }

    @Test
    void aBugWhosePlaceIsGoneFailsLoudly() {
        PlantedBug gone = new PlantedBug(
                "gone", "", "", Map.of("io.pbft.protocol.Quorum", List.of(new PlantedBug.Change("no such text", ""))));
        assertThatThrownBy(gone::sources)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("io.pbft.protocol.Quorum has this text 0 times instead of once: no such text");
        PlantedBug twice = new PlantedBug(
                "twice", "", "", Map.of("io.pbft.protocol.Quorum", List.of(new PlantedBug.Change("faulty()", "f"))));
        assertThatThrownBy(twice::sources).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatDoesNotCompileFailsLoudly() {
        PlantedBug nonsense = new PlantedBug(
                "nonsense",
                "",
                "",
                Map.of(
                        "io.pbft.protocol.Quorum",
                        List.of(new PlantedBug.Change("return quorum() - 1;", "return nonsense;"))));
        assertThatThrownBy(() -> PlantedProduct.with(nonsense, 4))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("nonsense");
    }
}
