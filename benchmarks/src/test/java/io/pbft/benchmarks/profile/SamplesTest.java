package io.pbft.benchmarks.profile;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.nio.file.Path;
import java.time.Duration;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SamplesTest {
    @TempDir
    private Path temp;

    @Test
    void whatRanIsInTheTable() throws Exception {
        Path file = temp.resolve("busy.jfr");
        Digest digest = Digest.ZERO;
        try (Recording recording = new Recording()) {
            recording.enable("jdk.ExecutionSample").withPeriod(Duration.ofMillis(1));
            recording.start();
            long end = System.nanoTime() + Duration.ofMillis(400).toNanos();
            byte[] content = new byte[1 << 20];
            while (System.nanoTime() < end) {
                content[0] = (byte) digest.prefix();
                digest = Digest.of(Bytes.wrap(content));
            }
            recording.dump(file);
        }
        assertThat(digest).isNotEqualTo(Digest.ZERO);
        Samples samples = new Samples();
        samples.add(file);
        assertThat(samples.all()).isPositive();
        assertThat(samples.describe(5)).contains("running", "io.pbft.");
    }
}
