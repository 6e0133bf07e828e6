package io.pbft.cli.load;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a service under load, and measures a part of that time.
 *
 * <p><b>Closed loop</b>: each worker sends its next operation when the last one is answered. A service that stalls is asked less
 * often meanwhile, so the percentiles hide the stall; the throughput does not.
 *
 * <p><b>Open loop</b>: operations begin at a fixed rate, whatever comes back, and each one's latency counts from the moment at
 * which it was to begin. A stall delays everything that was to begin during it, and shows in every percentile. At most
 * {@value #OPEN_OUTSTANDING_MAX} operations are outstanding; those behind wait, and their waiting counts.
 *
 * <p>Only what is answered without an error within the measured time is counted. An operation that fails is counted by the
 * kind of its failure; in a closed loop its worker goes on after it, unless the load is being stopped.
 *
 * <p>One thread starts, measures and stops; {@link #answered} is for any.
 */
public final class Load implements AutoCloseable {
    public static final int OPEN_OUTSTANDING_MAX = 16_384;

    private static final long LATENCY_MICROS_MAX = 120_000_000;
    private static final int ERRORS_MAX = 100;

    /** What the load consists of. Called by many threads, for one worker by one at a time. */
    @FunctionalInterface
    public interface Source {
        Started begin(int worker);
    }

    /**
     * An operation under way.
     *
     * @param kind from 0: each kind is counted on its own
     */
    public record Started(int kind, CompletableFuture<?> answer) {}

    /**
     * What a stretch of time gave.
     *
     * @param latencyMicros by kind
     * @param errors failed operations by the class of the failure
     */
    public record Measured(double seconds, List<Histogram> latencyMicros, Map<String, Long> errors) {
        public Measured {
            latencyMicros = List.copyOf(latencyMicros);
        }

        public long operations() {
            return latencyMicros.stream().mapToLong(Histogram::getTotalCount).sum();
        }

        public double perSecond() {
            return operations() / seconds;
        }

        /** All kinds together. */
        public Histogram all() {
            Histogram all = new Histogram(LATENCY_MICROS_MAX, 3);
            latencyMicros.forEach(all::add);
            return all;
        }
    }

    private final Source source;
    private final List<Histogram> latencyMicros = new ArrayList<>();
    private final Map<String, LongAdder> errors = new ConcurrentSkipListMap<>();
    private final LongAdder answered = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final List<CompletableFuture<Void>> ends = new ArrayList<>();
    private volatile boolean measuring;
    private volatile boolean stopping;
    private long measuredFromNanos;

    /** @param kinds how many kinds of operations {@code source} begins */
    public Load(int kinds, Source source) {
        this.source = source;
        for (int i = 0; i < kinds; i++) {
            latencyMicros.add(new ConcurrentHistogram(LATENCY_MICROS_MAX, 3));
        }
    }

    /** Begins a closed loop of so many workers. */
    public void startClosed(int workers) {
        for (int i = 0; i < workers; i++) {
            ClosedLoop loop = new ClosedLoop(i);
            ends.add(loop.ended);
            loop.next();
        }
    }

    /**
     * Begins an open loop.
     *
     * @param perSecond operations
     * @param workers among whom the operations go round
     */
    public void startOpen(double perSecond, int workers) {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        ends.add(ended);
        Thread thread = new Thread(() -> openLoop(perSecond, workers, ended), "load");
        thread.setDaemon(true);
        thread.start();
    }

    /** Operations answered so far, measured or not. */
    public long answered() {
        return answered.sum();
    }

    /** From here on what is answered counts. */
    public void beginMeasuring() {
        latencyMicros.forEach(Histogram::reset);
        measuredFromNanos = System.nanoTime();
        measuring = true;
    }

    public Measured endMeasuring() {
        measuring = false;
        double seconds = (System.nanoTime() - measuredFromNanos) / 1e9;
        Map<String, Long> counts = new TreeMap<>();
        errors.forEach((error, count) -> counts.put(error, count.sum()));
        return new Measured(seconds, latencyMicros.stream().map(Histogram::copy).toList(), counts);
    }

    /** Begins nothing new and waits for what is outstanding. May be called twice. */
    @Override
    public void close() {
        stopping = true;
        CompletableFuture.allOf(ends.toArray(CompletableFuture<?>[]::new)).join();
    }

    private void openLoop(double perSecond, int workers, CompletableFuture<Void> ended) {
        Semaphore room = new Semaphore(OPEN_OUTSTANDING_MAX);
        double everyNanos = TimeUnit.SECONDS.toNanos(1) / perSecond;
        long begun = System.nanoTime();
        try {
            for (long i = 0; !stopping; i++) {
                long intended = begun + (long) (i * everyNanos);
                for (long left = intended - System.nanoTime(); left > 0; left = intended - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                room.acquireUninterruptibly();
                begin((int) (i % workers), intended, failure -> room.release());
            }
            room.acquireUninterruptibly(OPEN_OUTSTANDING_MAX);
            ended.complete(null);
        } catch (Throwable failure) {
            ended.completeExceptionally(failure);
        }
    }

    /** Told how an operation ended; null: well. */
    private interface Ended {
        void accept(@Nullable Throwable failure);
    }

    private void begin(int worker, long intendedNanos, Ended then) {
        Started started = source.begin(worker);
        var unused = started.answer().whenComplete((reply, failure) -> {
            if (failure == null) {
                answered.increment();
                if (measuring) {
                    long micros = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - intendedNanos);
                    latencyMicros.get(started.kind()).recordValue(Math.min(LATENCY_MICROS_MAX, Math.max(0, micros)));
                }
            } else {
                failed.increment();
                Throwable cause = failure instanceof CompletionException wrapped && wrapped.getCause() != null
                        ? wrapped.getCause()
                        : failure;
                errors.computeIfAbsent(cause.getClass().getSimpleName(), any -> new LongAdder())
                        .increment();
            }
            then.accept(failure);
        });
    }

    private final class ClosedLoop {
        private final int worker;
        private final CompletableFuture<Void> ended = new CompletableFuture<>();

        ClosedLoop(int worker) {
            this.worker = worker;
        }

        void next() {
            // A service that fails at once would be asked without end, and each time from within the last answer.
            if (stopping || failed.sum() > ERRORS_MAX) {
                ended.complete(null);
                return;
            }
            try {
                begin(worker, System.nanoTime(), failure -> next());
            } catch (RuntimeException | Error failure) {
                ended.completeExceptionally(failure);
            }
        }
    }
}
