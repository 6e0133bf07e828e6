package io.pbft.cli.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoadTest {
    @Test
    void aClosedLoopKeepsEachWorkersOneOperationUnderWay() {
        Deque<CompletableFuture<Void>> underWay = new ArrayDeque<>();
        List<Integer> begun = new ArrayList<>();
        Load load = new Load(1, worker -> {
            begun.add(worker);
            CompletableFuture<Void> answer = new CompletableFuture<>();
            underWay.add(answer);
            return new Load.Started(0, answer);
        });
        load.startClosed(2);
        assertThat(begun).containsExactly(0, 1);
        load.beginMeasuring();
        underWay.remove().complete(null);
        assertThat(begun).containsExactly(0, 1, 0);
        assertThat(load.answered()).isEqualTo(1);
        Load.Measured measured = load.endMeasuring();
        assertThat(measured.operations()).isEqualTo(1);
        underWay.remove().complete(null);
        assertThat(begun).containsExactly(0, 1, 0, 1);
        assertThat(measured.operations())
                .as("what is answered later does not count")
                .isEqualTo(1);

        CompletableFuture<Void> closed = CompletableFuture.runAsync(load::close);
        while (!closed.isDone()) {
            CompletableFuture<Void> next = underWay.poll();
            if (next != null) {
                next.complete(null);
            }
        }
        closed.join();
    }

    @Test
    void failuresAreCountedByKindAndNotMeasured() {
        List<CompletableFuture<Void>> answers = new ArrayList<>();
        try (Load load = new Load(1, worker -> {
            CompletableFuture<Void> answer = answers.isEmpty()
                    ? new CompletableFuture<>()
                    : CompletableFuture.failedFuture(new IllegalStateException("refused"));
            answers.add(answer);
            return new Load.Started(0, answer);
        })) {
            load.startClosed(1);
            load.beginMeasuring();
            answers.get(0).complete(null);
            Load.Measured measured = load.endMeasuring();
            assertThat(measured.operations()).isEqualTo(1);
            assertThat(measured.errors()).containsOnlyKeys("IllegalStateException");
            assertThat(measured.errors().get("IllegalStateException")).isGreaterThan(1);
        }
    }

    /** A service that answers nothing for a while: what was to begin meanwhile is late by as much, and that is in its latency. */
    @Test
    void anOpenLoopCountsFromTheIntendedStart() throws InterruptedException {
        long stallNanos = TimeUnit.MILLISECONDS.toNanos(30);
        CompletableFuture<Void> stall = new CompletableFuture<>();
        CountDownLatch full = new CountDownLatch(Load.OPEN_OUTSTANDING_MAX);
        try (Load load = new Load(2, worker -> {
            full.countDown();
            return new Load.Started(stall.isDone() ? 1 : 0, stall);
        })) {
            load.beginMeasuring();
            load.startOpen(1e6, 1);
            full.await();
            long end = System.nanoTime() + stallNanos;
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            stall.complete(null);
            while (load.answered() <= Load.OPEN_OUTSTANDING_MAX) {
                Thread.onSpinWait();
            }
            // Begun behind the stall and answered at once: all of its latency is what it waited to begin.
            long latest = load.endMeasuring().latencyMicros().get(1).getMaxValue();
            assertThat(latest).isGreaterThan(TimeUnit.NANOSECONDS.toMicros(stallNanos) / 2);
        }
    }
}
