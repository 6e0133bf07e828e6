package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a sealer signs is what a verifier accepts, with the scheme that real clusters use. */
class SealerTest {
    private static final Digest DIGEST = Digest.of(Bytes.utf8("d"));

    private final TestCluster cluster = new TestCluster(4, 1, TestCluster.parameters(4, 16), new Ed25519());
    private final Verifier verifier = new Verifier(cluster.config(), cluster.scheme(), 1_000);

    private void accepted(Verified<?> own) {
        Message received = Codec.decode(Codec.encode(own.message()));
        assertThat(verifier.verify(own.from(), received)).isInstanceOf(Verdict.Accepted.class);
    }

    @Test
    void whatAReplicaSealsIsAccepted() {
        Sealer sealer = cluster.sealer(NodeId.replica(1));
        accepted(sealer.seal(new Prepare(0, 1, DIGEST, 1)));
        accepted(sealer.seal(new Commit(0, 1, DIGEST, 1)));
        accepted(sealer.seal(new Checkpoint(8, DIGEST, 1)));
        accepted(sealer.seal(new ViewChange(2, cluster.stable(4, DIGEST), List.of(cluster.prepared(1, 5, DIGEST)), 1)));
        accepted(sealer.propose(new PrePrepare(1, 1, Batch.NULL.digest(), 1), Batch.NULL));
        accepted(cluster.sealer(NodeId.client(0)).seal(new Request(0, 1, 1, 1, -1, List.of(Bytes.utf8("op")))));
        assertThat(sealer.self()).isEqualTo(NodeId.replica(1));
        assertThat(verifier.cacheMisses()).isPositive();
    }

    @Test
    void aNewViewHasEachOfItsPrePreparesSigned() {
        Signed<NewView> newView =
                cluster.newView(5, cluster.stable(4, DIGEST), List.of(cluster.prepared(2, 6, DIGEST)), List.of(5L, 6L));
        assertThat(newView.statement().proposals()).hasSize(2);
        for (Signed<PrePrepare> proposal : newView.statement().proposals()) {
            assertThat(verifier.isSigned(proposal)).isTrue();
        }
        assertThat(verifier.verify(NodeId.replica(3), newView)).isInstanceOf(Verdict.Accepted.class);
    }

    @Test
    void nobodySignsForAnother() {
        Sealer sealer = cluster.sealer(NodeId.replica(1));
        assertThatThrownBy(() -> sealer.seal(new Prepare(0, 1, DIGEST, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("replica-1 cannot sign for replica-2: PREPARE");
        assertThatThrownBy(() -> sealer.seal(new Request(1, 1, 1, 1, -1, List.of(Bytes.EMPTY))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> sealer.newView(1, List.of(), List.of(new PrePrepare(1, 1, DIGEST, 2)), 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aProposalNamesItsBatch() {
        Sealer sealer = cluster.sealer(NodeId.replica(1));
        assertThatThrownBy(() -> sealer.propose(new PrePrepare(1, 1, DIGEST, 1), Batch.NULL))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("for a batch with digest");
    }
}
