package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** That the fuzzers have where to start: a frame of each type among their seeds, and a configuration. */
class SeedCorpusTest {
    private static final Path RESOURCES = Path.of("src/test/resources/io/pbft/protocol");

    @Test
    void theSeedsHaveEveryMessageType() throws IOException {
        for (MessageType type : MessageType.values()) {
            byte[] seed = Files.readAllBytes(RESOURCES.resolve("DecodeFuzzTestInputs/decode/" + type));
            assertThat(Codec.decode(seed).type()).isEqualTo(type);
        }
    }

    @Test
    void theSeedsHaveAConfigurationAndMistakes() throws IOException {
        int good = 0;
        int bad = 0;
        try (Stream<Path> seeds = Files.list(RESOURCES.resolve("ConfigFuzzTestInputs/parse"))) {
            for (Path seed : seeds.toList()) {
                try {
                    ClusterConfig.read(seed, new CheapScheme());
                    good++;
                } catch (ConfigException e) {
                    bad++;
                }
            }
        }
        assertThat(good).isPositive();
        assertThat(bad).isPositive();
    }
}
