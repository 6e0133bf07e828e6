package io.pbft.simulator.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Commit;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Promise;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is not whole is found, whatever is wrong with it; the certificates of four replicas that did right are not. */
class CertificatesTest {
    private static final Signature GOOD = Signature.copyOf(new byte[Signature.SIZE], 0, Signature.SIZE);
    private static final Signature FORGED = forged();
    private static final Digest NULL = Batch.NULL.digest();
    private static final Digest A = Digest.of(Bytes.utf8("a"));
    private static final Digest STATE = Digest.of(Bytes.utf8("state"));

    private final Findings findings = new Findings(() -> 0);
    private final Certificates certificates =
            new Certificates(findings, 4, 8, statement -> statement.signature().equals(GOOD));

    private static Signature forged() {
        byte[] bytes = new byte[Signature.SIZE];
        bytes[0] = 1;
        return Signature.copyOf(bytes, 0, bytes.length);
    }

    private static <S extends Statement> Signed<S> signed(S statement) {
        return new Signed<>(statement, GOOD);
    }

    private static CommitCertificate committed(Digest digest, int... replicas) {
        return new CommitCertificate(
                0,
                3,
                digest,
                Arrays.stream(replicas)
                        .mapToObj(replica -> signed(new Commit(0, 3, digest, replica)))
                        .toList());
    }

    private static PreparedCertificate prepared(long view, long seq, Digest digest, int... replicas) {
        return new PreparedCertificate(
                signed(new PrePrepare(view, seq, digest, (int) (view % 4))),
                Arrays.stream(replicas)
                        .mapToObj(replica -> signed(new Prepare(view, seq, digest, replica)))
                        .toList());
    }

    private static CheckpointCertificate stable(long seq, int... replicas) {
        return new CheckpointCertificate(
                seq,
                STATE,
                Arrays.stream(replicas)
                        .mapToObj(replica -> signed(new Checkpoint(seq, STATE, replica)))
                        .toList());
    }

    private static Signed<ViewChange> viewChange(
            long view, CheckpointCertificate stable, int replica, PreparedCertificate... prepared) {
        return signed(new ViewChange(view, stable, List.of(prepared), replica));
    }

    private static Signed<PrePrepare> proposal(long view, long seq, Digest digest) {
        return signed(new PrePrepare(view, seq, digest, (int) (view % 4)));
    }

    private void enter(List<Signed<ViewChange>> changes, List<Signed<PrePrepare>> proposals) {
        NewView newView = new NewView(6, changes, proposals, 2);
        certificates.wanted(1, new Effect.Bind(new Promise.EnterView(signed(newView))));
    }

    private void fine() {
        assertThat(findings.violations()).isEmpty();
    }

    private void found(String text) {
        assertThat(findings.violations()).isNotEmpty().allSatisfy(violation -> {
            assertThat(violation.check()).isEqualTo(Check.CERTIFICATES);
            assertThat(violation.text()).contains(text);
        });
    }

    @Test
    void aDecisionOfTooFewOrOfAnotherBatch() {
        certificates.sent(1, new Decision(committed(NULL, 0, 2, 3), Batch.NULL));
        fine();
        certificates.sent(1, new Decision(committed(NULL, 0, 2), Batch.NULL));
        found("replica 1 sends a DECISION: committed by [0, 2] alone at 3");
    }

    @Test
    void aDecisionOfAnotherBatch() {
        certificates.sent(1, new Decision(committed(A, 0, 2, 3), Batch.NULL));
        found("a batch with the digest " + NULL + " for " + A);
    }

    @Test
    void aVoteThatCountsTwice() {
        certificates.sent(1, new Decision(committed(NULL, 0, 2, 2), Batch.NULL));
        found("committed by [0, 2] alone");
    }

    @Test
    void aVoteForSomethingElse() {
        CommitCertificate honest = committed(NULL, 0, 2, 3);
        List<Signed<Commit>> commits =
                List.of(honest.commits().get(0), honest.commits().get(1), signed(new Commit(1, 3, NULL, 3)));
        certificates.sent(1, new Decision(new CommitCertificate(0, 3, NULL, commits), Batch.NULL));
        assertThat(findings.count(Check.CERTIFICATES)).isEqualTo(2);
    }

    @Test
    void aForgedSignature() {
        List<Signed<Checkpoint>> proof = List.of(
                signed(new Checkpoint(8, STATE, 0)),
                signed(new Checkpoint(8, STATE, 1)),
                new Signed<>(new Checkpoint(8, STATE, 2), FORGED));
        certificates.sent(1, new StableProof(new CheckpointCertificate(8, STATE, proof)));
        found("without its signer's signature");
    }

    @Test
    void aCheckpointThatIsNotStable() {
        certificates.wanted(1, new Effect.Truncate(stable(8, 0, 1, 2)));
        certificates.wanted(1, new Effect.Truncate(CheckpointCertificate.GENESIS));
        fine();
        certificates.wanted(1, new Effect.InstallState(stable(8, 0, 1)));
        found("replica 1 fetches a state: stable at 8 by [0, 1] alone");
    }

    @Test
    void whatDidNotPrepare() {
        Commit commit = new Commit(0, 3, A, 1);
        certificates.wanted(1, new Effect.Bind(new Promise.CommitTo(commit, prepared(0, 3, A, 1, 2))));
        fine();
        // The primary's PREPARE is no second word for its own proposal.
        certificates.wanted(1, new Effect.Bind(new Promise.CommitTo(commit, prepared(0, 3, A, 0, 2))));
        found("prepared by the backups [2] alone");
    }

    @Test
    void aProposalOfSomebodyElse() {
        Proposal proposal = new Proposal(signed(new PrePrepare(0, 3, NULL, 2)), Batch.NULL);
        certificates.wanted(1, new Effect.Bind(new Promise.AgreeTo(new Prepare(0, 3, NULL, 1), proposal)));
        found("not by the primary of its view");
    }

    @Test
    void aViewChangeThatShowsWhatItCannot() {
        ViewChange twice = new ViewChange(
                1, CheckpointCertificate.GENESIS, List.of(prepared(0, 3, A, 1, 2), prepared(0, 3, A, 1, 2)), 1);
        certificates.wanted(1, new Effect.Bind(new Promise.LeaveView(twice)));
        found("a VIEW-CHANGE for 1 with");
    }

    @Test
    void aNewViewFollowsFromItsViewChanges() {
        CheckpointCertificate low = stable(8, 0, 1, 2);
        Digest b = Digest.of(Bytes.utf8("b"));
        List<Signed<ViewChange>> changes = List.of(
                viewChange(6, CheckpointCertificate.GENESIS, 0, prepared(4, 7, A, 1, 2)),
                viewChange(6, low, 1, prepared(4, 10, A, 1, 2)),
                viewChange(6, low, 3, prepared(5, 10, b, 0, 2)));
        enter(changes, List.of(proposal(6, 9, NULL), proposal(6, 10, b)));
        fine();
        enter(changes, List.of(proposal(6, 9, NULL), proposal(6, 10, A)));
        found("instead of");
    }

    @Test
    void aNewViewWithProposalsOfAnotherView() {
        List<Signed<ViewChange>> changes = List.of(
                viewChange(6, CheckpointCertificate.GENESIS, 0, prepared(4, 1, A, 1, 2)),
                viewChange(6, CheckpointCertificate.GENESIS, 1),
                viewChange(6, CheckpointCertificate.GENESIS, 3));
        enter(changes, List.of(proposal(6, 1, A)));
        fine();
        enter(changes, List.of(proposal(10, 1, A)));
        found("instead of");
    }

    @Test
    void aNewViewOfOneSender() {
        Signed<ViewChange> own = viewChange(6, CheckpointCertificate.GENESIS, 2);
        enter(List.of(own, own, own), List.of());
        found("view 6 begins with VIEW-CHANGEs of [2] alone");
    }

    @Test
    void aNewViewByWhoIsNotItsPrimary() {
        List<Signed<ViewChange>> changes = List.of(
                viewChange(6, CheckpointCertificate.GENESIS, 0),
                viewChange(6, CheckpointCertificate.GENESIS, 1),
                viewChange(6, CheckpointCertificate.GENESIS, 2));
        NewView newView = new NewView(6, changes, List.of(), 1);
        certificates.sent(1, signed(newView));
        found("a NEW-VIEW for 6 by 1");
    }
}
