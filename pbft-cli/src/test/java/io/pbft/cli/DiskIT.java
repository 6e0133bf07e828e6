package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.pbft.client.PbftClient;
import io.pbft.client.kv.KvClient;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens to the disks of real processes, and what {@code pbft inspect} and {@code pbft status} say of it. */
class DiskIT {
    private static final Bytes COUNTER = Bytes.utf8("counter");
    private static final int WRITERS = 8;

    /** Of these, of {@link #VALUE_BYTES} each, a state is made whose transfer takes a while. */
    private static final int VALUES = 200;

    private static final int VALUES_AT_ONCE = 10;

    private static final int VALUE_BYTES = 100_000;

    @TempDir
    private Path temp;

    private ReplicaProcesses cluster;

    @BeforeEach
    void makeCluster() throws IOException {
        cluster = new ReplicaProcesses(temp.resolve("cluster"));
    }

    @AfterEach
    void stopAll() {
        cluster.close();
    }

    /** Writes without a pause, each thread one thing after the other, until told to stop. */
    private static final class Writers {
        private static final int TOLD_MIN = 300;

        private final AtomicBoolean stop = new AtomicBoolean();
        private final CountDownLatch enough = new CountDownLatch(TOLD_MIN);

        /** What was acknowledged. */
        final ConcurrentSkipListMap<String, String> told = new ConcurrentSkipListMap<>();

        private final List<CompletableFuture<Long>> increments = new ArrayList<>();

        Writers(KvClient service) {
            for (int i = 0; i < WRITERS; i++) {
                String name = "writer " + i + "/";
                increments.add(CompletableFuture.supplyAsync(
                        () -> write(service, name), task -> new Thread(task, "writer").start()));
            }
        }

        private long write(KvClient service, String name) {
            long times = 0;
            while (!stop.get()) {
                String key = name + times;
                service.put(Bytes.utf8(key), Bytes.utf8("value of " + key));
                told.put(key, "value of " + key);
                service.increment(COUNTER, 1);
                times++;
                enough.countDown();
            }
            return times;
        }

        void awaitEnough() throws InterruptedException {
            assertThat(enough.await(PbftProcess.PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .isTrue();
        }

        void stopAfterThese() {
            stop.set(true);
        }

        /** How often they incremented the counter in all. */
        long finish() throws Exception {
            long sum = 0;
            for (CompletableFuture<Long> each : increments) {
                sum += each.get(PbftProcess.PATIENCE_SECONDS, TimeUnit.SECONDS);
            }
            return sum;
        }
    }

    /** SIGKILL of all four at once while clients write: they go on from their disks alone, in the view they were in. */
    @Test
    void killedAllAtOnceNothingIsLostAndNothingIsDoneTwice() throws Exception {
        cluster.start(0, 1, 2, 3);
        try (PbftClient client = cluster.client(0)) {
            KvClient service = new KvClient(client);
            service.put(Bytes.utf8("k"), Bytes.utf8("v"));
            cluster.kill(0);
            service.put(Bytes.utf8("k"), Bytes.utf8("in a later view"));
            cluster.start(0);
            cluster.awaitCaughtUp(0, 1);

            Writers writers = new Writers(service);
            writers.awaitEnough();
            List<String> told = List.copyOf(writers.told.keySet());
            writers.stopAfterThese();
            cluster.kill(0, 1, 2, 3);
            for (int id = 0; id < 4; id++) {
                JsonNode found = cluster.inspect(id, 0);
                assertThat(found.get("promisesLost").asBoolean()).isFalse();
                assertThat(found.get("view").asLong()).isEqualTo(1);
            }

            cluster.start(0, 1, 2, 3);
            for (int id = 0; id < 4; id++) {
                cluster.process(id).awaitErr(line -> line.contains("serves on") && line.contains(": view 1, executed"));
            }
            long increments = writers.finish();
            assertThat(service.increment(COUNTER, 0)).as(cluster.said()).isEqualTo(increments);
            assertThat(told).hasSizeGreaterThanOrEqualTo(Writers.TOLD_MIN);
            for (String key : told) {
                assertThat(service.get(Bytes.utf8(key))).as(key).contains(Bytes.utf8("value of " + key));
            }
            assertThat(cluster.status(0).get("viewChanges").asLong()).isZero();
        }
    }

    private static Bytes value(int i) {
        String name = "value " + i + " ";
        return Bytes.utf8(name.repeat(VALUE_BYTES / name.length()));
    }

    private static void fill(KvClient service) throws Exception {
        for (int i = 0; i < VALUES; i += VALUES_AT_ONCE) {
            List<CompletableFuture<?>> puts = new ArrayList<>();
            for (int j = i; j < i + VALUES_AT_ONCE; j++) {
                puts.add(service.putAsync(Bytes.utf8("large " + j), value(j)));
            }
            for (CompletableFuture<?> put : puts) {
                put.get(PbftProcess.PATIENCE_SECONDS, TimeUnit.SECONDS);
            }
        }
        // Past the window, so that what is missed is not to be had but by state transfer.
        for (int i = 0; i < 80; i++) {
            service.increment(COUNTER, 1);
        }
    }

    @Test
    void whoWasAwayOrIsDamagedFetchesTheState() throws Exception {
        // Of three, each one's vote is needed; of four, three can decide before the fourth has voted.
        cluster.start(0, 1, 3);
        try (PbftClient client = cluster.client(0)) {
            KvClient service = new KvClient(client);
            service.put(Bytes.utf8("k"), Bytes.utf8("v"));
            cluster.kill(3);
            assertThat(cluster.inspect(3, 0).get("promises").has("COMMIT")).isTrue();
            cluster.start(2);
            fill(service);

            cluster.start(3);
            JsonNode transfer = cluster.awaitStatus(3, DiskIT::showsTransfer).get("transfer");
            assertThat(transfer.get("target").asLong()).isPositive();
            assertThat(transfer.get("sources")).hasSize(3);
            assertThat(transfer.get("phase").asText()).isIn("FETCHING", "INSTALLING");
            JsonNode whole = cluster.awaitCaughtUp(3, 0);
            assertThat(whole.get("stableCheckpoint").asLong()).isPositive();
            CommandRun running = CommandRun.of("inspect", "--dir", cluster.dir, "--id", 3);
            assertThat(running.exit()).isEqualTo(2);
            assertThat(running.err()).contains("in use");

            cluster.stop(3);
            Path data = cluster.folder(3).resolve("state/data.mdb");
            flipIn(data, value(7).toUtf8().substring(0, 1_000));
            JsonNode found = cluster.inspect(3, 1);
            assertThat(found.get("promisesLost").asBoolean()).isFalse();
            assertThat(found.get("damages").get(0).asText()).contains(data.toString());
            cluster.start(3);
            assertThat(cluster.process(3).err()).contains("is damaged", "It is put aside, and fetched from the others");
            cluster.awaitCaughtUp(3, 0);

            // With another one away, nothing is answered without the one that was repaired.
            cluster.kill(2);
            assertThat(service.increment(COUNTER, 1)).isEqualTo(81);
            assertThat(service.get(Bytes.utf8("large 7"))).contains(value(7));
        }
    }

    private static boolean showsTransfer(JsonNode status) {
        JsonNode transfer = status.get("transfer");
        return !transfer.isNull() && transfer.get("bytesReceived").asLong() > 0;
    }

    /** Damages each copy of {@code text} that a file holds: old pages hold some too. */
    private static void flipIn(Path file, String text) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        byte[] wanted = text.getBytes(StandardCharsets.UTF_8);
        int hits = 0;
        for (int at = 0; at <= bytes.length - wanted.length; at++) {
            if (bytes[at] == wanted[0] && Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                bytes[at + wanted.length / 2] ^= 1;
                hits++;
            }
        }
        assertThat(hits).isPositive();
        Files.write(file, bytes);
    }

    @Test
    void aReplicaWhoseDiskIsGoneStartsOnlyWhenToldToRejoin() throws Exception {
        assertThat(cluster.inspect(3, 0).get("neverStarted").asBoolean()).isTrue();
        cluster.start(0, 1, 2, 3);
        try (PbftClient client = cluster.client(0)) {
            KvClient service = new KvClient(client);
            service.increment(COUNTER, 1);
            cluster.awaitStatus(3, status -> status.get("lastExecuted").asLong() > 0);
            cluster.kill(3);
            Path folder = cluster.folder(3);
            delete(folder.resolve("journal"));
            assertThat(cluster.refused(3).err()).contains("is gone", "--rejoin");
            assertThat(cluster.inspect(3, 1).get("promisesLost").asBoolean()).isTrue();

            // A new disk, on which nothing is but the key.
            delete(folder.resolve("state"));
            Files.delete(folder.resolve("journal.mark"));
            assertThat(cluster.refused(3).err()).contains("nothing says that replica 3 never ran", "--rejoin");

            cluster.startRejoining(3);
            cluster.awaitStatus(3, status -> status.get("state").asText().equals("NORMAL"));
            cluster.awaitCaughtUp(3, 0);
            // It votes again: with another one away there is no quorum without it.
            cluster.kill(2);
            assertThat(service.increment(COUNTER, 1)).isEqualTo(2);
            cluster.awaitCaughtUp(3, 0);
            assertThat(folder.resolve("rejoining")).doesNotExist();
            cluster.stop(3);
            assertThat(cluster.inspect(3, 0).get("rejoining").asBoolean()).isFalse();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    @Test
    void damageToPromisesIsSaidWithWhatToDo() throws Exception {
        // Of three, each one's vote is needed.
        cluster.start(0, 1, 2);
        try (PbftClient client = cluster.client(0)) {
            new KvClient(client).increment(COUNTER, 1);
        }
        cluster.stop(1);
        Path segment = cluster.folder(1).resolve("journal/segment-000000000001");
        byte[] bytes = Files.readAllBytes(segment);
        bytes[4096 + 32 + 29 + 3] ^= 1;
        Files.write(segment, bytes);
        JsonNode found = cluster.inspect(1, 1);
        assertThat(found.get("promisesLost").asBoolean()).as(found.toString()).isTrue();
        assertThat(found.get("damages").get(0).asText()).contains(segment.toString());
        assertThat(cluster.refused(1).err()).contains(segment.toString(), "--rejoin");
        CommandRun text = CommandRun.of("inspect", "--dir", cluster.dir, "--id", 1);
        assertThat(text.out()).contains("DAMAGE", "it starts only with --rejoin");
    }
}
