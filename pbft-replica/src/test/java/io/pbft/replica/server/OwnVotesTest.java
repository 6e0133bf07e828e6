package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Commit;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.DriverBench;
import io.pbft.replica.core.Recovered;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OwnVotesTest {
    private static final int SELF = 3;

    private final OwnVotes votes = new OwnVotes(SELF, Recovered.nothing());

    private static Decision decision(long view, long seq, int... replicas) {
        return new Decision(
                new CommitCertificate(
                        view,
                        seq,
                        Digest.ZERO,
                        java.util.Arrays.stream(replicas)
                                .mapToObj(i -> DriverBench.signed(new Commit(view, seq, Digest.ZERO, i)))
                                .toList()),
                Batch.NULL);
    }

    private static CheckpointCertificate stable(long seq) {
        return new CheckpointCertificate(
                seq,
                Digest.ZERO,
                List.of(
                        DriverBench.signed(new Checkpoint(seq, Digest.ZERO, 1)),
                        DriverBench.signed(new Checkpoint(seq, Digest.ZERO, SELF))));
    }

    private static ViewChange viewChange(long view, long seq) {
        return new ViewChange(
                9,
                CheckpointCertificate.GENESIS,
                List.of(new PreparedCertificate(
                        DriverBench.signed(new PrePrepare(view, seq, Digest.ZERO, 1)),
                        List.of(DriverBench.signed(new Prepare(view, seq, Digest.ZERO, SELF))))),
                2);
    }

    private void noticed(Message message, String text) {
        assertThatThrownBy(() -> votes.check(message))
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining(text)
                .hasMessageContaining("--rejoin");
    }

    private void known(Message message) {
        assertThatCode(() -> votes.check(message)).doesNotThrowAnyException();
    }

    @Test
    void aVoteThatItDoesNotKnowIsNoticed() {
        noticed(decision(0, 7, 0, 1, SELF), "COMMIT of its own for sequence number 7 in view 0");
        noticed(new StableProof(stable(128)), "CHECKPOINT of its own for sequence number 128");
        noticed(DriverBench.signed(viewChange(1, 7)), "PREPARE of its own for sequence number 7 in view 1");
    }

    @Test
    void itsVotesAreItsOwnAndOthersAreNot() {
        known(decision(0, 7, 0, 1, 2));
        votes.sent(DriverBench.signed(new Commit(2, 7, Digest.ZERO, SELF)));
        votes.sent(DriverBench.signed(new Prepare(1, 7, Digest.ZERO, SELF)));
        votes.sent(DriverBench.signed(new Checkpoint(128, Digest.ZERO, SELF)));
        known(decision(2, 7, 0, 1, SELF));
        known(decision(1, 7, 0, 1, SELF));
        known(new StableProof(stable(128)));
        known(DriverBench.signed(viewChange(1, 7)));
        noticed(decision(3, 7, 0, 1, SELF), "view 3");
        noticed(DriverBench.signed(viewChange(2, 7)), "view 2");
    }

    private static Message newView(long view, int primary, int... asking) {
        return DriverBench.signed(new NewView(
                view,
                java.util.Arrays.stream(asking)
                        .mapToObj(i ->
                                DriverBench.signed(new ViewChange(view, CheckpointCertificate.GENESIS, List.of(), i)))
                        .toList(),
                List.of(DriverBench.signed(new PrePrepare(view, 7, Digest.ZERO, primary))),
                primary));
    }

    private static Message prepared(long view, int primary) {
        return DriverBench.signed(new ViewChange(
                9,
                CheckpointCertificate.GENESIS,
                List.of(new PreparedCertificate(
                        DriverBench.signed(new PrePrepare(view, 7, Digest.ZERO, primary)),
                        List.of(DriverBench.signed(new Prepare(view, 7, Digest.ZERO, 2))))),
                2));
    }

    /**
     * Its own proposals and view changes bind it as its votes do: an old copy of a primary's folder proposes once more.
     */
    @Test
    void whatAPrimaryDidAndDoesNotKnowIsNoticed() {
        noticed(newView(4, 0, 0, 1, SELF), "VIEW-CHANGE of its own for view 4");
        noticed(newView(7, SELF, 0, 1, 2), "NEW-VIEW of its own for view 7");
        noticed(prepared(3, SELF), "PRE_PREPARE of its own for sequence number 7 in view 3");
        known(newView(4, 0, 0, 1, 2));
        known(prepared(3, 0));
        votes.sent(DriverBench.signed(new ViewChange(4, CheckpointCertificate.GENESIS, List.of(), SELF)));
        known(newView(4, 0, 0, 1, SELF));
        votes.sent(newView(7, SELF, 0, 1, 2));
        known(newView(7, SELF, 0, 1, 2));
        known(prepared(7, SELF));
        noticed(prepared(11, SELF), "view 11");
        votes.sent(new Proposal(DriverBench.signed(new PrePrepare(11, 7, Digest.ZERO, SELF)), Batch.NULL));
        known(prepared(11, SELF));
    }

    /** What the last NEW-VIEW has taken the place of, in a journal, may be forgotten. */
    @Test
    void whatALaterViewReplacedIsNotMissed() {
        Recovered nothing = Recovered.nothing();
        @SuppressWarnings("unchecked")
        Signed<NewView> taken = (Signed<NewView>) newView(8, 0, 0, 1, 2);
        OwnVotes later = new OwnVotes(
                SELF,
                new Recovered(
                        nothing.stable(),
                        Optional.of(taken),
                        Optional.empty(),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        0,
                        Digest.ZERO,
                        List.of(),
                        false));
        assertThatCode(() -> later.check(newView(7, SELF, 0, 1, SELF))).doesNotThrowAnyException();
        assertThatCode(() -> later.check(prepared(7, SELF))).doesNotThrowAnyException();
        assertThatThrownBy(() -> later.check(prepared(11, SELF))).hasMessageContaining("view 11");
    }

    @Test
    void whatIsLongPastIsNotMissed() {
        for (long seq = 1; seq <= OwnVotes.REMEMBERED_MAX + 5; seq++) {
            votes.sent(DriverBench.signed(new Commit(0, seq, Digest.ZERO, SELF)));
        }
        known(decision(9, 5, SELF));
        noticed(decision(9, 6, SELF), "sequence number 6");
    }
}
