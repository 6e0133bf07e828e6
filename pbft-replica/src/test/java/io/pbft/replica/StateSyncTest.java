package io.pbft.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.MemoryStateStore;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.replica.core.Input;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StateSyncTest {
    private static final int REPLICAS = 4;
    private static final int ENTRIES = 3_000;
    private static final long SEQ = 128;

    /** What replicas 0 to 2 have for each other; replica 3 is the one that fetches. */
    private final List<MemoryStateStore> stores = new ArrayList<>();

    private final List<StateSync> syncs = new ArrayList<>();
    private final Deque<Letter> letters = new ArrayDeque<>();
    private final List<UnaryOperator<Message>> lies = new ArrayList<>();
    private Optional<Input.StateInstalled> installed = Optional.empty();
    private Digest root = Digest.ZERO;

    private record Letter(int from, int to, Message message) {}

    @BeforeEach
    void threeHaveAStateAndOneHasNone() {
        for (int id = 0; id < REPLICAS; id++) {
            int self = id;
            MemoryStateStore store = new MemoryStateStore(new MemoryStateStore.Disk());
            stores.add(store);
            lies.add(UnaryOperator.identity());
            syncs.add(new StateSync(id, REPLICAS, store, new Outbox() {
                @Override
                public void send(NodeId to, Message message) {
                    letters.add(new Letter(self, to.index(), lies.get(self).apply(message)));
                }

                @Override
                public void broadcast(Message message) {
                    throw new AssertionError("nothing of state transfer is for all");
                }
            }));
            if (id < 3) {
                for (int i = 0; i < ENTRIES; i++) {
                    store.state().put(Bytes.utf8("key-" + i), Bytes.utf8("value-" + i));
                }
                store.checkpoint(SEQ, Map.of(Bytes.utf8("T"), Optional.of(Bytes.utf8("now"))), digest -> root = digest);
            }
        }
    }

    private void fetch() {
        installed = syncs.get(3).start(new CheckpointCertificate(SEQ, root, List.of()));
    }

    private void deliverAll() {
        while (!letters.isEmpty()) {
            Letter letter = letters.remove();
            StateSync receiver = syncs.get(letter.to());
            if (letter.message() instanceof StateFetch fetch) {
                receiver.serve(NodeId.replica(letter.from()), fetch);
            } else if (letter.message() instanceof StateNodes nodes) {
                receiver.onNodes(letter.from(), nodes).ifPresent(done -> installed = Optional.of(done));
            }
        }
    }

    private void run(int ticks) {
        for (int i = 0; i < ticks && installed.isEmpty(); i++) {
            syncs.forEach(StateSync::tick);
            deliverAll();
        }
    }

    private void isInstalled() {
        assertThat(installed).hasValueSatisfying(state -> {
            assertThat(state.seq()).isEqualTo(SEQ);
            assertThat(state.root()).isEqualTo(root);
            assertThat(state.system()).hasSize(1);
        });
        assertThat(stores.get(3).state().scan(Bytes.EMPTY, Bytes.EMPTY, ENTRIES + 1))
                .hasSize(ENTRIES);
        assertThat(stores.get(3).root()).isEqualTo(root);
    }

    @Test
    void theStateComesFromAllSourcesAtOnce() {
        fetch();
        List<Integer> sources = new ArrayList<>();
        lies.set(3, message -> {
            sources.add(letters.size());
            return message;
        });
        run(1_000);
        isInstalled();
        assertThat(sources).hasSizeGreaterThan(3);
    }

    @Test
    void aLiarIsNotAskedAgainAndDoesNoHarm() {
        int[] told = {0};
        lies.set(1, message -> {
            StateNodes nodes = (StateNodes) message;
            told[0]++;
            List<StateNodes.Node> forged = nodes.nodes().stream()
                    .map(node -> new StateNodes.Node(node.path(), node.content().concat(Bytes.utf8("x"))))
                    .toList();
            return new StateNodes(nodes.seq(), true, forged);
        });
        fetch();
        run(1_000);
        isInstalled();
        assertThat(told[0]).isEqualTo(1);
    }

    @Test
    void whoIsSilentOrHoldsNothingDelaysButDoesNotStopIt() {
        lies.set(0, message -> new StateFetch(0, List.of()));
        lies.set(2, message -> new StateNodes(SEQ, false, List.of()));
        fetch();
        run(10_000);
        isInstalled();
    }

    @Test
    void whoAnswersWithWhatNobodyAskedForDoesNotStopIt() {
        lies.set(0, message -> {
            StateNodes nodes = (StateNodes) message;
            return new StateNodes(nodes.seq(), true, List.of(new StateNodes.Node(Bytes.utf8("?"), Bytes.EMPTY)));
        });
        fetch();
        run(1_000);
        isInstalled();
    }

    @Test
    void theSameStateIsThereAtOnceAndOnlyDifferencesTravel() {
        fetch();
        run(1_000);
        installed = Optional.empty();
        root = Digest.ZERO;
        for (int id = 0; id < 3; id++) {
            stores.get(id).state().put(Bytes.utf8("key-7"), Bytes.utf8("changed"));
            stores.get(id).checkpoint(2 * SEQ, Map.of(), digest -> root = digest);
        }
        int[] nodes = {0};
        for (int id = 0; id < 3; id++) {
            lies.set(id, message -> {
                nodes[0] += ((StateNodes) message).nodes().size();
                return message;
            });
        }
        installed = syncs.get(3).start(new CheckpointCertificate(2 * SEQ, root, List.of()));
        run(1_000);
        assertThat(stores.get(3).root()).isEqualTo(root);
        assertThat(nodes[0]).isLessThan(20);
    }

    @Test
    void whoAsksTooMuchIsAnsweredAtTheNextTick() {
        StateFetch request = new StateFetch(SEQ, List.of(Bytes.EMPTY));
        for (int i = 0; i < StateSync.SERVED_PER_TICK_MAX + 5; i++) {
            syncs.get(0).serve(NodeId.replica(1), request);
        }
        assertThat(letters).hasSize(StateSync.SERVED_PER_TICK_MAX);
        syncs.get(0).serve(NodeId.replica(2), request);
        assertThat(letters).hasSize(StateSync.SERVED_PER_TICK_MAX + 1);
        syncs.get(0).tick();
        syncs.get(0).serve(NodeId.replica(1), request);
        assertThat(letters).hasSize(StateSync.SERVED_PER_TICK_MAX + 2);
    }
}
