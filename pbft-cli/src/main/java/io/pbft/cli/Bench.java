package io.pbft.cli;

import io.pbft.client.ClientConfig;
import io.pbft.client.ClientThreads;
import io.pbft.client.PbftClient;
import io.pbft.client.ReadMode;
import io.pbft.client.Reply;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * A closed loop: every client keeps a number of operations outstanding and sends the next one when one is answered. Latencies
 * are what a caller sees, and only what is answered within the measured time counts. In a closed loop a service that stalls is
 * asked less often, so the percentiles say little about a stall; the maximum does.
 */
final class Bench implements AutoCloseable {
    private static final long LATENCY_MICROS_MAX = 120_000_000;
    private static final Bytes READ_KEY = Bytes.utf8("bench/read");

    private final ClientThreads threads =
            ClientThreads.of(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    private final List<PbftClient> clients = new ArrayList<>();
    private final int outstanding;
    private final Bytes value;
    private final double readShare;
    private final Histogram writesMicros = new ConcurrentHistogram(LATENCY_MICROS_MAX, 3);
    private final Histogram readsMicros = new ConcurrentHistogram(LATENCY_MICROS_MAX, 3);
    private final Map<String, LongAdder> errors = new ConcurrentSkipListMap<>();
    private volatile boolean measuring;
    private volatile boolean stopping;

    /**
     * @param size bytes of the value of a write
     * @param readShare of the operations that are fast reads, from 0 to 1
     */
    Bench(List<ClientConfig> identities, int outstanding, int size, double readShare) {
        identities.forEach(identity -> clients.add(PbftClient.connect(identity, threads)));
        this.outstanding = outstanding;
        byte[] bytes = new byte[size];
        new SplittableRandom(size).nextBytes(bytes);
        this.value = Bytes.wrap(bytes);
        this.readShare = readShare;
    }

    /** What one run gave. */
    record Result(double seconds, Histogram writesMicros, Histogram readsMicros, Map<String, Long> errors) {}

    /** @param replySize bytes of the value that reads return */
    Result run(int replySize, int warmUpSeconds, int seconds) throws InterruptedException {
        clients.get(0).call(new KvOperation.Put(READ_KEY, Bytes.wrap(new byte[replySize])).encode());
        List<CompletableFuture<Void>> loops = new ArrayList<>();
        for (int i = 0; i < clients.size(); i++) {
            for (int j = 0; j < outstanding; j++) {
                Loop loop = new Loop(clients.get(i), Bytes.utf8("bench/" + i + "/" + j), loops.size());
                loops.add(loop.ended);
                loop.next();
            }
        }
        CompletableFuture<Void> all = CompletableFuture.allOf(loops.toArray(CompletableFuture<?>[]::new));
        TimeUnit.SECONDS.sleep(warmUpSeconds);
        measuring = true;
        long begun = System.nanoTime();
        TimeUnit.SECONDS.sleep(seconds);
        measuring = false;
        double measured = (System.nanoTime() - begun) / 1e9;
        stopping = true;
        all.join();
        Map<String, Long> counts = new TreeMap<>();
        errors.forEach((error, count) -> counts.put(error, count.sum()));
        return new Result(measured, writesMicros, readsMicros, counts);
    }

    @Override
    public void close() {
        threads.close();
    }

    private final class Loop {
        private final PbftClient client;
        private final Bytes write;
        private final Bytes read = new KvOperation.Get(READ_KEY).encode();
        private final SplittableRandom random;
        private final CompletableFuture<Void> ended = new CompletableFuture<>();

        Loop(PbftClient client, Bytes key, int number) {
            this.client = client;
            this.write = new KvOperation.Put(key, value).encode();
            this.random = new SplittableRandom(number);
        }

        void next() {
            if (stopping) {
                ended.complete(null);
                return;
            }
            boolean reads = random.nextDouble() < readShare;
            long begun = System.nanoTime();
            CompletableFuture<Reply> answer = reads ? client.read(read, ReadMode.FAST) : client.submit(write);
            CompletableFuture<Void> step = answer.handle((reply, error) -> {
                answered(reads ? readsMicros : writesMicros, begun, error);
                if (error == null) {
                    next();
                } else {
                    ended.complete(null);
                }
                return null;
            });
            if (step.isCompletedExceptionally()) {
                ended.complete(null);
            }
        }

        private void answered(Histogram histogram, long begun, @Nullable Throwable error) {
            if (error != null) {
                Throwable cause = error instanceof CompletionException wrapped && wrapped.getCause() != null
                        ? wrapped.getCause()
                        : error;
                errors.computeIfAbsent(cause.getClass().getSimpleName(), any -> new LongAdder())
                        .increment();
            } else if (measuring) {
                histogram.recordValue(Math.min(LATENCY_MICROS_MAX, (System.nanoTime() - begun) / 1_000));
            }
        }
    }
}
