package io.pbft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.pbft.client.core.Ignored;
import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Limits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client as an application sees it, with replicas in the same process. */
@Timeout(60)
class PbftClientTest {
    private static final Bytes OP = Bytes.utf8("operation");
    private static final Bytes RESULT = Bytes.utf8("noitarepo");
    private static final Duration SOON = Duration.ofMillis(20);

    private final TestCluster cluster = new TestCluster(4);
    private final FakeNetwork network = new FakeNetwork(cluster);
    private final ClientConfig config = ClientConfig.of(cluster.config(), 0, TestCluster.clientKey(0));

    @Test
    void anOperationReturnsItsResultWithAReceiptThatHolds() {
        try (PbftClient client = PbftClient.connect(config, network)) {
            Reply reply = client.call(OP);

            assertThat(reply.result()).isEqualTo(RESULT);
            assertThat(reply.seq()).isEqualTo(1);
            Receipt receipt = reply.receipt().orElseThrow();
            assertThat(Receipt.verify(cluster.config(), TestCluster.SCHEME, receipt.encode()))
                    .isEqualTo(new Receipt.Verdict(true, ""));
        }
        assertThat(network.isClosed()).isTrue();
    }

    @Test
    void oneClientServesManyThreadsAndTheyShareSignatures() throws Exception {
        int threads = 16;
        int each = 50;
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try (PbftClient client = PbftClient.connect(config, network)) {
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int thread = t;
                running.add(executor.submit(() -> {
                    for (int i = 0; i < each; i++) {
                        Bytes operation = Bytes.utf8("thread " + thread + " operation " + i);
                        assertThat(client.call(operation).result()).isEqualTo(TestCluster.reverse(operation));
                    }
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
            assertThat(network.requests.stream()
                            .mapToInt(r -> r.operations().size())
                            .sum())
                    .isGreaterThanOrEqualTo(threads * each);
            assertThat(network.requests).hasSizeLessThan(threads * each);
            assertThat(client.report().get().pending()).isZero();
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void callsMadeByTheCallbacksOfSeveralAnswersShareARequest() throws Exception {
        network.holdTicks();
        BlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
        try (PbftClient client = PbftClient.connect(config.withCallbacks(callbacks::add), network)) {
            List<CompletableFuture<Reply>> second = submitInPairs(client, 20);

            // The callbacks of 20 answers, and what tells the client that they have run.
            for (int i = 0; i <= 20; i++) {
                callbacks.take().run();
            }
            for (int i = 0; i <= 20; i++) {
                callbacks.take().run();
            }

            assertThat(second).allMatch(CompletableFuture::isDone);
            assertThat(network.requests).extracting(r -> r.operations().size()).containsExactly(20, 20);
        }
    }

    @Test
    void callsDoNotWaitForCallbacksThatTakeLong() throws Exception {
        BlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
        try (PbftClient client = PbftClient.connect(config.withCallbacks(callbacks::add), network)) {
            List<CompletableFuture<Reply>> second = submitInPairs(client, 20);

            // The first callback makes its call; the next one never ends, and nobody tells the client that all have
            // run.
            callbacks.take().run();
            for (int i = 0; i < 20; i++) {
                callbacks.take();
            }

            callbacks.take().run();
            assertThat(second.stream().filter(CompletableFuture::isDone)).hasSize(1);
        }
    }

    /** Submits so many operations together, each followed by another when it is answered; those are returned. */
    private List<CompletableFuture<Reply>> submitInPairs(PbftClient client, int pairs) {
        return CompletableFuture.supplyAsync(
                        () -> IntStream.range(0, pairs)
                                .mapToObj(i -> client.submit(OP).thenCompose(reply -> client.submit(OP)))
                                .toList(),
                        network.executor())
                .join();
    }

    @Test
    void fLiarsOrMuteReplicasAreNotNoticed() {
        network.withLiar(2);
        try (PbftClient client = PbftClient.connect(config, network)) {
            for (int i = 0; i < 20; i++) {
                assertThat(client.call(OP).result()).isEqualTo(RESULT);
                assertThat(client.query(OP, ReadMode.FAST).result()).isEqualTo(RESULT);
                assertThat(client.query(OP, ReadMode.STALE).result()).isEqualTo(RESULT);
            }
        }
        FakeNetwork other = new FakeNetwork(cluster).withMute(3);
        try (PbftClient client = PbftClient.connect(config, other)) {
            assertThat(client.call(OP).result()).isEqualTo(RESULT);
            Reply read = client.query(OP, ReadMode.FAST);
            assertThat(read.result()).isEqualTo(RESULT);
            assertThat(read.receipt()).isEmpty();
            assertThat(client.query(OP, ReadMode.ORDERED).receipt()).isPresent();
        }
    }

    @Test
    void aMutePrimaryIsPassedByWithTheVerySameSignedBytes() {
        network.withMute(0);
        try (PbftClient client = PbftClient.connect(config, network)) {
            assertThat(client.call(OP).result()).isEqualTo(RESULT);
        }
        assertThat(network.requestFrames).hasSizeGreaterThan(1);
        assertThat(network.requestFrames.stream().distinct()).hasSize(1);
    }

    @Test
    void anErrorOfTheStateMachineAndARejectionAreTypedAndProven() {
        try (PbftClient client = PbftClient.connect(config, network)) {
            var failed =
                    catchThrowableOfType(OperationFailedException.class, () -> client.call(Bytes.utf8("fail, please")));
            assertThat(failed).hasMessage("it cannot be");
            assertThat(failed.receipt()
                            .orElseThrow()
                            .verify(cluster.config(), TestCluster.SCHEME)
                            .valid())
                    .isTrue();

            for (RejectedException.Reason reason : RejectedException.Reason.values()) {
                Bytes operation = Bytes.utf8(reason.name());
                var rejected = catchThrowableOfType(RejectedException.class, () -> client.call(operation));
                assertThat(rejected.reason()).isEqualTo(reason);
                assertThat(rejected).hasMessageContaining(reason.name());
                assertThat(rejected.receipt()
                                .orElseThrow()
                                .verify(cluster.config(), TestCluster.SCHEME)
                                .valid())
                        .isTrue();
            }
            // Whatever was rejected, the client goes on, be it in another session.
            assertThat(client.call(OP)).isNotNull();
        }
    }

    @Test
    void aDeadlineThatPassesAfterSendingLeavesTheOutcomeUnknownUntilItBecomesKnown() {
        network.executing(false);
        try (PbftClient client = PbftClient.connect(config, network)) {
            CompletableFuture<Reply> future = client.submit(OP, SOON);
            var unknown = catchThrowableOfType(OutcomeUnknownException.class, () -> PbftClient.await(future));

            network.executing(true);

            assertThat(unknown.later().join().result()).isEqualTo(RESULT);
        }
        assertThat(network.requestFrames.stream().distinct())
                .as("one number, one signature")
                .hasSize(1);
    }

    @Test
    void aDeadlineThatPassesBeforeSendingIsCertain() {
        OneThread executor = new OneThread();
        Network nowhere = new Network() {
            @Override
            public ScheduledExecutorService executor() {
                return executor;
            }

            @Override
            public boolean isOnExecutor() {
                return executor.isCurrent();
            }

            @Override
            public void start(Listener listener) {}

            @Override
            public boolean send(int replica, Bytes frame) {
                return false;
            }

            @Override
            public void pause(int replica) {}

            @Override
            public void resume(int replica) {}

            @Override
            public void close() {
                executor.shutdown();
            }
        };
        try (PbftClient client = PbftClient.connect(config, nowhere)) {
            assertThatThrownBy(() -> PbftClient.await(client.submit(OP, SOON))).isInstanceOf(NotSentException.class);
            assertThatThrownBy(() -> PbftClient.await(client.read(OP, ReadMode.FAST, SOON)))
                    .isInstanceOf(ReadTimeoutException.class);
        }
    }

    @Test
    void beyondWhatMayBeOutstandingACallFailsOrWaitsAsChosen() {
        network.executing(false);
        ClientConfig two = config.withOutstandingMax(2, 1 << 20);
        try (PbftClient client = PbftClient.connect(two.withWhenFull(ClientConfig.WhenFull.FAIL_FAST), network)) {
            CompletableFuture<Reply> one = client.submit(OP);
            CompletableFuture<Reply> other = client.submit(OP);
            assertThatThrownBy(() -> client.call(OP)).isInstanceOf(OverloadedException.class);
            network.executing(true);
            assertThat(one.join().result()).isEqualTo(other.join().result());
        }
        network.executing(true);
        FakeNetwork fresh = new FakeNetwork(cluster);
        try (PbftClient client = PbftClient.connect(two, fresh)) {
            List<CompletableFuture<Reply>> all = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                all.add(client.submit(OP));
            }
            assertThat(all).allSatisfy(one -> assertThat(one.join().result()).isEqualTo(RESULT));
        }
    }

    @Test
    void bytesAreBoundedToo() {
        network.executing(false);
        ClientConfig small = config.withOutstandingMax(100, Limits.OPERATION_BYTES_MAX)
                .withWhenFull(ClientConfig.WhenFull.FAIL_FAST)
                .withCloseTimeout(SOON);
        try (PbftClient client = PbftClient.connect(small, network)) {
            CompletableFuture<Reply> big = client.submit(TestCluster.large(Limits.OPERATION_BYTES_MAX, 1));
            assertThatThrownBy(() -> client.call(OP)).isInstanceOf(OverloadedException.class);
            assertThat(big).isNotDone();
            assertThatThrownBy(() -> client.submit(TestCluster.large(Limits.OPERATION_BYTES_MAX + 1, 1)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aCancelledFutureGivesItsRoomBack() throws Exception {
        network.executing(false);
        ClientConfig one = config.withOutstandingMax(1, 1 << 20).withCloseTimeout(SOON);
        try (PbftClient client = PbftClient.connect(one, network)) {
            CompletableFuture<Reply> future = client.submit(OP);
            assertThat(client.report().get().pending()).as("it is sent").isEqualTo(1);
            assertThat(future.cancel(true)).isTrue();
            assertThatThrownBy(future::join).isInstanceOf(CancellationException.class);
            network.executing(true);
            assertThat(client.call(OP).result()).isEqualTo(RESULT);
            assertThat(client.report().get().next())
                    .as("no number is used twice")
                    .isEqualTo(3);
        }
    }

    @Test
    void closingWaitsForWhatIsOutstandingAndReportsWhatIsNot() {
        network.executing(false);
        PbftClient client = PbftClient.connect(config, network);
        CompletableFuture<Reply> sent = client.submit(OP);
        client.report().join();

        assertThat(client.close(SOON)).isEqualTo(1);

        assertThatThrownBy(() -> PbftClient.await(sent)).isInstanceOf(OutcomeUnknownException.class);
        assertThatThrownBy(() -> client.call(OP)).isInstanceOf(ClosedException.class);
        assertThat(client.close(SOON)).as("again").isEqualTo(1);
        client.close();
    }

    @Test
    void closingLosesNothingThatIsAnswered() {
        PbftClient client = PbftClient.connect(config, network);
        List<CompletableFuture<Reply>> all = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            all.add(client.submit(OP));
        }
        assertThat(client.close(Duration.ofSeconds(30))).isZero();
        assertThat(all).allSatisfy(one -> assertThat(one.join().result()).isEqualTo(RESULT));
    }

    @Test
    void aCallbackMayBlockAndCallAgain() throws Exception {
        ExecutorService callbacks = Executors.newCachedThreadPool();
        CountDownLatch release = new CountDownLatch(1);
        try (PbftClient client = PbftClient.connect(config.withCallbacks(callbacks), network)) {
            CompletableFuture<Void> blocked = client.submit(OP).thenAccept(reply -> {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            CompletableFuture<Bytes> nested = client.submit(OP)
                    .thenApply(reply -> client.call(reply.result()).result());
            assertThat(nested.get()).isEqualTo(OP);
            release.countDown();
            blocked.get();
        } finally {
            callbacks.shutdownNow();
        }
    }

    @Test
    void aCallbackOnTheClientsOwnThreadCannotWaitButMaySubmitAndClose() {
        PbftClient client = PbftClient.connect(config.withCallbacks(Runnable::run), network);
        CompletableFuture<Reply> gate = new CompletableFuture<>();
        CompletableFuture<Reply> nested = new CompletableFuture<>();
        CompletableFuture<Throwable> refused = new CompletableFuture<>();
        List<CompletableFuture<Void>> chained = new ArrayList<>();
        network.executing(false);
        CompletableFuture<Reply> first = client.submit(OP).whenComplete((reply, error) -> {
            try {
                client.call(OP);
            } catch (IllegalStateException e) {
                refused.complete(e);
            }
            chained.add(client.submit(OP).thenAccept(again -> {
                client.close();
                nested.complete(again);
            }));
            gate.complete(reply);
        });
        network.executing(true);

        assertThat(first.join().result()).isEqualTo(RESULT);
        assertThat(gate.join().result()).isEqualTo(RESULT);
        assertThat(refused.join()).hasMessageContaining("own thread");
        assertThat(nested.join().result()).isEqualTo(RESULT);
        assertThat(chained).hasSize(1);
        assertThatThrownBy(() -> client.call(OP)).isInstanceOf(ClosedException.class);
    }

    @Test
    void floodsOfNonsenseAreCountedAndOtherwiseIgnored() throws Exception {
        try (PbftClient client = PbftClient.connect(config, network)) {
            for (int i = 0; i < 1_000; i++) {
                network.inject(1, Bytes.wrap(new byte[] {99, 1, 2, 3}));
                network.inject(2, Bytes.wrap(Codec.encode(new io.pbft.protocol.Status(0, false, 0, 0, true))));
            }
            assertThat(client.call(OP).result()).isEqualTo(RESULT);
            assertThat(client.report().get().ignored()).containsEntry(Ignored.WRONG_TYPE, 1_000L);
        }
    }

    @Test
    void whoFloodsIsNotReadWhileTheOthersAre() throws Exception {
        Bytes small = Bytes.wrap(new byte[] {99});
        Bytes large = Bytes.wrap(new byte[1 << 20]);
        try (PbftClient client = PbftClient.connect(config, network)) {
            CountDownLatch held = new CountDownLatch(1);
            CountDownLatch busy = new CountDownLatch(1);
            Future<?> holding = network.executor().submit(() -> {
                held.countDown();
                busy.await();
                return null;
            });
            held.await();
            try {
                assertThat(framesUntilPaused(1, small)).isEqualTo(ClientLoop.FRAMES_QUEUED_MAX);
                assertThat(framesUntilPaused(2, large)).isEqualTo((int) (ClientLoop.FRAME_BYTES_QUEUED_MAX >> 20));
                assertThat(network.isPaused(0) || network.isPaused(3)).isFalse();
            } finally {
                busy.countDown();
            }
            holding.get();

            assertThat(client.call(OP).result()).isEqualTo(RESULT);
            assertThat(network.isPaused(1) || network.isPaused(2))
                    .as("once what they sent has been looked at")
                    .isFalse();
        }
    }

    private int framesUntilPaused(int replica, Bytes frame) {
        int frames = 0;
        while (!network.isPaused(replica) && frames <= 2 * ClientLoop.FRAMES_QUEUED_MAX) {
            network.inject(replica, frame);
            frames++;
        }
        return frames;
    }

    @Test
    void whoIsNotInTheConfigurationIsToldSo() {
        assertThatThrownBy(() -> ClientConfig.of(cluster.config(), 2, TestCluster.clientKey(0)))
                .isInstanceOf(NotAuthorisedException.class)
                .hasMessageContaining("client 2");
        assertThatThrownBy(() -> ClientConfig.of(cluster.config(), 1, TestCluster.clientKey(0)))
                .isInstanceOf(NotAuthorisedException.class)
                .hasMessageContaining("does not belong");
        assertThatThrownBy(() -> ClientConfig.of(cluster.config(), 0, Bytes.EMPTY))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("privateKey");
        assertThatThrownBy(() -> config.withDeadline(Duration.ZERO))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("deadline");
    }

    @Test
    void aDirectoryIsReadWithItsKeyAndEveryErrorNamesTheFile(@TempDir Path dir) throws Exception {
        assertThatThrownBy(() -> ClientConfig.fromDirectory(dir.resolve("none"), 0))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("none");
        assertThatThrownBy(() -> ClientConfig.fromDirectory(dir, 0))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("cluster.json");
        ClusterConfig written = cluster.config();
        written.write(dir.resolve("cluster.json"));
        assertThatThrownBy(() -> ClientConfig.fromDirectory(dir, 0))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("key.pem");
        Files.createDirectory(dir.resolve("client-0"));
        io.pbft.crypto.KeyFiles.writePrivate(dir.resolve("client-0").resolve("key.pem"), TestCluster.clientKey(0));

        ClientConfig read = ClientConfig.fromDirectory(dir, 0);

        assertThat(read.cluster()).isEqualTo(written);
        assertThat(read.toString()).doesNotContain(TestCluster.clientKey(0).toHex());
        assertThatThrownBy(() -> ClientConfig.fromDirectory(dir, 7)).isInstanceOf(NotAuthorisedException.class);
    }
}
