package io.pbft.cli;

import io.pbft.client.ClientConfig;
import io.pbft.client.PbftClient;
import io.pbft.client.PbftException;
import io.pbft.client.ReadMode;
import io.pbft.client.Receipt;
import io.pbft.client.Reply;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * The load of the demonstration, and the proof that its results are right. Every worker has keys that nobody else writes, so
 * it can predict each result to the byte: a compare-and-set that must succeed and one that must not, sums, reads and scans. All
 * of them increment one shared counter: an increment that was lost leaves a gap in the results, one that was executed twice
 * leaves a gap too, and one that saw an old state gives a number twice.
 *
 * <p>{@link #start}, {@link #stop} and {@link #close} are one thread's; the rest is thread-safe.
 */
final class DemoWorkload implements AutoCloseable {
    static final Bytes COUNTER = Bytes.utf8("counter");

    private static final int KEYS_PER_WORKER = 8;
    private static final int PROBLEMS_MAX = 20;
    private static final long LATENCY_MICROS_MAX = 120_000_000;

    private final List<PbftClient> clients = new ArrayList<>();
    private final List<Worker> workers = new ArrayList<>();
    private final Queue<String> unanswered = new ConcurrentLinkedQueue<>();
    private final Queue<String> mistakes = new ConcurrentLinkedQueue<>();
    private final AtomicLong answered = new AtomicLong();
    private final Histogram latencyMicros = new ConcurrentHistogram(LATENCY_MICROS_MAX, 3);
    private final PauseMeter pauses = new PauseMeter();
    private volatile boolean stopping;

    DemoWorkload(List<ClientConfig> identities, int workersPerClient) {
        for (ClientConfig identity : identities) {
            PbftClient client = PbftClient.connect(identity);
            clients.add(client);
            for (int i = 0; i < workersPerClient; i++) {
                workers.add(new Worker(client, workers.size()));
            }
        }
    }

    void start() {
        pauses.reset();
        workers.forEach(Worker::start);
    }

    /** Lets every worker finish what it has begun. */
    void stop() throws InterruptedException {
        stopping = true;
        for (Worker worker : workers) {
            worker.join();
        }
    }

    @Override
    public void close() {
        stopping = true;
        clients.forEach(PbftClient::close);
    }

    long answered() {
        return answered.get();
    }

    PauseMeter pauses() {
        return pauses;
    }

    Histogram latencyMicros() {
        return latencyMicros;
    }

    /** What was not answered, or not in time. */
    List<String> unanswered() {
        return List.copyOf(unanswered);
    }

    /** Results that are not what they must be. */
    List<String> mistakes() {
        return List.copyOf(mistakes);
    }

    boolean hasFailed() {
        return !unanswered.isEmpty() || !mistakes.isEmpty();
    }

    /** After the end: what is wrong with the results of the shared counter. Empty: nothing. */
    Optional<String> checkCounter() {
        BitSet seen = new BitSet();
        long increments = 0;
        for (Worker worker : workers) {
            for (long result : worker.counted) {
                if (result < 1 || result > Integer.MAX_VALUE || seen.get((int) result)) {
                    return Optional.of("the number " + result + " was given to two increments");
                }
                seen.set((int) result);
                increments++;
            }
        }
        long value = number(clients.get(0).query(new KvOperation.Get(COUNTER).encode(), ReadMode.ORDERED));
        if (value != increments || seen.length() - 1 != Math.max(increments, 0)) {
            return Optional.of("the counter is " + value + " after " + increments
                    + " increments, and the highest result was " + (seen.length() - 1));
        }
        return Optional.empty();
    }

    /** After the end: in what the service's state differs from what the workers wrote. Empty: in nothing. */
    Optional<String> checkState() {
        for (Worker worker : workers) {
            Map<Bytes, Bytes> found = worker.scan(ReadMode.ORDERED);
            if (!found.equals(worker.model)) {
                return Optional.of(worker.prefix + " should hold " + worker.model + " and holds " + found);
            }
        }
        return Optional.empty();
    }

    /** The receipt of one more operation. */
    Receipt receipt() {
        return clients.get(0)
                .call(new KvOperation.Put(Bytes.utf8("receipt"), Bytes.utf8("this was agreed on")).encode())
                .receipt()
                .orElseThrow(() -> new IllegalStateException("an ordered operation came back without a receipt"));
    }

    private static long number(Reply reply) {
        KvResult.Value found = (KvResult.Value) KvResult.decode(reply.result());
        return found.value().map(bytes -> Long.parseLong(bytes.toUtf8())).orElse(0L);
    }

    private static void note(Queue<String> problems, String problem) {
        if (problems.size() < PROBLEMS_MAX) {
            problems.add(problem);
        }
    }

    /** One closed loop: an operation, its result, the next. */
    private final class Worker extends Thread {
        private final PbftClient client;
        private final SplittableRandom random;
        private final String prefix;
        private final Bytes sumKey;
        private final TreeMap<Bytes, Bytes> model = new TreeMap<>();
        private final List<Long> counted = new ArrayList<>();
        private long sum;
        private long countedLast;
        private long written;

        Worker(PbftClient client, int number) {
            super("demo-worker-" + number);
            setDaemon(true);
            this.client = client;
            this.random = new SplittableRandom(number);
            this.prefix = "worker-" + number + "/";
            this.sumKey = Bytes.utf8(prefix + "sum");
        }

        @Override
        public void run() {
            while (!stopping && !hasFailed()) {
                try {
                    step();
                    answered.incrementAndGet();
                } catch (PbftException e) {
                    note(unanswered, prefix + ": " + e.getMessage());
                } catch (RuntimeException e) {
                    note(mistakes, prefix + ": " + e);
                }
            }
        }

        private void step() {
            Bytes key = Bytes.utf8(prefix + "key-" + random.nextInt(KEYS_PER_WORKER));
            int dice = random.nextInt(100);
            if (dice < 30) {
                count();
            } else if (dice < 50) {
                add(1 + random.nextInt(9));
            } else if (dice < 65) {
                swap(key, Optional.ofNullable(model.get(key)), true);
            } else if (dice < 70) {
                swap(key, Optional.of(Bytes.utf8("never written")), false);
            } else if (dice < 80) {
                put(key);
            } else if (dice < 84) {
                KvResult.Deleted found = (KvResult.Deleted) write(new KvOperation.Delete(key));
                expect("delete " + key.toUtf8(), model.remove(key) != null, found.existed());
            } else if (dice < 97) {
                ReadMode mode = dice < 94 ? ReadMode.FAST : ReadMode.ORDERED;
                KvResult.Value found = (KvResult.Value) read(new KvOperation.Get(key), mode);
                expect("get " + key.toUtf8(), Optional.ofNullable(model.get(key)), found.value());
            } else {
                expect("scan " + prefix, model, scan(ReadMode.FAST));
            }
        }

        private void count() {
            long result = ((KvResult.Incremented) write(new KvOperation.Increment(COUNTER, 1))).value();
            counted.add(result);
            if (result <= countedLast) {
                note(mistakes, prefix + ": the shared counter went from " + countedLast + " to " + result);
            }
            countedLast = result;
        }

        private void add(int by) {
            sum += by;
            KvResult.Incremented result = (KvResult.Incremented) write(new KvOperation.Increment(sumKey, by));
            expect("incr " + sumKey.toUtf8(), sum, result.value());
            model.put(sumKey, Bytes.utf8(Long.toString(sum)));
        }

        private void swap(Bytes key, Optional<Bytes> expected, boolean succeeds) {
            Bytes value = newValue();
            KvResult.Swapped result = (KvResult.Swapped) write(new KvOperation.CompareAndSet(key, expected, value));
            expect("cas " + key.toUtf8(), succeeds, result.done());
            if (succeeds) {
                model.put(key, value);
            }
        }

        private void put(Bytes key) {
            Bytes value = newValue();
            expect("put " + key.toUtf8(), new KvResult.Done(), write(new KvOperation.Put(key, value)));
            model.put(key, value);
        }

        private Bytes newValue() {
            return Bytes.utf8(prefix + written++);
        }

        private Map<Bytes, Bytes> scan(ReadMode mode) {
            KvOperation.Scan all =
                    new KvOperation.Scan(Bytes.utf8(prefix), Optional.empty(), KvOperation.SCAN_ENTRIES_MAX);
            Map<Bytes, Bytes> found = new TreeMap<>();
            ((KvResult.Entries) read(all, mode)).entries().forEach(entry -> found.put(entry.key(), entry.value()));
            return found;
        }

        private KvResult write(KvOperation operation) {
            KvResult result = timed(() -> client.call(operation.encode()));
            pauses.answered();
            return result;
        }

        private KvResult read(KvOperation operation, ReadMode mode) {
            return timed(() -> client.query(operation.encode(), mode));
        }

        private KvResult timed(java.util.function.Supplier<Reply> call) {
            long begun = System.nanoTime();
            KvResult result = KvResult.decode(call.get().result());
            latencyMicros.recordValue(Math.min(LATENCY_MICROS_MAX, (System.nanoTime() - begun) / 1_000));
            return result;
        }

        private void expect(String what, @Nullable Object predicted, @Nullable Object found) {
            if (predicted == null || !predicted.equals(found)) {
                note(mistakes, what + " should give " + predicted + " and gave " + found);
            }
        }
    }
}
