package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.cli.load.ProcessUsage;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReplicaCostTest {
    private static final String METRICS = """
            # HELP pbft_network_bytes_total frames
            # TYPE pbft_network_bytes_total counter
            pbft_network_bytes_total{direction="in"} 2000.0
            pbft_network_bytes_total{direction="out"} 1.0E4
            pbft_journal_writes_total 50.0
            """;

    @Test
    void whatGrewIsDividedByTheOperations() {
        Map<String, Double> metrics = ReplicaCost.parse(METRICS);
        ReplicaCost.Sample before = sample(7, 1, Map.of());
        ReplicaCost.Sample after = sample(7, 3, metrics);
        ReplicaCost cost =
                ReplicaCost.between(List.of(before), List.of(after), 1_000).get(0);
        assertThat(cost.cpuSeconds()).isEqualTo(2);
        assertThat(cost.perOperation(cost.bytesIn())).isEqualTo(2);
        assertThat(cost.perOperation(cost.bytesOut())).isEqualTo(10);
        assertThat(cost.perOperation(cost.syncWrites())).isEqualTo(0.05);
    }

    @Test
    void aReplicaThatWasRestartedMeanwhileHasNoCost() {
        assertThat(ReplicaCost.between(List.of(sample(7, 1, Map.of())), List.of(sample(8, 1, Map.of())), 10))
                .isEmpty();
    }

    private static ReplicaCost.Sample sample(long pid, double cpuSeconds, Map<String, Double> metrics) {
        return new ReplicaCost.Sample(0, pid, new ProcessUsage(cpuSeconds, 0, 0, 0, 0), metrics);
    }
}
