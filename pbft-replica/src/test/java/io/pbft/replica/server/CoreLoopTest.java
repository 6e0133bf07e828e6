package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Commit;
import io.pbft.protocol.NodeId;
import io.pbft.replica.DriverBench;
import io.pbft.replica.core.Input;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CoreLoopTest {
    private static final int TICK_MILLIS = 10;

    private final AtomicLong nanos = new AtomicLong();
    private final Inbox inbox = new Inbox();
    private final Admission admission = new Admission();
    private final DriverBench bench = new DriverBench(input -> List.of());
    private final CoreLoop loop = new CoreLoop(
            bench.driver, message -> {}, inbox, admission, TICK_MILLIS, nanos::get, () -> 7_000 + millis());

    private long millis() {
        return TimeUnit.NANOSECONDS.toMillis(nanos.get());
    }

    private void pass(long advanceMillis) {
        nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(advanceMillis));
        inbox.execute(() -> {}); // so that the pass does not wait
        loop.pass();
    }

    private void arrive(int messages) {
        for (int i = 0; i < messages; i++) {
            assertThat(admission.admit(NodeId.replica(1), 100, new CountingFlow()))
                    .isTrue();
            inbox.put(new Inbox.Admitted(
                    DriverBench.sealer(NodeId.replica(1)).seal(new Commit(0, i + 1, Digest.ZERO, 1)), 100));
        }
    }

    @Test
    void ticksComeAtTheirPace() {
        pass(TICK_MILLIS - 1);
        assertThat(bench.core.inputs).isEmpty();
        pass(1);
        pass(TICK_MILLIS - 1);
        assertThat(bench.core.inputs).containsExactly(new Input.Tick(7_010));
        pass(1);
        assertThat(bench.core.inputs).containsExactly(new Input.Tick(7_010), new Input.Tick(7_020));
    }

    @Test
    void aLateWakeUpIsOneTickHoweverLongTheSleep() {
        pass(60_000);
        pass(0);
        assertThat(bench.core.inputs).containsExactly(new Input.Tick(67_000));
        pass(TICK_MILLIS);
        assertThat(bench.core.inputs).hasSize(2);
    }

    @Test
    void whatWaitedIsTakenBeforeTheTick() {
        arrive(1);
        pass(TICK_MILLIS);
        assertThat(bench.core.inputs).hasSize(2);
        assertThat(bench.core.inputs.get(0)).isInstanceOf(Input.Received.class);
        assertThat(bench.core.inputs.get(1)).isInstanceOf(Input.Tick.class);
    }

    @Test
    void aFloodDelaysATickByAPassAtMostAndLeavesWhenItIsTaken() {
        arrive(CoreLoop.MESSAGES_PER_PASS_MAX + 5);
        pass(TICK_MILLIS);
        assertThat(bench.core.learned(Input.Received.class)).hasSize(CoreLoop.MESSAGES_PER_PASS_MAX);
        assertThat(bench.core.learned(Input.Tick.class)).hasSize(1);
        assertThat(inbox.size()).isEqualTo(5);
        assertThat(admission.messages()).isEqualTo(5);
        pass(0);
        assertThat(admission.messages()).isZero();
    }

    @Test
    void completionsComeFirstAndInTheirOrder() {
        List<String> order = new ArrayList<>();
        arrive(1);
        inbox.execute(() -> order.add("first, with " + bench.core.inputs.size() + " inputs taken"));
        inbox.execute(() -> order.add("second"));
        pass(0);
        assertThat(order).containsExactly("first, with 0 inputs taken", "second");
        assertThat(bench.core.inputs).hasSize(1);
    }

    @Test
    void reportsAreValuesThatGrowOldByAHundredMillisecondsAtMost() {
        long before = loop.report().executedOperations();
        pass(TICK_MILLIS);
        assertThat(loop.report().executedOperations()).isEqualTo(before);
        pass(TimeUnit.NANOSECONDS.toMillis(CoreLoop.REPORT_NANOS));
        assertThat(loop.report().executedOperations()).isEqualTo(2);
    }
}
