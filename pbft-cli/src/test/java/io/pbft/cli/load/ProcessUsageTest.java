package io.pbft.cli.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProcessUsageTest {
    @Test
    void thisProcessHasUsedSomething() {
        ProcessUsage usage = ProcessUsage.of(ProcessHandle.current().pid());
        assertThat(usage.cpuSeconds()).isPositive();
        assertThat(ProcessUsage.ofAll(List.of(ProcessHandle.current().pid(), Long.MAX_VALUE))
                        .cpuSeconds())
                .isGreaterThanOrEqualTo(usage.cpuSeconds());
    }

    @Test
    void aProcessThatIsGoneHasUsedNothing() {
        assertThat(ProcessUsage.of(Long.MAX_VALUE)).isEqualTo(new ProcessUsage(0, 0, 0, 0, 0));
    }

    @Test
    void theDifferenceKeepsTheMemoryOfTheEnd() {
        ProcessUsage before = new ProcessUsage(1.5, 100, 10, 20, 1_000);
        ProcessUsage after = new ProcessUsage(4, 300, 15, 18, 1_500);
        assertThat(after.since(before)).isEqualTo(new ProcessUsage(2.5, 300, 5, 0, 500));
    }

    @Test
    void theMachineIsBusyForAShareOfItsTime() {
        assertThat(new MachineUsage(150, 400).busySince(new MachineUsage(100, 200)))
                .isEqualTo(0.25);
        assertThat(new MachineUsage(0, 0).busySince(new MachineUsage(0, 0))).isZero();
    }
}
