package io.pbft.simulator.transcript;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What the protocol does, written down. A change of behaviour is a change of these files, which a reader can judge:
 * {@code -Dtranscripts.rewrite=true} writes them anew.
 */
class TranscriptTest {
    private static final Path FOLDER = Path.of("src", "test", "resources", "transcripts");

    @TestFactory
    List<DynamicTest> everyTranscriptIsWhatHappens() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            List<DynamicTest> tests = files.sorted()
                    .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file)))
                    .toList();
            assertThat(tests).hasSizeGreaterThanOrEqualTo(10);
            return tests;
        }
    }

    private static void check(Path file) throws IOException {
        List<String> written = Files.readAllLines(file);
        List<String> now = Transcript.run(written);
        if (Boolean.getBoolean("transcripts.rewrite")) {
            Files.writeString(file, String.join("\n", now) + "\n");
        } else {
            assertThat(now)
                    .as("%s, to be written anew with -Dtranscripts.rewrite=true", file)
                    .isEqualTo(written);
        }
    }
}
