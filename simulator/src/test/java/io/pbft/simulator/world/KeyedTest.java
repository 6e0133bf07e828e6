package io.pbft.simulator.world;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class KeyedTest {
    private static List<Long> fired(FaultPlan plan) {
        Keyed keyed = new Keyed(42, plan);
        List<Long> keys = new ArrayList<>();
        for (long key = 0; key < 1_000; key++) {
            if (keyed.fires(Fault.DROP, 0.1, key, 0, key)) {
                keys.add(key);
            }
        }
        return keys;
    }

    @Test
    void aDecisionTakenOutLeavesTheOthersAsTheyWere() {
        FaultPlan plan = new FaultPlan();
        List<Long> all = fired(plan);
        assertThat(all).hasSizeBetween(60, 140);
        assertThat(plan.fired()).hasSameSizeAs(all);

        FaultPlan.Decision third = plan.fired().get(2);
        List<Long> without = fired(new FaultPlan(new TreeSet<>(List.of(third.id()))));

        List<Long> expected = new ArrayList<>(all);
        expected.remove(2);
        assertThat(without).isEqualTo(expected);
    }

    @Test
    void theSameQuestionHasTheSameAnswerWheneverItIsAsked() {
        Keyed one = new Keyed(7, new FaultPlan());
        Keyed two = new Keyed(7, new FaultPlan());
        long first = one.bits(Fault.LATENCY, 5, 0);
        one.bits(Fault.LATENCY, 6, 0);
        assertThat(two.bits(Fault.LATENCY, 6, 0)).isEqualTo(one.bits(Fault.LATENCY, 6, 0));
        assertThat(two.bits(Fault.LATENCY, 5, 0)).isEqualTo(first);
        assertThat(new Keyed(8, new FaultPlan()).bits(Fault.LATENCY, 5, 0)).isNotEqualTo(first);
    }
}
