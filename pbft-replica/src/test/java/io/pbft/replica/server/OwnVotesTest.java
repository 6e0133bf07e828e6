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
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.DriverBench;
import io.pbft.replica.core.Recovered;
import java.util.List;
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

    @Test
    void whatIsLongPastIsNotMissed() {
        for (long seq = 1; seq <= OwnVotes.REMEMBERED_MAX + 5; seq++) {
            votes.sent(DriverBench.signed(new Commit(0, seq, Digest.ZERO, SELF)));
        }
        known(decision(9, 5, SELF));
        noticed(decision(9, 6, SELF), "sequence number 6");
    }
}
