package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchBody;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Limits;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * A prepared certificate whose batch one replica alone still holds, and that one lies: it shows the certificate in time for
 * every change of view and hands the batch to nobody (trap 17). It can come by one where votes are lost and a later view
 * proposes something else at the same number.
 */
class WithheldBatchTest {
    private static final CheckpointCertificate START = CheckpointCertificate.GENESIS;

    private final CoreWorld world = new CoreWorld(4);
    private PreparedCertificate certificate;

    /**
     * View 0 prepares a batch in the eyes of {@code liar} alone; view 1 proposes another one at its number, which nobody
     * prepares, so that all others have let the first one go.
     */
    private void onlyHeldBy(int liar) {
        world.node(liar).up = false;
        world.link = letter -> !CheckpointTest.carries(letter, Prepare.class);
        Batch withheld = world.batch("withheld");
        if (liar == 0) {
            for (int id = 1; id < 4; id++) {
                world.receive(id, 0, world.proposal(0, 1, withheld));
            }
        } else {
            world.submit(7, 1, "withheld", 0);
            world.deliver();
            withheld = world.node(0).promises(Promise.Propose.class).get(0).batch();
        }
        certificate = world.preparedCertificate(0, 1, withheld);
        world.submit(1, 1, "wanted", world.all());
        world.deliver();
        int ticks = 0;
        while (world.node(3).report().view() < 1
                || !world.node(3).report().status().equals(ReplicaReport.Status.NORMAL)) {
            world.tick(1);
            assertThat(ticks++).isLessThan(2_000);
        }
        for (CoreWorld.Node node : world.nodes) {
            if (node.up) {
                assertThat(node.report().view()).isEqualTo(1);
                assertThat(node.prepared).isEmpty();
            }
        }
    }

    private void allButTheLiarExecuteWhatIsWanted() {
        for (CoreWorld.Node node : world.nodes) {
            if (node.up) {
                assertThat(node.executed).as("replica %d", node.id).contains("wanted");
            }
        }
    }

    @Test
    @DisplayName("A new primary does not wait for a batch for ever where it can begin the view without it")
    void aNewPrimaryBeginsWithWhatItCanHave() {
        onlyHeldBy(0);
        long shown = 1;
        for (int ticks = 0; ticks < 20_000 && !world.node(1).executed.contains("wanted"); ticks++) {
            long next = world.node(3).report().view() + 1;
            // The liar is there first with each new primary, and with nobody else.
            for (long view = shown + 1; view <= next; view++) {
                if (view % 4 != 0) {
                    world.receive((int) (view % 4), 0, world.viewChange(0, view, START, certificate));
                }
            }
            shown = Math.max(shown, next);
            // Votes arrive again once view 1 has failed.
            boolean lost = next <= 2;
            world.link = letter -> !lost || !CheckpointTest.carries(letter, Prepare.class);
            world.tick(1);
        }
        allButTheLiarExecuteWhatIsWanted();
    }

    @Test
    @DisplayName("trap 18c: the wait for a view whose batches do not come ends, though its NEW-VIEW was there first")
    void theWaitForBatchesIsTimed() {
        onlyHeldBy(2);
        // The VIEW-CHANGEs of 0 and 3 arrive at the liar, which is the primary of view 2, and at 1, and nowhere else.
        world.link = letter -> letter.to() == 1 && !CheckpointTest.carries(letter, Prepare.class);
        int ticks = 0;
        while (world.nodes.stream().anyMatch(node -> node.up && node.report().view() < 2)) {
            world.tick(1);
            assertThat(ticks++).isLessThan(2_000);
        }
        List<Signed<ViewChange>> v = List.of(
                world.node(0).viewChange.orElseThrow(),
                world.node(1).viewChange.orElseThrow(),
                world.viewChange(2, 2, START, certificate));
        for (CoreWorld.Node node : world.nodes) {
            if (node.up) {
                assertThat(node.report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
                world.receive(node.id, 2, world.newView(2, v, 1, certificate.digest()));
            }
        }
        world.link = letter -> true;
        world.tick(4 * world.ticks(world.parameters.viewChangeTimeoutMaxMillis()));
        allButTheLiarExecuteWhatIsWanted();
    }

    private static List<Digest> askedBy(CoreWorld.Node node) {
        return node.effects(Effect.Send.class).stream()
                .filter(send -> send.message() instanceof BatchFetch)
                .flatMap(send -> ((BatchFetch) send.message()).digests().stream())
                .toList();
    }

    @Test
    @DisplayName("Where each quorum lacks a batch, those that correct replicas show are asked for too")
    void whatEachQuorumLacksIsAskedFor() {
        world.link = letter -> false;
        Batch held = world.batch("held by one correct replica");
        world.receive(1, 0, world.viewChange(0, 1, START, world.preparedCertificate(0, 1, world.batch("withheld"))));
        world.receive(1, 2, world.viewChange(2, 1, START));
        world.receive(1, 3, world.viewChange(3, 1, START, world.preparedCertificate(0, 2, held)));
        assertThat(world.node(1).promises(Promise.LeadView.class)).isEmpty();
        assertThat(askedBy(world.node(1))).contains(Codec.digest(held));
        world.receive(1, 3, new BatchBody(held));
        assertThat(world.node(1).promises(Promise.LeadView.class)).hasSize(1);
        assertThat(world.node(1).promises(Promise.LeadView.class).get(0).viewChanges())
                .extracting(vote -> vote.statement().replica())
                .containsExactly(1, 2, 3);
    }

    @Test
    @DisplayName("Many batches that nobody hands out do not keep the others from being asked for")
    void eachRoundAsksForOtherBatches() {
        int many = 3 * Limits.FETCH_BATCHES_MAX;
        CoreWorld wide = new CoreWorld(
                4,
                new ProtocolParameters(
                        100, 400, 4, 100, 1 << 20, 10, 500, 100, 2_000, 500, 8_000, 100, 5_000, 64, 4, 1 << 20));
        wide.link = letter -> false;
        PreparedCertificate[] shown = new PreparedCertificate[many];
        for (int i = 0; i < many; i++) {
            shown[i] = wide.preparedCertificate(0, i + 1, wide.batch("withheld " + i));
        }
        wide.receive(1, 0, wide.viewChange(0, 1, START, shown));
        wide.receive(1, 2, wide.viewChange(2, 1, START, shown[0]));
        wide.tick(4 * wide.ticks(wide.parameters.statusIntervalMillis()));
        assertThat(wide.node(1).report().view()).isEqualTo(1);
        assertThat(new TreeSet<>(askedBy(wide.node(1)))).hasSize(many);
    }

    @Test
    @DisplayName("A liar that wants one later view after the other makes nobody ask for the same batches again")
    void laterViewsAskForNothing() {
        world.link = letter -> false;
        Batch held = world.batch("held by one correct replica");
        world.receive(1, 0, world.viewChange(0, 1, START));
        world.receive(1, 2, world.viewChange(2, 1, START, world.preparedCertificate(0, 1, held)));
        world.receive(1, 3, world.viewChange(3, 1, START, world.preparedCertificate(0, 1, held)));
        assertThat(world.node(1).report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
        List<Digest> asked = askedBy(world.node(1));
        assertThat(asked).isNotEmpty().containsOnly(Codec.digest(held));
        for (long view = 2; view < 10; view++) {
            world.receive(1, 0, world.viewChange(0, view, START));
        }
        assertThat(askedBy(world.node(1))).isEqualTo(asked);
        world.receive(1, 3, new BatchBody(held));
        assertThat(world.node(1).report().view()).isEqualTo(1);
    }
}
