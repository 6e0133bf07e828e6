package io.pbft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.client.kv.KvClient;
import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that share threads, and clients that many threads use, cancel and close at the same time. */
@Timeout(120)
class ClientThreadsTest {
    private static final Bytes OP = Bytes.utf8("operation");
    private static final Bytes RESULT = TestCluster.reverse(OP);

    private final TestCluster cluster = new TestCluster(4);
    private final ClientConfig config = ClientConfig.of(cluster.config(), 0, TestCluster.clientKey(0));

    @Test
    void clientsShareThreadsAndAreClosedWithThem() {
        try (RealReplicas replicas = RealReplicas.correct(new FakeNetwork(cluster))) {
            ClientThreads threads = ClientThreads.of(1);
            PbftClient first = PbftClient.connect(replicas.client(), threads);
            PbftClient second = PbftClient.connect(replicas.client(), threads);
            assertThat(first.call(OP).result()).isEqualTo(RESULT);
            assertThat(second.call(OP).result()).isEqualTo(RESULT);

            first.close();
            assertThat(second.call(OP).result())
                    .as("the other one's end is not mine")
                    .isEqualTo(RESULT);

            threads.close();
            assertThatThrownBy(() -> second.call(OP)).isInstanceOf(ClosedException.class);
            assertThatThrownBy(() -> PbftClient.connect(replicas.client(), threads))
                    .isInstanceOf(ClosedException.class);
            threads.close();
        }
        assertThatThrownBy(() -> ClientThreads.of(0)).isInstanceOf(ConfigException.class);
    }

    @Test
    void aCallbackOfOneClientOnTheSharedThreadCannotWaitForAnother() {
        try (RealReplicas replicas = RealReplicas.correct(new FakeNetwork(cluster));
                ClientThreads threads = ClientThreads.of(1)) {
            PbftClient direct = PbftClient.connect(replicas.client().withCallbacks(Runnable::run), threads);
            PbftClient other = PbftClient.connect(replicas.client(), threads);
            CompletableFuture<Object> waits =
                    direct.submit(OP).thenApply(reply -> other.call(OP).result());
            assertThatThrownBy(waits::join).hasRootCauseInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aResultThatIsNoneOfTheServiceSaysSo() {
        try (PbftClient client = PbftClient.connect(config, new FakeNetwork(cluster))) {
            KvClient kv = new KvClient(client);
            Bytes key = Bytes.utf8("key");
            assertThatThrownBy(() -> kv.put(key, OP))
                    .isInstanceOf(WrongServiceException.class)
                    .hasMessageContaining("do not run the key-value service");
            assertThatThrownBy(() -> kv.get(key)).isInstanceOf(WrongServiceException.class);
            assertThatThrownBy(() -> KvClient.await(kv.incrementAsync(key, 1)))
                    .isInstanceOf(WrongServiceException.class);
        }
    }

    /**
     * Submits, reads, cancellations, reports and the end of the client race on many threads, from a seed for each round. Every
     * future ends, and ends in one of the ways that are documented; what is admitted is given back.
     */
    @Test
    void whateverRacesEveryFutureEnds() throws Exception {
        int threads = 4;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            for (int round = 0; round < 60; round++) {
                FakeNetwork network = new FakeNetwork(cluster);
                ClientConfig narrow = config.withOutstandingMax(8, 1 << 20)
                        .withWhenFull(round % 2 == 0 ? ClientConfig.WhenFull.WAIT : ClientConfig.WhenFull.FAIL_FAST);
                PbftClient client = PbftClient.connect(narrow, network);
                race(client, pool, threads, round);
                assertThat(client.close(narrow.closeTimeout())).isZero();
            }
        } finally {
            pool.shutdownNow();
        }
    }

    private static void race(PbftClient client, ExecutorService pool, int threads, int round) throws Exception {
        CyclicBarrier together = new CyclicBarrier(threads);
        ConcurrentLinkedQueue<CompletableFuture<?>> futures = new ConcurrentLinkedQueue<>();
        List<Future<?>> running = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int thread = t;
            running.add(pool.submit(() -> {
                SplittableRandom random = new SplittableRandom(1_000L * round + thread);
                together.await();
                for (int i = 0; i < 60; i++) {
                    CompletableFuture<?> future = switch (random.nextInt(5)) {
                        case 0 -> client.read(OP, ReadMode.FAST);
                        case 1 -> client.read(OP, ReadMode.STALE);
                        case 2 -> client.report();
                        default -> client.submit(OP);
                    };
                    futures.add(future);
                    if (random.nextInt(4) == 0) {
                        future.cancel(true);
                    }
                    if (thread == 0 && i == 40) {
                        client.close();
                    }
                }
                return null;
            }));
        }
        for (Future<?> one : running) {
            one.get();
        }
        for (CompletableFuture<?> future : futures) {
            try {
                if (future.join() instanceof Reply reply) {
                    assertThat(reply.result()).isEqualTo(RESULT);
                }
            } catch (CancellationException e) {
                assertThat(future.isCancelled()).isTrue();
            } catch (CompletionException e) {
                assertThat(e.getCause()).isInstanceOfAny(ClosedException.class, OverloadedException.class);
            }
        }
    }
}
