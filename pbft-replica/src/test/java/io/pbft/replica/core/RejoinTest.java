package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** trap 53: a lost disk is amnesia, and who has it votes only beyond all that it could have voted for. */
class RejoinTest {
    private final CoreWorld world = new CoreWorld(4);
    private int submitted;

    private void order(int count) {
        for (int i = 0; i < count; i++) {
            submitted++;
            world.submit(submitted % 4, 1 + submitted / 4, "op" + submitted, world.all());
            world.deliver();
        }
    }

    private void loseDiskOf(int id) {
        world.crash(id);
        world.loseDisk(id);
        world.node(id).signedEver.clear();
        world.restart(id, true);
        world.deliver();
    }

    private long highestVoteBeforeTheLoss(int id) {
        long highest = 0;
        for (Statement statement : world.node(id).signedEver) {
            if (statement instanceof Prepare prepare) {
                highest = Math.max(highest, prepare.seq());
            } else if (statement instanceof Commit commit) {
                highest = Math.max(highest, commit.seq());
            }
        }
        return highest;
    }

    @Test
    void votesOnlyBeyondWhatItMayHaveVotedForAndThenForGood() {
        order(11);
        long before = highestVoteBeforeTheLoss(3);
        assertThat(before).isEqualTo(11);
        loseDiskOf(3);
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.REJOINING);
        for (int i = 0; i < 60; i++) {
            order(1);
            world.tick(7);
        }
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        assertThat(world.node(3).signedEver).isNotEmpty();
        long bound = world.parameters.window();
        for (Statement statement : world.node(3).signedEver) {
            if (statement instanceof Prepare prepare) {
                assertThat(prepare.seq()).isGreaterThan(before + bound);
            } else if (statement instanceof Commit commit) {
                assertThat(commit.seq()).isGreaterThan(before + bound);
            } else if (statement instanceof Checkpoint checkpoint) {
                assertThat(checkpoint.seq()).isGreaterThan(before + bound);
            }
        }
        // It is worth a vote again.
        world.crash(2);
        order(10);
        assertThat(world.node(3).executed).hasSize(submitted);
        assertThat(world.node(0).executed).hasSize(submitted);
    }

    @Test
    @DisplayName("trap 53: to have executed as far is not enough: below a stable checkpoint there is no voting again")
    void executedButNotStableIsNotFarEnough() {
        order(3);
        loseDiskOf(3);
        long bound = 2L * world.parameters.window();
        world.link = letter -> letter.to() != 3 || provenCheckpoint(letter) < bound;
        for (int i = 0; i < 26; i++) {
            order(1);
            world.tick(12);
        }
        assertThat(world.node(3).report().lastExecuted()).isGreaterThan(bound);
        assertThat(world.node(3).report().stableCheckpoint()).isLessThan(bound);
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.REJOINING);
        assertThat(world.node(3).signedEver).isEmpty();
        world.link = letter -> true;
        world.tick(50);
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
    }

    /** The number of the checkpoint that a letter proves, or votes for; 0 where it is about none. */
    private static long provenCheckpoint(CoreWorld.Letter letter) {
        if (letter.message() instanceof StableProof proof) {
            return proof.certificate().seq();
        }
        boolean votes = CheckpointTest.carries(letter, Checkpoint.class);
        return votes
                ? ((Signed<?>) letter.message())
                        .as(Checkpoint.class)
                        .statement()
                        .seq()
                : 0;
    }

    @Test
    @DisplayName("One that keeps pace from the start learns the bound all the same")
    void theBoundIsLearntWithoutEverLaggingBehind() {
        loseDiskOf(3);
        for (int i = 0; i < 60; i++) {
            order(1);
        }
        world.tick(30);
        order(30);
        world.tick(30);
        order(30);
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
    }

    @Test
    void neitherJoinsNorAccusesNorAnswersReadsMeanwhile() {
        order(6);
        loseDiskOf(3);
        world.link = letter -> letter.from().isClient() || letter.to() != 3;
        world.submit(1, 1, "waits", 3);
        world.deliver();
        for (int sender = 0; sender < 3; sender++) {
            world.receive(3, sender, world.viewChange(sender, 1, CheckpointCertificate.GENESIS));
        }
        world.tick(10 * world.ticks(world.parameters.requestTimeoutMillis()));
        world.step(
                3,
                new Input.Received(world.verified(
                        io.pbft.protocol.NodeId.client(0),
                        new io.pbft.protocol.ReadRequest(1, true, true, io.pbft.crypto.Bytes.utf8("read")))));
        assertThat(world.node(3).signedEver).isEmpty();
        assertThat(world.node(3).effects(Effect.Query.class)).isEmpty();
    }

    @Test
    @DisplayName("trap 53: an old copy of the journal with a VIEW-CHANGE in it gives no vote to one that rejoins")
    void anOldCopyWithAViewChangeGivesNoVote() {
        order(2);
        // The copy is of a replica that had left view 0 alone; it went on, and voted, in view 2.
        world.link = letter -> letter.from().isClient();
        world.submit(0, 50, "waits", 3);
        world.deliver();
        while (world.node(3).viewChange.isEmpty()) {
            world.step(3, new Input.Tick(world.wallMillis()));
        }
        world.crash(3);
        world.restart(3, true);
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.REJOINING);
        world.node(3).signedEver.clear();
        Batch batch = world.batch("voted against in the life that is lost");
        world.receive(3, 1, world.newView(1, viewChangesFor(1), 1));
        world.receive(3, 1, world.proposal(1, 3, batch));
        assertThat(world.node(3).signedEver).isEmpty();
    }

    private List<Signed<ViewChange>> viewChangesFor(long view) {
        return List.of(
                world.viewChange(0, view, CheckpointCertificate.GENESIS),
                world.viewChange(1, view, CheckpointCertificate.GENESIS),
                world.viewChange(2, view, CheckpointCertificate.GENESIS));
    }

    @Test
    @DisplayName("trap 22: who left a view before it rejoined does not vote in it once it may vote again")
    void aViewThatWasLeftStaysLeft() {
        order(2);
        world.link = letter -> letter.from().isClient();
        world.submit(0, 50, "waits", 3);
        world.deliver();
        while (world.node(3).viewChange.isEmpty()) {
            world.step(3, new Input.Tick(world.wallMillis()));
        }
        world.crash(3);
        world.restart(3, true);
        world.link = letter -> true;
        for (int i = 0; i < 80 && world.node(3).report().status() == ReplicaReport.Status.REJOINING; i++) {
            order(1);
            world.tick(7);
        }
        assertThat(world.node(0).report().view()).isZero();
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
        order(8);
        RestartTest.neverContradictsItself(world.node(3));
        // The others change the view too, and it is worth a vote in the next.
        world.crash(0);
        order(1);
        world.tick(2 * world.ticks(world.parameters.requestTimeoutMillis()));
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        assertThat(world.node(3).executed).hasSize(submitted + 1).isEqualTo(world.node(1).executed);
    }

    @Test
    @DisplayName("trap 22: nor does it lead a view that it left another for, and may have led: it leaves that one too")
    void aViewThatItMayHaveLedIsNotLedAgain() {
        order(2);
        world.link = letter -> letter.from().isClient();
        world.receive(3, 0, world.viewChange(0, 3, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.viewChange(1, 3, CheckpointCertificate.GENESIS));
        assertThat(world.node(3).promises(Promise.LeadView.class)).hasSize(1);
        world.deliver();
        world.crash(3);
        // The copy is of the moment before.
        world.node(3).newView = java.util.Optional.empty();
        world.restart(3, true);
        world.link = letter -> true;
        for (int i = 0; i < 80 && world.node(3).report().status() == ReplicaReport.Status.REJOINING; i++) {
            order(1);
            world.tick(7);
        }
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
        // The mark of the lost disk goes with the change of status: by then the journal must have the VIEW-CHANGE.
        assertThat(world.node(3).effects)
                .filteredOn(effect -> leaves(effect, 4) || changesStatusTo(effect, ReplicaReport.Status.VIEW_CHANGE))
                .last()
                .isInstanceOf(Effect.Note.class);
        world.receive(3, 0, world.viewChange(0, 3, world.node(0).stable));
        world.receive(3, 2, world.viewChange(2, 3, world.node(0).stable));
        assertThat(world.node(3).promises(Promise.LeadView.class)).hasSize(1);
        assertThat(world.node(3).report().view()).isEqualTo(4);
        RestartTest.neverContradictsItself(world.node(3));
    }

    private static boolean leaves(Effect effect, long view) {
        return effect instanceof Effect.Bind bind
                && bind.promise() instanceof Promise.LeaveView leave
                && leave.viewChange().view() == view;
    }

    private static boolean changesStatusTo(Effect effect, ReplicaReport.Status status) {
        return effect instanceof Effect.Note note
                && note.event() == Event.STATUS_CHANGED
                && note.detail().startsWith(status + ":");
    }

    @Test
    @DisplayName("trap 22: nor does a NEW-VIEW that waits for its batches bring it back to a view that it had left")
    void aNewViewThatWaitsBringsNobodyBack() {
        order(2);
        world.link = letter -> letter.from().isClient();
        world.receive(3, 0, world.viewChange(0, 2, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.viewChange(1, 2, CheckpointCertificate.GENESIS));
        assertThat(world.node(3).viewChange.orElseThrow().statement().view()).isEqualTo(2);
        world.crash(3);
        world.restart(3, true);
        world.link = letter -> true;
        world.tick(2 * world.ticks(world.parameters.statusIntervalMillis()));
        world.link = letter -> letter.to() != 3;
        Batch unknown = world.batch("unknown here");
        List<Signed<ViewChange>> v = List.of(
                world.viewChange(0, 1, CheckpointCertificate.GENESIS),
                world.viewChange(1, 1, CheckpointCertificate.GENESIS, world.preparedCertificate(0, 1, unknown)),
                world.viewChange(2, 1, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.newView(1, v, 1, Codec.digest(unknown)));
        order(30);
        // The state of a checkpoint beyond the bound comes at once, and the batch not at all.
        world.link = letter -> true;
        world.tick(20 * world.ticks(world.parameters.statusIntervalMillis()));
        assertThat(world.node(3).report().lastExecuted()).isGreaterThanOrEqualTo(28);
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
        assertThat(world.node(3).report().view()).isEqualTo(2);
    }

    @Test
    @DisplayName("trap 19: what f + 1 others wanted before it could vote it joins once it can")
    void joinsWhatOthersWantedMeanwhile() {
        order(3);
        loseDiskOf(3);
        world.receive(3, 1, world.viewChange(1, 1, CheckpointCertificate.GENESIS));
        world.receive(3, 2, world.viewChange(2, 1, CheckpointCertificate.GENESIS));
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.REJOINING);
        world.tick(60 * world.ticks(world.parameters.statusIntervalMillis()));
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
        assertThat(world.node(3).notes(Event.JOINED_VIEW_CHANGE)).hasSize(1);
    }

    @Test
    @DisplayName("A checkpoint that it took before it could vouch is vouched for as soon as it can")
    void vouchesForOpenCheckpointsOnceItMayVote() {
        order(3);
        loseDiskOf(3);
        for (int i = 0; i < 80 && world.node(3).report().status() != ReplicaReport.Status.NORMAL; i++) {
            order(1);
            world.tick(3);
        }
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        world.crash(1);
        order(20);
        world.tick(50);
        order(20);
        assertThat(world.node(3).executed).hasSize(submitted);
    }

    private long nullRequestsProposed() {
        return world.nodes.stream()
                .flatMap(node -> node.promises(Promise.Propose.class).stream())
                .filter(propose -> propose.batch().requests().isEmpty())
                .count();
    }

    @Test
    @DisplayName("trap 51: in a quiet system null requests carry the next checkpoints to where it votes again")
    void aQuietSystemGivesItsVoteBack() {
        order(3);
        loseDiskOf(3);
        world.tick(60 * world.ticks(world.parameters.statusIntervalMillis()));
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        // Two windows beyond a checkpoint at 0, and not one number more.
        assertThat(world.node(0).report().lastExecuted()).isEqualTo(24);
        assertThat(nullRequestsProposed()).isEqualTo(21);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        assertThat(world.node(1).report().view()).isZero();
        // It is worth a vote again.
        world.crash(2);
        order(1);
        world.tick(5);
        assertThat(world.node(0).executed).hasSize(4);
        assertThat(world.node(3).executed).hasSize(4);
    }

    @Test
    @DisplayName("Where somebody asks for something, no null request is ordered for it")
    void aBusySystemNeedsNoNullRequests() {
        order(3);
        loseDiskOf(3);
        for (int i = 0; i < 40; i++) {
            order(1);
            world.tick(7);
        }
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        assertThat(nullRequestsProposed()).isZero();
    }

    @Test
    @DisplayName("Who always waits for a checkpoint costs two windows once, and then one null request an interval")
    void whoAlwaysWaitsIsGivenLittle() {
        order(3);
        int interval = world.ticks(world.parameters.statusIntervalMillis());
        for (int i = 0; i < 100; i++) {
            world.receive(
                    0,
                    3,
                    new Status(0, false, 3, 0, true, world.node(0).report().lastExecuted() + 20));
            world.receive(0, 2, new Status(0, false, 3, 0, true, Long.MAX_VALUE));
            world.tick(interval);
        }
        long once = 2L * world.parameters.window() + world.parameters.checkpointInterval();
        assertThat(nullRequestsProposed()).isBetween(once + 50, once + 101);
    }
}
