package io.pbft.simulator.junit;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.replica.kv.KvStateMachine;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SeedsTest {
    private final List<Long> seen = new ArrayList<>();

    /** The built-in service, fed with bytes that it mostly does not understand. */
    @Seeds(first = 3, last = 6)
    void everySeedIsATest(long seed) {
        SimulatedCluster.Summary summary = SimulatedCluster.of(KvStateMachine::new)
                .operations((number, random) -> {
                    byte[] bytes = new byte[1 + random.nextInt(12)];
                    random.nextBytes(bytes);
                    bytes[0] = (byte) random.nextInt(8);
                    return Bytes.wrap(bytes);
                })
                .operationsPerSeed(12)
                .check(seed, seed);
        assertThat(summary.seeds()).isEqualTo(1);
        seen.add(seed);
    }

    @AfterAll
    void noneWasLeftOut() {
        assertThat(seen).containsExactly(3L, 4L, 5L, 6L);
    }
}
