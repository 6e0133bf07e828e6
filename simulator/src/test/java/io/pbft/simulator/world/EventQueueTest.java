package io.pbft.simulator.world;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EventQueueTest {
    private record Event(long time, int order) {}

    @Test
    void runsEventsByTimeAndThenInTheOrderOfTheirArrival() {
        SplittableRandom random = new SplittableRandom(1);
        EventQueue queue = new EventQueue();
        List<Event> expected = new ArrayList<>();
        List<Event> seen = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            Event event = new Event(random.nextInt(500), i);
            expected.add(event);
            queue.at(event.time(), () -> {
                assertThat(queue.now()).isEqualTo(event.time());
                seen.add(event);
            });
        }
        while (queue.step()) {}
        expected.sort(Comparator.comparingLong(Event::time));
        assertThat(seen).isEqualTo(expected);
        assertThat(queue.executed()).isEqualTo(5_000);
    }

    @Test
    void whatShouldHaveHappenedInThePastHappensNow() {
        EventQueue queue = new EventQueue();
        List<Long> times = new ArrayList<>();
        queue.at(10, () -> queue.at(3, () -> times.add(queue.now())));
        while (queue.step()) {}
        assertThat(times).containsExactly(10L);
    }
}
