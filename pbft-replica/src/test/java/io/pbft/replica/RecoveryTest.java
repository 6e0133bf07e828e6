package io.pbft.replica;

import static io.pbft.replica.DriverBench.CONFIG;
import static io.pbft.replica.DriverBench.TICK;
import static io.pbft.replica.DriverBench.VERIFIER;
import static io.pbft.replica.DriverBench.batch;
import static io.pbft.replica.DriverBench.signed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Promise;
import io.pbft.replica.core.Recovered;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RecoveryTest {
    private static final Batch BATCH = batch(0, 1, "put");
    private static final Digest D = BATCH.digest();

    private static Recovered recover(DriverBench bench) {
        return Recovery.recover(CONFIG, bench.journal, bench.store, VERIFIER, "in this test", false);
    }

    private static Effect bind(Promise promise) {
        return new Effect.Bind(promise);
    }

    private static JournalEntry entry(Kind kind, long seq, long view, Message message) {
        return new JournalEntry(kind, seq, view, Bytes.wrap(Codec.encode(message)));
    }

    private static CheckpointCertificate checkpoint(long seq, Digest root) {
        return new CheckpointCertificate(
                seq,
                root,
                List.of(
                        signed(new Checkpoint(seq, root, 0)),
                        signed(new Checkpoint(seq, root, 1)),
                        signed(new Checkpoint(seq, root, 3))));
    }

    @Test
    void anEmptyDiskIsNothing() {
        assertThat(recover(new DriverBench(input -> List.of()))).isEqualTo(Recovered.nothing());
    }

    @Test
    void whatWasPromisedIsFoundAgain() {
        Proposal proposal = new Proposal(signed(new PrePrepare(1, 7, D, 1)), BATCH);
        Prepare prepare = new Prepare(1, 7, D, 0);
        PreparedCertificate certificate = new PreparedCertificate(
                proposal.prePrepare(), List.of(signed(prepare), signed(new Prepare(1, 7, D, 2))));
        ViewChange viewChange = new ViewChange(2, CheckpointCertificate.GENESIS, List.of(certificate), 0);
        DriverBench bench = DriverBench.emitting(
                DriverBench.IDLE,
                bind(new Promise.AgreeTo(prepare, proposal)),
                bind(new Promise.CommitTo(new Commit(1, 7, D, 0), certificate)),
                bind(new Promise.LeaveView(viewChange)));
        bench.driver.handle(TICK);
        bench.journal.sync();

        Recovered found = recover(bench);
        assertThat(found.proposals()).containsExactly(proposal);
        assertThat(found.prepared()).containsExactly(certificate);
        assertThat(found.prepares()).containsExactly(signed(prepare));
        assertThat(found.commits()).containsExactly(signed(new Commit(1, 7, D, 0)));
        assertThat(found.viewChange()).contains(signed(viewChange));
        assertThat(found.newView()).isEmpty();
        assertThat(found.stable()).isEqualTo(CheckpointCertificate.GENESIS);
    }

    @Test
    void whatLiesBehindTheStableCheckpointIsLeftOut() {
        DriverBench bench = DriverBench.emitting(
                DriverBench.IDLE,
                new Effect.TakeSnapshot(128, Map.of()),
                bind(new Promise.Propose(new PrePrepare(0, 128, D, 0), BATCH)),
                bind(new Promise.Propose(new PrePrepare(0, 129, D, 0), BATCH)));
        bench.driver.handle(TICK);
        Digest root = bench.store.root();
        bench.journal.put(List.of(
                PromiseSealer.stable(checkpoint(128, root)),
                entry(Kind.CHECKPOINT, 64, 0, signed(new Checkpoint(64, D, 0))),
                entry(Kind.CHECKPOINT, 128, 0, signed(new Checkpoint(128, root, 0)))));
        bench.journal.sync();

        Recovered found = recover(bench);
        assertThat(found.stable()).isEqualTo(checkpoint(128, root));
        assertThat(found.stateSeq()).isEqualTo(128);
        assertThat(found.stateRoot()).isEqualTo(root);
        assertThat(found.proposals())
                .extracting(proposal -> proposal.prePrepare().statement().seq())
                .containsExactly(129L);
        assertThat(found.checkpoints())
                .extracting(signed -> signed.statement().seq())
                .containsExactly(128L);
    }

    @Test
    void everyKindOfDamageStopsTheStartAndNamesItsPlace() {
        Signed<Prepare> good = signed(new Prepare(1, 7, D, 0));
        Signed<Prepare> forged = new Signed<>(good.statement(), Signature.copyOf(new byte[Signature.SIZE], 0, 64));
        refused(entry(Kind.PREPARE, 7, 1, forged), "PREPARE at sequence number 7, view 1: it does not verify: BAD_SIG");
        refused(entry(Kind.PREPARE, 8, 1, good), "it is about sequence number 7 in view 1");
        refused(entry(Kind.PREPARE, 7, 1, signed(new Prepare(1, 7, D, 2))), "replica-2's, not this replica's own");
        refused(entry(Kind.COMMIT, 7, 1, good), "COMMIT at sequence number 7");
        refused(new JournalEntry(Kind.PREPARED, 7, 1, Bytes.utf8("?")), "PREPARED at sequence number 7");
        refused(
                new JournalEntry(Kind.PROPOSAL, 7, 1, Bytes.wrap(Codec.encode(good))),
                "it is not what this kind of entry holds");
        refused(
                entry(Kind.PROPOSAL, 7, 1, new Proposal(signed(new PrePrepare(1, 7, Digest.ZERO, 1)), BATCH)),
                "DIGEST_MISMATCH");
        refused(
                PromiseSealer.stable(new CheckpointCertificate(
                        128, D, checkpoint(128, D).proof().subList(0, 2))),
                "STABLE at sequence number 0");
    }

    @Test
    void aStateBeforeTheStableCheckpointIsToldAsItIs() {
        DriverBench bench = new DriverBench(input -> List.of());
        bench.journal.put(List.of(PromiseSealer.stable(checkpoint(128, D))));
        Recovered found = recover(bench);
        assertThat(found.stable().seq()).isEqualTo(128);
        assertThat(found.stateSeq()).isZero();
    }

    private static void refused(JournalEntry entry, String why) {
        DriverBench bench = new DriverBench(input -> List.of());
        bench.journal.put(List.of(entry));
        assertThatThrownBy(() -> recover(bench))
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining("in this test")
                .hasMessageContaining(why)
                .hasMessageContaining("--rejoin");
    }
}
