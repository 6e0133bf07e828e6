package io.pbft.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.MemoryStateStore;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StateServerTest {
    private static final int TICK_MILLIS = 10;
    private static final long SEQ = 128;
    private static final int VALUE_BYTES = 100_000;

    private record Sent(int to, StateNodes nodes) {}

    private final MemoryStateStore store = new MemoryStateStore(new MemoryStateStore.Disk());
    private final List<Sent> sent = new ArrayList<>();
    private final StateServer server = new StateServer(
            store,
            new Outbox() {
                @Override
                public void send(NodeId to, Message message) {
                    sent.add(new Sent(to.index(), (StateNodes) message));
                }

                @Override
                public void broadcast(Message message) {
                    throw new AssertionError("nothing of state transfer is for all");
                }
            },
            TICK_MILLIS);

    StateServerTest() {
        store.state().put(Bytes.utf8("k"), Bytes.wrap(new byte[VALUE_BYTES]));
        checkpoint(SEQ);
    }

    private void checkpoint(long seq) {
        store.state().put(Bytes.utf8("n"), Bytes.utf8("" + seq));
        store.checkpoint(seq, Map.of(), root -> {});
    }

    private static StateFetch value() {
        return new StateFetch(SEQ, List.of(Bytes.fromHex("1000"), Bytes.fromHex("1001")));
    }

    private void ticks(int millis) {
        for (int i = 0; i < millis / TICK_MILLIS; i++) {
            server.tick();
        }
    }

    @Test
    void noMoreThanTheRateLeavesHoweverManyAsk() {
        int seconds = 3;
        for (int i = 0; i < seconds * 1_000 / TICK_MILLIS; i++) {
            for (int from = 1; from < 4; from++) {
                for (int k = 0; k < 20; k++) {
                    server.onFetch(from, value());
                }
            }
            server.tick();
        }
        int answers = sent.size();
        long bytes = sent.stream()
                .flatMap(answer -> answer.nodes().nodes().stream())
                .mapToLong(node -> node.content().size())
                .sum();
        assertThat(bytes)
                .isBetween(
                        (long) seconds * StateServer.BYTES_PER_SECOND / 2,
                        (long) seconds * StateServer.BYTES_PER_SECOND + 2 * VALUE_BYTES);
        for (int from = 1; from < 4; from++) {
            int to = from;
            assertThat(sent.stream().filter(answer -> answer.to() == to).count())
                    .as("answers to replica %d", from)
                    .isBetween(answers / 3L - 2, answers / 3L + 2);
        }
    }

    @Test
    void whatWaitsIsBoundedForEach() {
        for (int i = 0; i < 100; i++) {
            server.onFetch(1, value());
        }
        server.onFetch(2, value());
        ticks(2_000);
        assertThat(sent.stream().filter(answer -> answer.to() == 1).count())
                .isBetween((long) StateServer.WAITING_MAX, StateServer.WAITING_MAX + 4L);
        assertThat(sent.stream().filter(answer -> answer.to() == 2)).hasSize(1);
    }

    @Test
    void whoAsksForWhatIsNotHeldIsToldSo() {
        server.onFetch(2, new StateFetch(7 * SEQ, List.of(Bytes.EMPTY)));
        assertThat(sent).containsExactly(new Sent(2, new StateNodes(7 * SEQ, false, List.of())));
        server.onFetch(2, new StateFetch(SEQ, List.of(Bytes.fromHex("0102"), Bytes.fromHex("ff"))));
        assertThat(sent.get(1).nodes()).isEqualTo(new StateNodes(SEQ, true, List.of()));
    }

    @Test
    void aCheckpointStaysWhileItIsFetched() {
        server.onFetch(2, value());
        for (int i = 2; i <= 6; i++) {
            checkpoint(i * SEQ);
            server.release(i * SEQ);
        }
        assertThat(store.holds(SEQ)).isTrue();
        assertThat(store.holds(2 * SEQ)).isFalse();
        ticks(StateServer.IDLE_MILLIS + 2 * TICK_MILLIS);
        server.release(6 * SEQ);
        assertThat(store.holds(SEQ)).isFalse();
        assertThat(store.holds(5 * SEQ)).isTrue();
    }

    @Test
    void butNotForEver() {
        for (int millis = 0; millis <= StateServer.SERVED_MILLIS_MAX; millis += 1_000) {
            server.onFetch(2, value());
            ticks(1_000);
        }
        for (int i = 2; i <= 4; i++) {
            checkpoint(i * SEQ);
            server.release(i * SEQ);
        }
        assertThat(store.holds(SEQ)).isFalse();
    }
}
