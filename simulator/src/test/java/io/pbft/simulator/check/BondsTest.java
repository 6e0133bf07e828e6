package io.pbft.simulator.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Promise;
import io.pbft.replica.core.ReplicaReport;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Each rule of {@link Bonds} catches what is planted here, and lets the honest case through. */
class BondsTest {
    private static final Signature SIGNATURE = Signature.copyOf(new byte[Signature.SIZE], 0, Signature.SIZE);
    private static final Digest A = Digest.of(Bytes.utf8("a"));
    private static final Digest B = Digest.of(Bytes.utf8("b"));
    private static final CheckpointCertificate EIGHT =
            new CheckpointCertificate(8, A, List.of(signed(new Checkpoint(8, A, 0))));

    private final Findings findings = new Findings(() -> 0);
    private final Bonds bonds = new Bonds(findings);

    private static <S extends Statement> Signed<S> signed(S statement) {
        return new Signed<>(statement, SIGNATURE);
    }

    private void durable(Kind kind, long seq, long view, Message message) {
        bonds.durable(1, new JournalEntry(kind, seq, view, Bytes.wrap(Codec.encode(message))));
    }

    private static PreparedCertificate prepared(long view, long seq, Digest digest) {
        return new PreparedCertificate(signed(new PrePrepare(view, seq, digest, (int) view % 4)), List.of());
    }

    private void prepares(long view, long seq, Digest digest) {
        PreparedCertificate certificate = prepared(view, seq, digest);
        bonds.wanted(1, new Effect.Bind(new Promise.CommitTo(new Commit(view, seq, digest, 1), certificate)));
        bonds.durable(1, new JournalEntry(Kind.PREPARED, seq, view, Bytes.wrap(Codec.encode(certificate))));
    }

    private void leaves(long view, CheckpointCertificate stable, PreparedCertificate... shown) {
        ViewChange change = new ViewChange(view, stable, List.of(shown), 1);
        bonds.wanted(1, new Effect.Bind(new Promise.LeaveView(change)));
    }

    private void isIn(long view) {
        bonds.reported(
                1,
                new ReplicaReport(
                        1,
                        ReplicaReport.Status.NORMAL,
                        view,
                        false,
                        0,
                        0,
                        A,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        Map.of(),
                        Optional.empty()));
    }

    private void allIsWell() {
        assertThat(findings.violations()).isEmpty();
    }

    private void found() {
        assertThat(findings.violations()).extracting(Findings.Violation::check).containsExactly(Check.PROMISES);
    }

    /** View 2 begins at checkpoint 8 and carries A over at 9. */
    private void viewTwoBegins() {
        Signed<ViewChange> change = signed(new ViewChange(2, EIGHT, List.of(), 0));
        Signed<PrePrepare> proposal = signed(new PrePrepare(2, 9, A, 2));
        durable(Kind.NEW_VIEW, 0, 0, signed(new NewView(2, List.of(change), List.of(proposal), 2)));
    }

    @Test
    void aViewThatWasEnteredIsNotForgotten() {
        viewTwoBegins();
        isIn(2);
        allIsWell();
        isIn(1);
        found();
    }

    @Test
    void aViewThatWasAskedForIsNotForgotten() {
        durable(Kind.VIEW_CHANGE, 0, 0, signed(new ViewChange(3, EIGHT, List.of(), 1)));
        isIn(3);
        allIsWell();
        isIn(2);
        found();
    }

    @Test
    void whatAViewCarriesOverBinds() {
        viewTwoBegins();
        durable(Kind.PREPARE, 9, 2, signed(new Prepare(2, 9, A, 1)));
        durable(Kind.PREPARE, 10, 2, signed(new Prepare(2, 10, B, 1)));
        durable(Kind.PREPARE, 9, 3, signed(new Prepare(3, 9, B, 1)));
        allIsWell();
        durable(Kind.PREPARE, 9, 2, signed(new Prepare(2, 9, B, 1)));
        found();
    }

    @Test
    void nobodyVotesBelowTheCheckpointThatAViewBeginsWith() {
        durable(Kind.PREPARE, 8, 1, signed(new Prepare(1, 8, A, 1)));
        viewTwoBegins();
        allIsWell();
        durable(Kind.COMMIT, 8, 2, signed(new Commit(2, 8, A, 1)));
        found();
    }

    @Test
    void aViewChangeShowsTheNewestCertificates() {
        prepares(0, 9, A);
        prepares(1, 9, B);
        prepares(0, 8, A);
        leaves(2, EIGHT, prepared(1, 9, B));
        allIsWell();
        leaves(2, EIGHT, prepared(0, 9, A));
        found();
    }

    @Test
    void aViewChangeLeavesNoCertificateOut() {
        prepares(0, 9, A);
        leaves(1, EIGHT);
        found();
    }

    @Test
    void aPreparedBatchIsKept() {
        prepares(0, 9, A);
        prepares(1, 9, B);
        prepares(1, 8, A);
        bonds.fetches(1, new BatchFetch(List.of(A)), 8);
        allIsWell();
        bonds.fetches(1, new BatchFetch(List.of(A, B)), 8);
        found();
    }

    @Test
    void aReadWaitsForWhatWasPromised() {
        ReadRequest read = new ReadRequest(5, true, true, Bytes.utf8("get"));
        durable(Kind.COMMIT, 3, 0, signed(new Commit(0, 3, A, 1)));
        bonds.asked(1, 0, read);
        bonds.asked(1, 2, new ReadRequest(5, false, true, Bytes.utf8("get")));
        durable(Kind.COMMIT, 4, 0, signed(new Commit(0, 4, A, 1)));
        bonds.wanted(1, new Effect.Query(0, 5, 3, 0, true, Bytes.utf8("get")));
        bonds.wanted(1, new Effect.Query(2, 5, 0, 0, true, Bytes.utf8("get")));
        allIsWell();
        bonds.asked(1, 0, read);
        bonds.wanted(1, new Effect.Query(0, 5, 3, 0, true, Bytes.utf8("get")));
        found();
    }
}
