package io.pbft.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.StateStore;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.replica.core.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What others may send when single records are asked for: replica 0 asks, of seven. */
class StateRestoreTest {
    private static final int REPLICAS = 7;
    private static final int TICK_MILLIS = 50;
    private static final long SEQ = 80;
    private static final StateNodes.Node FIRST = node("0102", "first");
    private static final StateNodes.Node SECOND = node("0301", "second");

    private final FakeStore store = new FakeStore();
    private final List<Integer> asked = new ArrayList<>();
    private final List<StateFetch> questions = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final StateRestore restore = restoring();

    private StateRestore restoring() {
        lose(SEQ, FIRST, SECOND);
        Outbox outbox = new Outbox() {
            @Override
            public void send(NodeId to, Message message) {
                asked.add(to.index());
                questions.add((StateFetch) message);
            }

            @Override
            public void broadcast(Message message) {
                throw new IllegalStateException("one is asked at a time");
            }
        };
        return new StateRestore(
                0, REPLICAS, TICK_MILLIS, store, outbox, (event, seq, detail) -> notes.add(event + " " + detail));
    }

    private static StateNodes.Node node(String path, String content) {
        return new StateNodes.Node(Bytes.fromHex(path), Bytes.utf8(content));
    }

    private void lose(long seq, StateNodes.Node... nodes) {
        TreeMap<Bytes, Digest> lost = new TreeMap<>();
        for (StateNodes.Node node : nodes) {
            lost.put(node.path(), StateStore.digest(node));
        }
        store.lost = new StateStore.Lost(seq, lost);
    }

    private void answer(int from, long seq, StateNodes.Node... nodes) {
        restore.onNodes(from, new StateNodes(seq, true, List.of(nodes)));
    }

    /** Time for one question. */
    private void pass() {
        for (int i = 0; i < StateRestore.ASK_MILLIS / TICK_MILLIS; i++) {
            restore.tick();
        }
    }

    @Test
    void whoeverHasItIsTakenAtItsWord() {
        pass();
        assertThat(asked).containsExactly(1);
        assertThat(questions.get(0).seq()).isEqualTo(SEQ);
        assertThat(questions.get(0).paths()).containsExactly(FIRST.path(), SECOND.path());
        answer(1, SEQ, SECOND);
        assertThat(store.restored).containsExactly(SECOND);
        pass();
        assertThat(questions.get(1).paths()).containsExactly(FIRST.path());
        answer(2, SEQ, FIRST);
        assertThat(store.restored).containsExactly(SECOND, FIRST);
        pass();
        assertThat(asked).containsExactly(1, 2);
        assertThat(notes).isEmpty();
    }

    @Test
    @DisplayName("Who sends what the tree does not have there is named, the next one asked at once, and it never again")
    void aLiarIsDroppedAndNamed() {
        pass();
        answer(1, SEQ, node("0102", "something else"), SECOND);
        assertThat(store.restored).isEmpty();
        assertThat(notes)
                .containsExactly(Event.STATE_SOURCE_BANNED
                        + " replica 1 sent a node at path '0102' that is not the one of this checkpoint");
        assertThat(asked).containsExactly(1, 2);
        for (int i = 0; i < 2 * REPLICAS; i++) {
            pass();
        }
        assertThat(asked.subList(1, asked.size())).doesNotContain(0, 1).contains(2, 3, 4, 5, 6);
        // Not even when it speaks the truth.
        answer(1, SEQ, FIRST);
        assertThat(store.restored).isEmpty();
    }

    /** A value in the place of a node, and a node in that of a value: the digests are of different kinds. */
    @Test
    void aRightContentInAWrongPlaceIsALie() {
        StateNodes.Node value = node("01021003", "first");
        lose(SEQ, value, SECOND);
        pass();
        answer(1, SEQ, node("01021003", "second"));
        answer(2, SEQ, node("0301", "first"));
        assertThat(notes).hasSize(2);
        assertThat(store.restored).isEmpty();
        answer(3, SEQ, value, SECOND);
        assertThat(store.restored).containsExactly(value, SECOND);
    }

    @Test
    @DisplayName("What is of another checkpoint is no lie, and of no use")
    void whatIsStaleIsPassedOver() {
        pass();
        answer(1, SEQ - 8, node("0102", "as it was before"));
        answer(2, SEQ + 8, node("0102", "as it is by now"));
        assertThat(store.restored).isEmpty();
        assertThat(notes).isEmpty();

        // The state goes on while a question is under way: its answer is of the checkpoint before.
        lose(SEQ + 8, node("0102", "as it is by now"));
        answer(1, SEQ, FIRST);
        assertThat(store.restored).isEmpty();
        assertThat(notes).isEmpty();
        pass();
        assertThat(questions.get(questions.size() - 1)).isEqualTo(new StateFetch(SEQ + 8, List.of(FIRST.path())));
    }

    @Test
    @DisplayName("Answers without end are taken once, and what nobody asked for never")
    void answersWithoutEndCostNothing() {
        pass();
        for (int i = 0; i < 1_000; i++) {
            answer(1, SEQ, FIRST, node("0f0f", "unasked " + i));
        }
        assertThat(store.restored).containsExactly(FIRST);
        assertThat(notes).isEmpty();
    }

    @Test
    void whoSaysNothingOrHasNothingIsFollowedByTheNext() {
        pass();
        pass();
        restore.onNodes(2, new StateNodes(SEQ, false, List.of()));
        pass();
        answer(3, SEQ);
        pass();
        assertThat(asked).containsExactly(1, 2, 3, 4);
        assertThat(notes).isEmpty();
    }

    @Test
    void whereAllSeemToLieItIsBegunAnew() {
        pass();
        for (int liar = 1; liar < REPLICAS; liar++) {
            answer(liar, SEQ, node("0102", "something else"));
        }
        assertThat(notes).hasSize(REPLICAS - 1);
        answer(1, SEQ, FIRST);
        assertThat(store.restored).containsExactly(FIRST);
    }
}
