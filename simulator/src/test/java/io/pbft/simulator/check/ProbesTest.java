package io.pbft.simulator.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Batch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Promise;
import io.pbft.replica.core.ResultRoom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each path is marked when it is taken, and not before. */
class ProbesTest {
    private static final Signature SIGNATURE = Signature.copyOf(new byte[Signature.SIZE], 0, Signature.SIZE);
    private static final Digest A = Digest.of(Bytes.utf8("a"));
    private static final Digest B = Digest.of(Bytes.utf8("b"));

    private final List<String> hits = new ArrayList<>();
    private final Probes probes = new Probes(hits::add);

    private static <S extends Statement> Signed<S> signed(S statement) {
        return new Signed<>(statement, SIGNATURE);
    }

    private static ViewChange viewChange(long view, int replica, long stable, PreparedCertificate... prepared) {
        CheckpointCertificate checkpoint =
                stable == 0 ? CheckpointCertificate.GENESIS : new CheckpointCertificate(stable, A, List.of());
        return new ViewChange(view, checkpoint, List.of(prepared), replica);
    }

    private static PreparedCertificate prepared(long view, Digest digest) {
        return new PreparedCertificate(signed(new PrePrepare(view, 9, digest, (int) (view % 4))), List.of());
    }

    private void leave(long view) {
        probes.wanted(1, new Effect.Bind(new Promise.LeaveView(viewChange(view, 1, 0))));
    }

    private void enter(long view, List<ViewChange> changes, Digest... proposals) {
        List<Signed<PrePrepare>> o = new ArrayList<>();
        for (Digest digest : proposals) {
            o.add(signed(new PrePrepare(view, 9, digest, (int) (view % 4))));
        }
        NewView newView =
                new NewView(view, changes.stream().map(ProbesTest::signed).toList(), o, (int) (view % 4));
        probes.wanted(1, new Effect.Bind(new Promise.EnterView(signed(newView))));
    }

    private void agree(long view, Digest digest) {
        Proposal proposal = new Proposal(signed(new PrePrepare(view, 9, digest, (int) (view % 4))), Batch.NULL);
        probes.wanted(1, new Effect.Bind(new Promise.AgreeTo(new Prepare(view, 9, digest, 1), proposal)));
    }

    private void install() {
        probes.wanted(1, new Effect.InstallState(CheckpointCertificate.GENESIS));
    }

    @Test
    void changesOfView() {
        leave(1);
        enter(1, List.of(viewChange(1, 0, 0), viewChange(1, 1, 0)));
        leave(2);
        assertThat(hits).isEmpty();
        leave(3);
        assertThat(hits).containsExactly(Probes.TWO_VIEW_CHANGES);
        leave(6);
        assertThat(hits).contains(Probes.VIEWS_SKIPPED);
        enter(7, List.of());
        assertThat(hits).contains(Probes.TAKEN_ALONG);
    }

    @Test
    void whatAViewBeginsWith() {
        leave(6);
        hits.clear();
        enter(6, List.of(viewChange(6, 0, 0, prepared(4, A)), viewChange(6, 1, 0, prepared(5, A))), A);
        assertThat(hits).isEmpty();
        enter(6, List.of(viewChange(6, 0, 0, prepared(4, A)), viewChange(6, 1, 8, prepared(5, B))), B);
        assertThat(hits).containsExactly(Probes.CHOICE, Probes.TWO_CHECKPOINTS);
        enter(6, List.of(), Batch.NULL.digest());
        assertThat(hits).contains(Probes.NULL_SLOT);
    }

    @Test
    void agreementsAndTransfers() {
        agree(0, A);
        agree(1, A);
        install();
        assertThat(hits).isEmpty();
        agree(2, B);
        install();
        assertThat(hits).containsExactly(Probes.SECOND_AGREEMENT, Probes.MOVING_TARGET);
        leave(1);
        install();
        assertThat(hits).contains(Probes.TRANSFER_IN_CHANGE);
    }

    @Test
    void whatAnEquivocatingPrimaryBringsAbout() {
        agree(0, A);
        agree(0, A);
        probes.wanted(1, new Effect.Send(NodeId.replica(2), signed(new Prepare(0, 9, A, 1))));
        assertThat(hits).isEmpty();
        agree(0, B);
        assertThat(hits).contains(Probes.SPLIT);
        probes.wanted(1, new Effect.Send(NodeId.replica(2), signed(new PrePrepare(0, 9, A, 0))));
        assertThat(hits).contains(Probes.SHOWN);
    }

    @Test
    void checkpointsAtNullRequests() {
        probes.checkpointAfter(new Effect.Execute(8, 1, A, List.of(), ResultRoom.UNBOUNDED));
        assertThat(hits).isEmpty();
        probes.checkpointAfter(new Effect.Execute(16, 1, Batch.NULL.digest(), List.of(), ResultRoom.UNBOUNDED));
        assertThat(hits).containsExactly(Probes.NULL_CHECKPOINT);
    }
}
