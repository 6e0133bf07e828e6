package io.pbft.examples.bank;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.client.ClientThreads;
import io.pbft.client.PbftClient;
import io.pbft.client.kv.KvClient;
import io.pbft.crypto.Bytes;
import io.pbft.replica.kv.KvStateMachine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many identities in one process, and one that wants everything for itself. */
@Timeout(180)
class ManyClientsTest {
    private static final int MODEST = 60;
    private static final int EACH = 4;
    private static final int GREEDY_OUTSTANDING = 2_000;

    @TempDir
    private Path directory;

    @Test
    void aGreedyClientStarvesNobody() throws Exception {
        try (LocalCluster cluster = new LocalCluster(directory, MODEST + 1, KvStateMachine::new);
                ClientThreads threads = ClientThreads.of(1)) {
            Greedy greedy = new Greedy(PbftClient.connect(cluster.client(MODEST), threads));
            greedy.start();

            List<CompletableFuture<Long>> modest = new ArrayList<>();
            for (int i = 0; i < MODEST; i++) {
                KvClient client = new KvClient(PbftClient.connect(cluster.client(i), threads));
                modest.add(increments(client, Bytes.utf8("modest/" + i), EACH));
            }
            // The greedy one goes on until the others are done: were they starved, this would never end.
            for (CompletableFuture<Long> one : modest) {
                assertThat(one.join()).isEqualTo(EACH);
            }
            assertThat(greedy.stop()).as("it was served as well").isPositive();
        }
    }

    /** One after the other. */
    private static CompletableFuture<Long> increments(KvClient client, Bytes key, int count) {
        CompletableFuture<Long> last = CompletableFuture.completedFuture(0L);
        for (int i = 0; i < count; i++) {
            last = last.thenCompose(before -> client.incrementAsync(key, 1)).thenApply(KvClient.Answer::value);
        }
        return last;
    }

    /** Keeps as much outstanding as it may. */
    private static final class Greedy {
        private final KvClient client;
        private final AtomicBoolean stopping = new AtomicBoolean();
        private final AtomicLong served = new AtomicLong();
        private final List<CompletableFuture<Void>> loops = new ArrayList<>();

        Greedy(PbftClient client) {
            this.client = new KvClient(client);
        }

        void start() {
            for (int i = 0; i < GREEDY_OUTSTANDING; i++) {
                loops.add(loop(Bytes.utf8("greedy/" + i)));
            }
        }

        private CompletableFuture<Void> loop(Bytes key) {
            return client.incrementAsync(key, 1).thenCompose(answer -> {
                served.incrementAndGet();
                return stopping.get() ? CompletableFuture.completedFuture(null) : loop(key);
            });
        }

        long stop() {
            stopping.set(true);
            loops.forEach(CompletableFuture::join);
            return served.get();
        }
    }
}
