package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Sentences about changing views that state a rule, each with its section (OSDI'99, section 4.4; TOCS'02, section 2.3.5). */
class PaperViewChangeTest {
    private final CoreWorld world = new CoreWorld(4);

    private void order(int first, int last) {
        for (int number = first; number <= last; number++) {
            world.submit(0, number, "op" + number, world.all());
            world.deliver();
        }
    }

    /** The primary of view 0 dies, and the others ask for view 1. */
    private void thePrimaryDies() {
        world.crash(0);
        world.submit(1, 1, "next", 1, 2, 3);
        world.tick(world.ticks(world.parameters.requestTimeoutMillis()) + 2);
    }

    private ViewChange viewChangeOf(int replica) {
        return world.node(replica).promises(Promise.LeaveView.class).get(0).viewChange();
    }

    @Test
    @DisplayName("OSDI'99 4.4: n is the last stable checkpoint known to i, and C proves it")
    void aViewChangeProvesTheLastStableCheckpoint() {
        order(1, 6);
        thePrimaryDies();
        for (int replica = 1; replica < 4; replica++) {
            ViewChange viewChange = viewChangeOf(replica);
            assertThat(viewChange.view()).isEqualTo(1);
            assertThat(viewChange.stable().seq()).isEqualTo(4);
            assertThat(viewChange.stable().proof())
                    .hasSizeGreaterThanOrEqualTo(3)
                    .allMatch(vote -> vote.statement().seq() == 4)
                    .allMatch(vote ->
                            vote.statement().state().equals(viewChange.stable().state()));
        }
    }

    @Test
    @DisplayName("OSDI'99 4.4: P has a set for each request that prepared at i with a sequence number higher than n")
    void aViewChangeShowsWhatPreparedAboveTheCheckpointAndNothingElse() {
        order(1, 6);
        // The seventh is accepted by all and prepared by nobody.
        world.link = letter -> letter.from().isClient() || letter.message() instanceof Proposal;
        order(7, 7);
        world.link = letter -> true;
        world.crash(0);
        world.mail.clear();
        thePrimaryLeavesUnheard();
        assertThat(viewChangeOf(2).prepared())
                .extracting(PreparedCertificate::seq)
                .containsExactly(5L, 6L);
    }

    /** Nothing but VIEW-CHANGEs gets through, so that nothing prepares late. */
    private void thePrimaryLeavesUnheard() {
        world.link = letter -> CheckpointTest.carries(letter, ViewChange.class);
        world.tick(world.ticks(world.parameters.requestTimeoutMillis()) + 2);
    }

    @Test
    @DisplayName("OSDI'99 4.4: replicas redo the protocol between min-s and max-s, and do not execute it again")
    void whatWasExecutedIsAgreedOnAgainAndNotExecutedAgain() {
        order(1, 6);
        thePrimaryDies();
        Signed<NewView> newView =
                world.node(2).promises(Promise.EnterView.class).get(0).newView();
        assertThat(newView.statement().proposals())
                .extracting(proposal -> proposal.statement().seq())
                .containsExactly(5L, 6L);
        for (int replica = 1; replica < 4; replica++) {
            CoreWorld.Node node = world.node(replica);
            assertThat(node.commits)
                    .filteredOn(vote -> vote.statement().view() == 1)
                    .extracting(vote -> vote.statement().seq())
                    .contains(5L, 6L);
            assertThat(node.executed).isEqualTo(List.of("op1", "op2", "op3", "op4", "op5", "op6", "next"));
        }
    }

    @Test
    @DisplayName("OSDI'99 4.4: the new primary's next number is the one after max-s")
    void newRequestsComeAfterWhatIsCarriedOver() {
        order(1, 6);
        thePrimaryDies();
        assertThat(world.node(1).promises(Promise.Propose.class))
                .extracting(propose -> propose.prePrepare().seq())
                .containsExactly(7L);
    }

    @Test
    @DisplayName("TOCS'02 2.3.5: the primary of v + 1 needs 2f VIEW-CHANGEs for v + 1 of others, and adds its own")
    void theNewPrimaryNeedsAQuorumForItsView() {
        world.link = letter -> letter.from().isClient();
        CheckpointCertificate start = CheckpointCertificate.GENESIS;
        world.receive(1, 3, world.viewChange(3, 2, start));
        world.receive(1, 2, world.viewChange(2, 1, start));
        assertThat(world.node(1).promises(Promise.LeaveView.class)).hasSize(1);
        assertThat(world.node(1).promises(Promise.LeadView.class))
                .as("one wants a later view")
                .isEmpty();
        world.node(1).disk = false;
        world.receive(1, 0, world.viewChange(0, 1, start));
        Promise.LeadView lead = world.node(1).promises(Promise.LeadView.class).get(0);
        assertThat(lead.viewChanges())
                .extracting(vote -> vote.statement().replica())
                .containsExactly(0, 1, 2);
        assertThat(world.node(1).report().status())
                .as("in the view once the NEW-VIEW is durable")
                .isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
        world.node(1).disk = true;
        world.keepNext(world.node(1));
        assertThat(world.node(1).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
    }

    @Test
    @DisplayName("TOCS'02 2.3.5: a backup that enters a view prepares each message of O, and nothing else")
    void aBackupPreparesEachMessageOfO() {
        order(1, 6);
        thePrimaryDies();
        for (int backup = 2; backup < 4; backup++) {
            assertThat(world.node(backup).prepares)
                    .filteredOn(vote -> vote.statement().view() == 1)
                    .extracting(vote -> vote.statement().seq())
                    .containsExactly(5L, 6L, 7L);
        }
        assertThat(world.node(1).prepares)
                .as("the primary's PRE-PREPARE is its word")
                .noneMatch(vote -> vote.statement().view() == 1);
    }
}
