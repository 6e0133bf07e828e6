package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import java.util.List;
import org.junit.jupiter.api.Test;

class EquivocationTest {
    private static final Digest A = Digest.of(Bytes.utf8("a"));
    private static final Digest B = Digest.of(Bytes.utf8("b"));

    private final TestCluster cluster = TestCluster.of(4);

    private static void conflict(Statement a, Statement b) {
        assertThat(Equivocation.conflicts(a, b)).isTrue();
        assertThat(Equivocation.conflicts(b, a)).isTrue();
        assertThat(Equivocation.conflicts(a, a)).isFalse();
    }

    private static void noConflict(Statement a, Statement b) {
        assertThat(Equivocation.conflicts(a, b)).isFalse();
        assertThat(Equivocation.conflicts(b, a)).isFalse();
    }

    @Test
    void twoDigestsForOneTypeViewAndSeqConflict() {
        conflict(new PrePrepare(0, 1, A, 0), new PrePrepare(0, 1, B, 0));
        conflict(new Prepare(0, 1, A, 1), new Prepare(0, 1, B, 1));
        conflict(new Commit(0, 1, A, 1), new Commit(0, 1, B, 1));
        noConflict(new Prepare(0, 1, A, 1), new Prepare(1, 1, B, 1));
        noConflict(new Prepare(0, 1, A, 1), new Prepare(0, 2, B, 1));
        noConflict(new Prepare(0, 1, A, 1), new Prepare(0, 1, B, 2));
        noConflict(new Prepare(0, 1, A, 1), new Commit(0, 1, B, 1));
    }

    @Test
    void twoStatesForOneCheckpointConflict() {
        conflict(new Checkpoint(4, A, 1), new Checkpoint(4, B, 1));
        noConflict(new Checkpoint(4, A, 1), new Checkpoint(8, B, 1));
    }

    @Test
    void twoViewChangesOrNewViewsForOneViewConflict() {
        ViewChange empty = new ViewChange(1, CheckpointCertificate.GENESIS, List.of(), 1);
        ViewChange other = new ViewChange(1, cluster.stable(4, A), List.of(), 1);
        conflict(empty, other);
        noConflict(empty, new ViewChange(2, cluster.stable(4, A), List.of(), 1));
        NewView one = cluster.newView(1, CheckpointCertificate.GENESIS, List.of(), List.of())
                .statement();
        NewView two = cluster.newView(1, CheckpointCertificate.GENESIS, List.of(), List.of(1L))
                .statement();
        conflict(one, two);
    }

    @Test
    void requestsAndRepliesNeverDo() {
        noConflict(new ReplyRoot(1, A, 1, 1), new ReplyRoot(1, B, 1, 1));
        noConflict(
                cluster.request(0, 1, Bytes.utf8("x")).statement(),
                cluster.request(0, 1, Bytes.utf8("y")).statement());
    }

    @Test
    void evidenceIsAFileThatAnybodyCanCheck() {
        Equivocation evidence =
                new Equivocation(cluster.sign(new Commit(3, 7, A, 2)), cluster.sign(new Commit(3, 7, B, 2)));
        Bytes file = evidence.encode();
        assertThat(Equivocation.isOne(file)).isTrue();
        Equivocation read = Equivocation.decode(file);
        assertThat(read).isEqualTo(evidence);
        assertThat(read.accused()).isEqualTo(NodeId.replica(2));
        assertThat(read.verify(cluster.verifier())).isTrue();
        assertThat(file.toUtf8()).startsWith("pbft-eqv\u0001");
    }

    @Test
    void nobodyCanMakeOneUp() {
        Signed<Commit> said = cluster.sign(new Commit(3, 7, A, 2));
        Signature signature = cluster.sign(new Commit(3, 7, B, 1)).signature();
        Equivocation forged = new Equivocation(said, new Signed<>(new Commit(3, 7, B, 2), signature));
        assertThat(forged.verify(cluster.verifier())).isFalse();
        Equivocation strangers =
                new Equivocation(cluster.sign(new Commit(3, 7, A, 9)), cluster.sign(new Commit(3, 7, B, 9)));
        assertThat(strangers.verify(cluster.verifier())).isFalse();
        assertThatThrownBy(() -> new Equivocation(said, said)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void filesThatAreNoneAreRefused() {
        Equivocation evidence =
                new Equivocation(cluster.sign(new Commit(3, 7, A, 2)), cluster.sign(new Commit(3, 7, B, 2)));
        byte[] file = evidence.encode().toByteArray();
        for (int length = 0; length < file.length; length++) {
            Bytes part = Bytes.copyOf(file, 0, length);
            assertThatThrownBy(() -> Equivocation.decode(part)).isInstanceOf(MalformedMessage.class);
        }
        int accepted = 0;
        for (int i = 0; i < file.length; i++) {
            byte[] changed = file.clone();
            changed[i] ^= 1;
            try {
                Equivocation read = Equivocation.decode(Bytes.wrap(changed));
                assertThat(read.encode()).isEqualTo(Bytes.wrap(changed));
                assertThat(read.verify(cluster.verifier())).isFalse();
                accepted++;
            } catch (MalformedMessage e) {
                assertThat(e.reason()).isNotNull();
            }
        }
        assertThat(accepted).isPositive();
        assertThat(Equivocation.isOne(Bytes.utf8("{\"receipt\""))).isFalse();
    }
}
