package io.pbft.cli.tidy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Holds every source of the repository against the rules of {@link Tidy}, and every text against {@link TextRules}. */
class TidyTest {
    private static final Repository REPOSITORY = Repository.open();
    private static final List<Source> SOURCES = REPOSITORY.sources();

    @TestFactory
    Stream<DynamicTest> everySourceKeepsEveryRule() {
        return Tidy.RULES.stream()
                .map(rule -> DynamicTest.dynamicTest(
                        rule.name(),
                        () -> assertThat(SOURCES.stream()
                                        .flatMap(source -> rule.findings(source).stream())
                                        .toList())
                                .as("%s (%s)", rule.name(), rule.because())
                                .isEmpty()));
    }

    @Test
    void noTextNamesAMachineOrARegistry() {
        assertThat(REPOSITORY.files().entrySet().stream()
                        .flatMap(file -> TextRules.check(file.getKey(), file.getValue()).stream())
                        .toList())
                .isEmpty();
    }

    /** A test that looked into the wrong folder would find nothing wrong with it. */
    @Test
    void theSourcesOfTheModulesAreSeen() {
        TreeSet<String> seen = new TreeSet<>();
        SOURCES.forEach(source -> seen.add(source.packageName()));
        assertThat(seen)
                .contains(
                        "io.pbft.crypto",
                        "io.pbft.protocol",
                        "io.pbft.replica.core",
                        "io.pbft.cli",
                        "io.pbft.cli.tidy");
        assertThat(SOURCES).anyMatch(Source::isCore).anyMatch(Source::isTest);
        assertThat(REPOSITORY.files()).containsKeys("pom.xml", "pbft", ".ci/run");
    }

    @Test
    void everyModuleOfTheReactorHasItsPlaceInTheOrder() {
        List<String> modules = REPOSITORY
                .files()
                .get("pom.xml")
                .lines()
                .filter(line -> line.contains("<module>"))
                .map(line -> line.replaceAll("</?module>", "").strip())
                .filter(module -> !module.equals("bom"))
                .toList();
        assertThat(Tidy.DIRECTION.keySet()).containsExactlyInAnyOrderElementsOf(modules);
    }
}
