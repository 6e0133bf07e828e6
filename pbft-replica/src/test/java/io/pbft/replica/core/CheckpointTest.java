package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.Statement;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Checkpoints, garbage collection and state transfer (TOCS'02, sections 2.3.4 and 2.5; traps 42 to 48). */
class CheckpointTest {
    private final CoreWorld world = new CoreWorld(4);

    private void order(int first, int last) {
        for (int i = first; i <= last; i++) {
            world.submit(0, i, "op" + i, 0);
            world.deliver();
        }
    }

    static boolean carries(CoreWorld.Letter letter, Class<? extends Statement> kind) {
        return letter.message() instanceof Signed<?> signed && kind.isInstance(signed.statement());
    }

    @Test
    @DisplayName("trap 42: who finds a quorum for another state than its own stops executing and replaces it")
    void aDivergedStateIsReplaced() {
        order(1, 2);
        world.node(3).executed.add("a bit flipped");
        order(3, 4);
        assertThat(world.node(3).notes(Event.CHECKPOINT_DIVERGED)).hasSize(1);
        assertThat(world.node(3).notes(Event.STATE_TRANSFER_FINISHED)).hasSize(1);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        order(5, 8);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        assertThat(world.node(3).report().stableCheckpoint()).isEqualTo(8);
    }

    @Test
    @DisplayName("trap 42: what was taken from a wrong state proves nothing later, though it happens to be right again")
    void aStateThatWasWrongForAWhileIsReplacedAllTheSame() {
        world.link = letter -> letter.to() != 3 || !carries(letter, Checkpoint.class);
        order(1, 2);
        world.node(3).executed.add("wrong for a while");
        order(3, 4);
        world.node(3).executed.remove("wrong for a while");
        order(5, 8);
        world.link = letter -> true;
        world.holdSnapshots = true;
        world.receive(3, 1, new StableProof(certificateAt(4)));
        assertThat(world.node(3).notes(Event.STATE_TRANSFER_STARTED)).hasSize(1);
        world.receive(3, 1, new StableProof(certificateAt(8)));
        world.holdSnapshots = false;
        world.tick(200);
        assertThat(world.node(3).report().lastExecuted()).isEqualTo(8);
        assertThat(world.node(3).report().stableCheckpoint()).isEqualTo(8);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        // It is needed for the next checkpoints, and there.
        world.crash(2);
        order(9, 30);
        assertThat(world.node(0).executed).hasSize(30);
        assertThat(world.node(3).executed).hasSize(30);
        RestartTest.neverContradictsItself(world.node(3));
    }

    private CheckpointCertificate certificateAt(long seq) {
        Digest root = world.node(0).snapshots.get(seq).root();
        return new CheckpointCertificate(
                seq,
                root,
                List.of(
                        world.checkpoint(0, seq, root),
                        world.checkpoint(1, seq, root),
                        world.checkpoint(2, seq, root)));
    }

    @Test
    @DisplayName("trap 42: while the right state is fetched, nothing runs on the wrong one")
    void nothingIsExecutedDuringATransfer() {
        order(1, 2);
        world.node(3).executed.add("a bit flipped");
        world.nodes.subList(0, 3).forEach(node -> node.snapshots.clear());
        world.holdSnapshots = true;
        order(3, 6);
        int executes = world.node(3).effects(Effect.Execute.class).size();
        order(7, 8);
        assertThat(world.node(3).effects(Effect.Execute.class)).hasSize(executes);
        world.holdSnapshots = false;
        world.tick(200);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
    }

    @Test
    @DisplayName(
            "While the state is replaced no query is answered: of which state the answer is, only the store could say")
    void readsWaitForTheEndOfATransfer() {
        order(1, 2);
        world.node(3).executed.add("a bit flipped");
        world.nodes.subList(0, 3).forEach(node -> node.snapshots.clear());
        world.holdSnapshots = true;
        order(3, 4);
        assertThat(world.node(3).notes(Event.STATE_TRANSFER_STARTED)).hasSize(1);
        for (int i = 1; i <= 2; i++) {
            world.step(
                    3,
                    new Input.Received(
                            world.verified(NodeId.client(0), new ReadRequest(i, i == 1, true, Bytes.utf8("q")))));
        }
        assertThat(world.node(3).effects(Effect.Query.class)).isEmpty();
        world.holdSnapshots = false;
        world.tick(200);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        assertThat(world.node(3).effects(Effect.Query.class)).hasSize(2).allMatch(query -> query.seq() >= 4);
    }

    @Test
    @DisplayName("A replica whose state was wrong vouches for each number once, even when it knows better later")
    void aReplacedStateDoesNotMakeAReplicaContradictItself() {
        world.link = letter -> !(letter.to() == 3
                && carries(letter, Checkpoint.class)
                && !letter.from().equals(NodeId.replica(3)));
        order(1, 2);
        world.node(3).executed.add("a bit flipped");
        order(3, 9);
        assertThat(world.node(3).promises(Promise.Vouch.class)).hasSize(2);
        world.link = letter -> true;
        world.receive(3, 0, new StableProof(certificateAt(4)));
        world.deliver();
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        RestartTest.neverContradictsItself(world.node(3));
        assertThat(world.node(3).promises(Promise.Vouch.class)).hasSize(2);
        world.crash(3);
        world.restart(3);
        world.tick(100);
        order(10, 13);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        assertThat(world.node(3).report().stableCheckpoint()).isEqualTo(12);
    }

    @Test
    @DisplayName("trap 47: a checkpoint that fewer than a quorum claim moves nothing")
    void aClaimWithoutAQuorumMovesNothing() {
        Digest state = Digest.of(Bytes.utf8("claimed"));
        world.receive(3, 1, world.checkpoint(1, 8, state));
        world.receive(3, 2, world.checkpoint(2, 8, state));
        world.receive(3, 0, world.checkpoint(0, 8, Digest.of(Bytes.utf8("another"))));
        world.tick(200);
        assertThat(world.node(3).report().stableCheckpoint()).isZero();
        assertThat(world.node(3).effects(Effect.InstallState.class)).isEmpty();
    }

    @Test
    @DisplayName("traps 2, 42: of two CHECKPOINTs of one replica the first counts, and both are kept as evidence")
    void aSecondCheckpointOfOneReplicaIsEvidence() {
        Digest one = Digest.of(Bytes.utf8("one"));
        Digest other = Digest.of(Bytes.utf8("other"));
        world.receive(3, 0, world.checkpoint(0, 4, one));
        world.receive(3, 0, world.checkpoint(0, 4, other));
        assertThat(world.node(3).effects(Effect.Accuse.class)).hasSize(1);
        world.receive(3, 1, world.checkpoint(1, 4, other));
        world.receive(3, 2, world.checkpoint(2, 4, other));
        world.tick(200);
        assertThat(world.node(3).effects(Effect.InstallState.class)).isEmpty();
    }

    @Test
    @DisplayName("trap 10: CHECKPOINTs of one replica, however many, push out only its own")
    void checkpointsFarAheadPushOutOnlyTheirSendersOwn() {
        Digest state = Digest.of(Bytes.utf8("state"));
        CheckpointVotes votes = new CheckpointVotes();
        votes.add(world.checkpoint(1, 4, state));
        votes.add(world.checkpoint(2, 4, state));
        for (int i = 1; i <= 1_000; i++) {
            votes.add(world.checkpoint(3, 4L * i, state));
        }
        assertThat(votes.of(3, 4)).isNull();
        votes.add(world.checkpoint(0, 4, state));
        assertThat(votes.certificate(4, 3)).isNotNull();
        int kept = 0;
        for (int i = 1; i <= 1_000; i++) {
            kept += votes.of(3, 4L * i) == null ? 0 : 1;
        }
        assertThat(kept).isEqualTo(CheckpointVotes.PER_SENDER_MAX);
    }

    @Test
    @DisplayName("Within the window a laggard is brought up by decisions, without a transfer (traps 39, 69)")
    void aLaggardWithinTheWindowGetsDecisions() {
        world.link = letter -> letter.to() != 3;
        order(1, 3);
        world.link = letter -> true;
        world.tick(30);
        assertThat(world.node(3).executed).hasSize(3);
        assertThat(world.node(3).notes(Event.DECISION_LEARNED)).isNotEmpty();
        assertThat(world.node(3).effects(Effect.InstallState.class)).isEmpty();
    }

    @Test
    @DisplayName("trap 51: a quiet system brings up a laggard, also past the last stable checkpoint")
    void aQuietSystemBringsUpALaggard() {
        world.link = letter -> letter.to() != 3;
        order(1, 10);
        world.link = letter -> true;
        world.tick(200);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed).hasSize(10);
        assertThat(world.node(3).report().stableCheckpoint()).isEqualTo(8);
    }

    @Test
    @DisplayName("Behind the window, a laggard fetches the state, and goes on voting (trap 48)")
    void aLaggardBehindTheWindowFetchesTheState() {
        world.link = letter -> letter.to() != 3;
        order(1, 30);
        world.link = letter -> true;
        world.tick(200);
        assertThat(world.node(3).effects(Effect.InstallState.class)).isNotEmpty();
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        world.crash(2);
        order(31, 34);
        assertThat(world.node(3).executed).hasSize(34);
        assertThat(world.node(0).executed).hasSize(34);
    }

    @Test
    @DisplayName("trap 46: a transfer that the others have outrun goes after the newer checkpoint")
    void aTransferFollowsAMovingTarget() {
        world.link = letter -> letter.to() != 3;
        order(1, 20);
        world.link = letter -> true;
        world.holdSnapshots = true;
        world.tick(60);
        assertThat(world.node(3).effects(Effect.InstallState.class)).isNotEmpty();
        order(21, 40);
        for (CoreWorld.Node node : world.nodes) {
            node.snapshots.headMap(40L).clear();
        }
        world.holdSnapshots = false;
        world.tick(200);
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed).hasSize(40);
    }

    @Test
    @DisplayName("trap 44: the log is cut only when the state is here")
    void nothingIsTruncatedBeforeTheStateIsHere() {
        world.link = letter -> letter.to() != 3;
        order(1, 20);
        world.link = letter -> true;
        world.holdSnapshots = true;
        world.tick(100);
        assertThat(world.node(3).effects(Effect.InstallState.class)).isNotEmpty();
        assertThat(world.node(3).effects(Effect.Truncate.class)).isEmpty();
        world.holdSnapshots = false;
        world.tick(2);
        assertThat(world.node(3).effects(Effect.Truncate.class)).isNotEmpty();
    }

    @Test
    @DisplayName("traps 36, 43: time and client table come with the state: nothing is executed twice after a transfer")
    void theClientTableComesWithTheState() {
        world.link = letter -> letter.to() != 3;
        order(1, 20);
        world.link = letter -> true;
        world.tick(200);
        assertThat(world.node(3).report().lastExecuted()).isEqualTo(20);
        int replies = world.node(3).effects(Effect.Reply.class).size();
        world.submit(0, 20, "op20", 3);
        world.deliver();
        assertThat(world.node(3).effects(Effect.Reply.class)).hasSize(replies + 1);
        // A batch that orders it again changes nothing.
        Batch again = new Batch(1, List.of(world.request(0, 20, "op20")));
        Decision decision = world.decision(0, 21, again);
        world.receive(3, 0, decision);
        assertThat(world.node(3).report().lastExecuted()).isEqualTo(21);
        assertThat(world.node(3).executed).hasSize(20);
        assertThat(world.node(3)
                        .effects(Effect.Execute.class)
                        .get(world.node(3).effects(Effect.Execute.class).size() - 1)
                        .timeMillis())
                .isGreaterThanOrEqualTo(CoreWorld.START_MILLIS);
    }

    @Test
    @DisplayName("trap 7: nothing above the window is accepted, and no single replica moves it")
    void nothingOutsideOfTheWindowIsAccepted() {
        long beyond = world.parameters.window() + 1L;
        Proposal proposal = world.proposal(0, beyond, world.batch("far"));
        world.receive(1, 0, proposal);
        world.receive(1, 2, world.prepare(2, 0, beyond, proposal.batch()));
        world.receive(1, 3, world.commit(3, 0, beyond, proposal.batch()));
        assertThat(world.node(1).promises(Promise.AgreeTo.class)).isEmpty();
        assertThat(world.node(1).report().logSlots()).isZero();
        world.receive(1, 0, world.proposal(0, beyond - 1, world.batch("near")));
        assertThat(world.node(1).promises(Promise.AgreeTo.class)).hasSize(1);
    }

    @Test
    @DisplayName("trap 8: a primary whose window has moved first proposes nothing that others have no room for")
    void thePrimaryKeepsAnIntervalOfTheWindowFree() {
        // The first checkpoint becomes stable at the primary alone, those after it nowhere.
        world.link = letter ->
                !(letter.message() instanceof Signed<?> signed && signed.statement() instanceof Checkpoint checkpoint)
                        || (letter.to() == 0 && checkpoint.seq() == 4);
        order(1, 20);
        assertThat(world.node(0).report().stableCheckpoint()).isEqualTo(4);
        assertThat(world.node(3).report().stableCheckpoint()).isZero();
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.report().ignored()).doesNotContainKey("PRE-PREPARE outside of the window");
        }
        world.link = letter -> true;
        world.tick(200);
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.executed).hasSize(20);
            assertThat(node.report().view()).isZero();
        }
    }

    /** All but replica 3 move to view 1, which begins at the checkpoint at 4; its store has not kept its own yet. */
    private void viewThatBeginsWhileTheStoreIsSlow() {
        world.node(3).store = false;
        order(1, 5);
        assertThat(world.node(0).report().stableCheckpoint()).isEqualTo(4);
        assertThat(world.node(3).report().stableCheckpoint()).isZero();
        world.crash(0);
        world.submit(1, 1, "next", 1, 2, 3);
        world.tick(world.ticks(world.parameters.requestTimeoutMillis()) + 2);
    }

    @Test
    @DisplayName("A view that begins at a checkpoint which a slow disk has yet to keep causes no transfer of the state")
    void aSlowStoreIsNoReasonToFetchTheState() {
        viewThatBeginsWhileTheStoreIsSlow();
        CoreWorld.Node slow = world.node(3);
        assertThat(slow.report().view()).isEqualTo(1);
        assertThat(slow.report().stableCheckpoint()).isEqualTo(4);
        assertThat(slow.effects(Effect.InstallState.class)).isEmpty();
        assertThat(slow.effects(Effect.Truncate.class)).isEmpty();
        assertThat(slow.executed).isEqualTo(world.node(1).executed).contains("next");
        world.keepSnapshots(slow);
        assertThat(slow.effects(Effect.Truncate.class))
                .extracting(truncate -> truncate.stable().seq())
                .containsExactly(4L);
        slow.store = true;
        for (int i = 2; i <= 9; i++) {
            world.submit(1, i, "more " + i, 1, 2, 3);
            world.deliver();
        }
        assertThat(slow.effects(Effect.InstallState.class)).isEmpty();
        assertThat(slow.executed).isEqualTo(world.node(1).executed);
        assertThat(slow.report().stableCheckpoint()).isEqualTo(12);
    }

    @Test
    @DisplayName("When the slow disk has kept another state than the view began with, that state is replaced")
    void aSlowStoreWithAWrongStateIsFound() {
        world.node(3).executed.add("a bit flipped");
        viewThatBeginsWhileTheStoreIsSlow();
        CoreWorld.Node slow = world.node(3);
        assertThat(slow.effects(Effect.InstallState.class)).isEmpty();
        world.keepSnapshots(slow);
        slow.store = true;
        world.tick(50);
        assertThat(slow.notes(Event.CHECKPOINT_DIVERGED)).hasSize(1);
        assertThat(slow.notes(Event.STATE_TRANSFER_FINISHED)).hasSize(1);
        assertThat(slow.executed).isEqualTo(world.node(1).executed);
    }

    @Test
    @DisplayName("Who dies before the slow disk has kept what the view began with fetches it after the restart")
    void aSlowStoreThatNeverKeepsIt() {
        viewThatBeginsWhileTheStoreIsSlow();
        world.crash(3);
        world.node(3).store = true;
        world.restart(3);
        world.tick(50);
        assertThat(world.node(3).notes(Event.STATE_TRANSFER_FINISHED)).hasSize(1);
        assertThat(world.node(3).executed).isEqualTo(world.node(1).executed);
    }
}
