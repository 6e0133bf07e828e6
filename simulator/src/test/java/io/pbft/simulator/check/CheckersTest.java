package io.pbft.simulator.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.MemoryStateStore;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.ResultRoom;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.workload.KeyModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Each checker is trusted because it catches what is planted here, and because it lets the honest case through. */
class CheckersTest {
    private static final Signature SIGNATURE = Signature.copyOf(new byte[Signature.SIZE], 0, Signature.SIZE);
    private static final Digest A = Digest.of(Bytes.utf8("a"));
    private static final Digest B = Digest.of(Bytes.utf8("b"));

    private long now;
    private final Findings findings = new Findings(() -> now);
    private final Order order = new Order(findings, client -> client < 2);
    private final Checkpoints checkpoints = new Checkpoints(findings);
    private final History history = new History(findings);
    private final List<String> named = new ArrayList<>();
    private boolean durable = true;
    private final Promises promises = new Promises(findings, (replica, kind, seq, view) -> durable);

    private static Effect.Execute batch(long seq, int client, Call... calls) {
        return new Effect.Execute(
                seq,
                1_000,
                A,
                List.of(calls).stream()
                        .map(call -> new Effect.Call(client, call.encode()))
                        .toList(),
                ResultRoom.UNBOUNDED);
    }

    private static Call put(long number, String key, String value) {
        return new Call(number, "put", key, value, "");
    }

    private static Call get(long number, String key) {
        return new Call(number, "get", key, "", "");
    }

    private static Signed<?> signed(Statement statement) {
        return new Signed<>(statement, SIGNATURE);
    }

    private void found(Check check) {
        assertThat(findings.violations()).extracting(Findings.Violation::check).containsExactly(check);
    }

    private void issue(int client, Call... calls) {
        for (Call call : calls) {
            order.issued(client, call.encode());
        }
    }

    @Test
    void agreementFindsTwoBatchesAtOneSequenceNumber() {
        Call x = put(0, "k", "x");
        Call y = put(1, "k", "y");
        issue(0, x, y);
        order.executed(0, batch(1, 0, x));
        order.executed(1, batch(1, 0, x));
        assertThat(findings.isEmpty()).isTrue();
        order.executed(2, batch(1, 0, y));
        found(Check.AGREEMENT);
    }

    @Test
    void agreementFindsAnotherTime() {
        order.executed(0, new Effect.Execute(1, 1_000, A, List.of(), ResultRoom.UNBOUNDED));
        order.executed(1, new Effect.Execute(1, 1_001, A, List.of(), ResultRoom.UNBOUNDED));
        found(Check.AGREEMENT);
    }

    @Test
    void agreementFindsAGap() {
        order.executed(0, batch(2, 0));
        found(Check.AGREEMENT);
    }

    @Test
    void validityFindsATimeThatGoesBack() {
        order.executed(0, new Effect.Execute(1, 1_000, A, List.of(), ResultRoom.UNBOUNDED));
        order.executed(0, new Effect.Execute(2, 1_000, A, List.of(), ResultRoom.UNBOUNDED));
        assertThat(findings.isEmpty()).isTrue();
        order.executed(0, new Effect.Execute(3, 999, A, List.of(), ResultRoom.UNBOUNDED));
        found(Check.VALIDITY);
    }

    @Test
    void theLogReplayFindsAStateThatTheLogDoesNotGive() {
        for (boolean lost : new boolean[] {false, true}) {
            Call x = put(0, "k", "x");
            LogReplay log = new LogReplay(findings);
            log.taken(new Effect.TakeSnapshot(1, Map.of(Bytes.utf8("T"), Optional.of(Bytes.utf8("7")))));
            MemoryStateStore store = new MemoryStateStore(new MemoryStateStore.Disk());
            if (!lost) {
                store.state().put(Bytes.utf8("k"), Bytes.utf8("x"));
            }
            Checkpoints claimed = new Checkpoints(findings);
            store.checkpoint(
                    1, Map.of(Bytes.utf8("T"), Optional.of(Bytes.utf8("7"))), root -> claimed.seen(2, 1, root));
            assertThat(findings.isEmpty()).isTrue();
            log.finish(List.of(batch(1, 0, x)), claimed, 1);
        }
        found(Check.CHECKPOINTS);
    }

    @Test
    void validityFindsWhatACorrectClientNeverSigned() {
        order.executed(0, batch(1, 2, put(0, "k", "of a Byzantine client")));
        assertThat(findings.isEmpty()).isTrue();
        order.executed(0, batch(2, 0, put(1, "k", "forged")));
        found(Check.VALIDITY);
    }

    @Test
    void validityFindsAnotherClientsOperation() {
        Call x = put(0, "k", "x");
        issue(0, x);
        order.executed(0, batch(1, 1, x));
        found(Check.VALIDITY);
    }

    @Test
    void exactlyOnceFindsASecondExecutionButNotAReplayAfterARestart() {
        Call x = put(0, "k", "x");
        issue(0, x);
        order.executed(0, batch(1, 0, x));
        order.executed(0, batch(1, 0, x));
        assertThat(findings.isEmpty()).isTrue();
        order.executed(0, batch(2, 0, x));
        found(Check.EXACTLY_ONCE);
    }

    @Test
    void promisesFindTwoVotesForOnePlace() {
        promises.sent(1, signed(new Prepare(0, 3, A, 1)));
        promises.sent(1, signed(new Prepare(0, 3, A, 1)));
        promises.sent(1, signed(new Prepare(1, 3, B, 1)));
        promises.sent(2, signed(new Prepare(0, 3, B, 2)));
        promises.sent(1, signed(new Prepare(0, 3, B, 2)));
        assertThat(findings.isEmpty()).isTrue();
        promises.sent(1, signed(new Prepare(0, 3, B, 1)));
        found(Check.PROMISES);
    }

    @Test
    void promisesFindTwoCheckpointsAndTwoViewChanges() {
        promises.sent(1, signed(new Checkpoint(8, A, 1)));
        promises.sent(1, signed(new Checkpoint(8, B, 1)));
        promises.sent(1, signed(new ViewChange(1, CheckpointCertificate.GENESIS, List.of(), 1)));
        promises.sent(1, signed(new ViewChange(1, new CheckpointCertificate(8, A, List.of()), List.of(), 1)));
        assertThat(findings.count(Check.PROMISES)).isEqualTo(2);
    }

    @Test
    void promisesFindAVoteInAViewThatWasLeft() {
        promises.durable(1, entry(JournalEntry.Kind.COMMIT, 2, 0, signed(new Commit(0, 2, A, 1))));
        Message leave = signed(new ViewChange(1, CheckpointCertificate.GENESIS, List.of(), 1));
        promises.durable(1, entry(JournalEntry.Kind.VIEW_CHANGE, 0, 0, leave));
        promises.durable(1, entry(JournalEntry.Kind.PREPARE, 3, 1, signed(new Prepare(1, 3, A, 1))));
        assertThat(findings.isEmpty()).isTrue();
        promises.durable(1, entry(JournalEntry.Kind.COMMIT, 3, 0, signed(new Commit(0, 3, A, 1))));
        found(Check.PROMISES);
    }

    private static JournalEntry entry(JournalEntry.Kind kind, long seq, long view, Message message) {
        return new JournalEntry(kind, seq, view, Bytes.wrap(Codec.encode(message)));
    }

    @Test
    void persistenceFindsAVoteThatLeavesBeforeItIsDurable() {
        promises.sent(1, signed(new Commit(0, 3, A, 1)));
        assertThat(findings.isEmpty()).isTrue();
        durable = false;
        promises.sent(1, signed(new Commit(0, 4, A, 1)));
        found(Check.PERSISTENCE);
    }

    @Test
    void checkpointsFindsTwoStatesAtOneSequenceNumber() {
        checkpoints.seen(0, 8, A);
        checkpoints.seen(1, 8, A);
        checkpoints.seen(1, 16, B);
        assertThat(findings.isEmpty()).isTrue();
        checkpoints.seen(2, 8, B);
        found(Check.CHECKPOINTS);
    }

    @Test
    void evidenceFindsWhatIsNoConflict() {
        Evidence evidence = new Evidence(findings, Set.of(3), signed -> true, named::add);
        evidence.accused(0, signed(new PrePrepare(3, 1, A, 3)), signed(new PrePrepare(3, 1, B, 3)));
        assertThat(findings.isEmpty()).isTrue();
        assertThat(named).containsExactly(Probes.NAMED);
        evidence.accused(0, signed(new PrePrepare(3, 1, A, 3)), signed(new PrePrepare(7, 1, B, 3)));
        found(Check.EVIDENCE);
    }

    @Test
    void evidenceFindsASignatureThatIsNobodys() {
        Signed<?> forged = signed(new PrePrepare(3, 1, B, 3));
        Evidence evidence = new Evidence(findings, Set.of(3), signed -> !signed.equals(forged), named::add);
        evidence.accused(0, signed(new PrePrepare(3, 1, A, 3)), forged);
        found(Check.EVIDENCE);
    }

    @Test
    void evidenceFindsThatACorrectReplicaIsNamed() {
        Evidence evidence = new Evidence(findings, Set.of(3), signed -> true, named::add);
        evidence.accused(3, signed(new Prepare(3, 1, A, 2)), signed(new Prepare(3, 1, B, 2)));
        found(Check.EVIDENCE);
    }

    private void answer(Call call, String text, long seq, long last) {
        history.returned(call.number(), new KeyModel.Answer(false, text), now, seq, last);
    }

    @Test
    void theSearchFindsAStaleRead() {
        Call write = put(0, "k", "x");
        Call read = get(1, "k");
        history.invoked(0, write, false, 0);
        now = 5;
        answer(write, "-", 1, 1);
        history.invoked(1, read, true, 6);
        now = 7;
        answer(read, "-", 0, 1);
        assertThat(history.search()).isTrue();
        found(Check.LINEARIZABILITY);
    }

    @Test
    void theReplayFindsAStaleReadOnItsOwn() {
        Call write = put(0, "k", "x");
        Call read = get(1, "k");
        history.invoked(0, write, false, 0);
        now = 5;
        answer(write, "-", 1, 1);
        history.invoked(1, read, true, 6);
        now = 7;
        answer(read, "-", 0, 1);
        history.replay(List.of(batch(1, 0, write)));
        found(Check.REPLAY);
    }

    @Test
    void theReplayAcceptsAReadOfEitherStateWhileAWriteIsUnderWay() {
        Call write = put(0, "k", "x");
        history.invoked(0, write, false, 0);
        now = 1;
        for (long number = 1; number <= 2; number++) {
            history.invoked(1, get(number, "k"), true, 1);
            answer(get(number, "k"), number == 1 ? "-" : "x", 0, 1);
        }
        now = 5;
        answer(write, "-", 1, 1);
        history.replay(List.of(batch(1, 0, write)));
        assertThat(history.search()).isTrue();
        assertThat(findings.violations()).isEmpty();
    }

    @Test
    void theReplayFindsAResultThatTheOrderDoesNotGive() {
        Call write = put(0, "k", "x");
        history.invoked(0, write, false, 0);
        answer(write, "somebody else's", 1, 1);
        history.replay(List.of(batch(1, 0, write)));
        found(Check.REPLAY);
    }

    @Test
    void theReplayFindsAnOrderAgainstTime() {
        Call first = put(0, "k", "x");
        Call second = put(1, "j", "y");
        history.invoked(0, first, false, 0);
        answer(first, "-", 2, 2);
        now = 5;
        history.invoked(1, second, false, 5);
        answer(second, "-", 1, 2);
        history.replay(List.of(batch(1, 1, second), batch(2, 0, first)));
        found(Check.REPLAY);
    }

    @Test
    void durabilityFindsAnAnsweredOperationThatNobodyHas() {
        Call write = put(0, "k", "x");
        history.invoked(0, write, false, 0);
        answer(write, "-", 1, 1);
        history.replay(List.of(batch(1, 0)));
        found(Check.DURABILITY);
    }

    @Test
    void durabilityFindsASecondAnswer() {
        Call write = put(0, "k", "x");
        history.invoked(0, write, false, 0);
        answer(write, "-", 1, 1);
        answer(write, "-", 1, 1);
        found(Check.DURABILITY);
    }
}
