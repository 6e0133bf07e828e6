package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Batch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of the normal case, one test each: TOCS'02, sections 2.3 and 2.4; OSDI'99, sections 4.1 and 4.2. */
class PaperNormalCaseTest {
    private final CoreWorld world = new CoreWorld(4);
    private final Batch batch = world.batch("a");
    private final Proposal proposal = world.proposal(0, 1, batch);

    private CoreWorld.Node backup() {
        return world.node(3);
    }

    private void alone() {
        world.link = letter -> letter.from().isClient();
    }

    /** TOCS'02, section 2.3: the primary of view v is replica v mod n. */
    @ParameterizedTest
    @ValueSource(ints = {4, 5, 7, 10})
    void thePrimaryIsTheViewModuloTheNumberOfReplicas(int n) {
        CoreWorld other = new CoreWorld(n);
        for (int id = 0; id < n; id++) {
            assertThat(other.node(id).report().primary()).isEqualTo(id == 0);
        }
        for (int sender = 0; sender < new io.pbft.protocol.Quorum(n).weak(); sender++) {
            other.receive(
                    n - 1, sender, other.viewChange(sender, n + 2L, io.pbft.protocol.CheckpointCertificate.GENESIS));
        }
        other.deliver();
        other.tick(30);
        assertThat(other.node(2).report().primary())
                .isEqualTo(other.node(2).report().view() % n == 2);
    }

    /** OSDI'99, section 4.2: a backup accepts a PRE-PREPARE of its view, and only then sends PREPARE. */
    @Test
    void aBackupPreparesAPrePrepareOfItsView() {
        alone();
        world.receive(3, 0, proposal);
        assertThat(backup().promises(Promise.AgreeTo.class))
                .extracting(promise -> promise.prepare().digest())
                .containsExactly(batch.digest());
        world.receive(3, 1, world.proposal(1, 2, world.batch("of a later view")));
        assertThat(backup().promises(Promise.AgreeTo.class)).hasSize(1);
    }

    /** OSDI'99, section 4.2: it has not accepted a PRE-PREPARE for this view and number with another digest. Trap 5. */
    @Test
    @DisplayName("trap 5: of two PRE-PREPAREs for one view and number the first is accepted, both are evidence")
    void aSecondDigestForOneViewAndNumberIsNotAccepted() {
        alone();
        world.receive(3, 0, proposal);
        world.receive(3, 0, world.proposal(0, 1, world.batch("b")));
        assertThat(backup().promises(Promise.AgreeTo.class)).hasSize(1);
        assertThat(backup().effects(Effect.Accuse.class)).hasSize(1);
        Effect.Accuse evidence = backup().effects(Effect.Accuse.class).get(0);
        assertThat(((PrePrepare) evidence.first().statement()).digest()).isEqualTo(batch.digest());
    }

    /** OSDI'99, section 4.2: the number lies between the watermarks h and H = h + L. */
    @Test
    void theNumberLiesBetweenTheWatermarks() {
        alone();
        long high = world.parameters.window();
        world.receive(3, 0, world.proposal(0, high + 1, world.batch("above")));
        assertThat(backup().promises(Promise.AgreeTo.class)).isEmpty();
        world.receive(3, 0, world.proposal(0, high, world.batch("at H")));
        assertThat(backup().promises(Promise.AgreeTo.class)).hasSize(1);
    }

    /** TOCS'02, section 2.3.2: prepared(m, v, n, i) needs the PRE-PREPARE and 2f PREPAREs of different backups for it. */
    @ParameterizedTest
    @ValueSource(ints = {4, 5, 6, 7, 8, 10, 13})
    @DisplayName("traps 1, 2, 3: prepared needs a quorum less the primary, of different backups, with the same digest")
    void preparedNeedsEnoughMatchingPreparesOfDifferentBackups(int n) {
        CoreWorld other = new CoreWorld(n);
        other.link = letter -> letter.from().isClient();
        int needed = new io.pbft.protocol.Quorum(n).prepares();
        Batch wrong = other.batch("wrong");
        other.receive(n - 1, 0, other.proposal(0, 1, batch));
        other.receive(n - 1, 1, other.prepare(1, 0, 1, batch));
        other.receive(n - 1, 1, other.prepare(1, 0, 1, batch));
        other.receive(n - 1, 2, other.prepare(2, 0, 1, wrong));
        other.receive(n - 1, 2, other.prepare(2, 0, 1, batch));
        // Its own and replica 1's count so far: replica 2's second word does not.
        for (int sender = 3; sender < n - 1 && sender < needed + 1; sender++) {
            assertThat(other.node(n - 1).promises(Promise.CommitTo.class)).isEmpty();
            other.receive(n - 1, sender, other.prepare(sender, 0, 1, batch));
        }
        int matching = 2 + Math.min(needed + 1, n - 1) - 3;
        assertThat(other.node(n - 1).promises(Promise.CommitTo.class)).hasSize(matching >= needed ? 1 : 0);
        assertThat(other.node(n - 1).effects(Effect.Accuse.class)).hasSize(1);
    }

    /** OSDI'99, section 4.2: PREPAREs may come before the PRE-PREPARE that they are for. Trap 4. */
    @Test
    @DisplayName("trap 4: votes that come before the PRE-PREPARE count once it is there")
    void votesBeforeThePrePrepareCount() {
        alone();
        world.receive(3, 1, world.prepare(1, 0, 1, batch));
        world.receive(3, 2, world.prepare(2, 0, 1, batch));
        assertThat(backup().promises(Promise.CommitTo.class)).isEmpty();
        world.receive(3, 0, proposal);
        assertThat(backup().promises(Promise.CommitTo.class)).hasSize(1);
    }

    /** TOCS'02, section 2.3.2: committed-local needs 2f + 1 matching COMMITs; only then is the request executed. */
    @ParameterizedTest
    @ValueSource(ints = {4, 5, 6, 7, 8, 10, 13})
    @DisplayName("traps 1, 2: a batch commits with a quorum of equal COMMITs of different replicas, not with fewer")
    void committedNeedsAQuorumOfEqualCommits(int n) {
        CoreWorld other = new CoreWorld(n);
        other.link = letter -> letter.from().isClient();
        int quorum = new io.pbft.protocol.Quorum(n).quorum();
        other.receive(n - 1, 0, other.proposal(0, 1, batch));
        other.receive(n - 1, 0, other.commit(0, 0, 1, other.batch("wrong")));
        for (int sender = 1; sender <= quorum; sender++) {
            assertThat(other.node(n - 1).executed).isEmpty();
            other.receive(n - 1, 1, other.commit(1, 0, 1, batch));
            other.receive(n - 1, 1, other.commit(sender, 0, 1, batch));
        }
        assertThat(other.node(n - 1).executed).containsExactly("a");
    }

    /** COMMITs for one number and digest of different views do not add up. */
    @Test
    void commitsOfDifferentViewsDoNotAddUp() {
        alone();
        world.receive(3, 0, proposal);
        world.receive(3, 0, world.commit(0, 0, 1, batch));
        world.receive(3, 1, world.commit(1, 1, 1, batch));
        world.receive(3, 2, world.commit(2, 2, 1, batch));
        assertThat(backup().executed).isEmpty();
    }

    /** TOCS'02, section 2.3.2: requests are executed in the order of their numbers, after all lower ones. */
    @Test
    void executionFollowsTheNumbers() {
        alone();
        Batch second = new Batch(world.wallMillis(), List.of(world.request(1, 1, "b")));
        world.receive(3, 0, world.decision(0, 2, second));
        assertThat(backup().executed).isEmpty();
        world.receive(3, 0, world.decision(0, 1, batch));
        assertThat(backup().executed).containsExactly("a", "b");
    }

    /** TOCS'02, section 2.3.1: what was executed already is answered again, not executed again. */
    @Test
    void aRepeatedRequestIsAnsweredFromWhatIsRemembered() {
        Signed<Request> request = world.submit(0, 1, "a", 0);
        world.deliver();
        world.mail.add(new CoreWorld.Letter(NodeId.client(0), 3, request));
        world.deliver();
        assertThat(backup().executed).containsExactly("a");
        List<Effect.Reply> replies = backup().effects(Effect.Reply.class);
        assertThat(replies).hasSize(2);
        assertThat(replies.get(1).answers()).isEqualTo(replies.get(0).answers());
    }

    /** TOCS'02, section 2.3.1: a request that a backup has not executed it passes on to the primary. Trap 34. */
    @Test
    @DisplayName("trap 34: a backup passes on what a client sends to it alone, and again when it is lost")
    void aBackupPassesARequestOnToThePrimary() {
        world.submit(0, 1, "a", 3);
        world.deliver();
        assertThat(world.node(0).executed).containsExactly("a");
        world.link = letter -> letter.from().isClient() || letter.to() != 0;
        world.submit(0, 2, "b", 3);
        world.deliver();
        world.link = letter -> true;
        world.tick(world.ticks(4 * world.parameters.statusIntervalMillis()));
        assertThat(world.node(0).executed).containsExactly("a", "b");
        assertThat(world.node(0).report().view()).isZero();
    }

    /** OSDI'99, section 4.3: every K numbers a checkpoint; TOCS'02, section 2.3.4: a quorum of equal ones makes it stable. */
    @Test
    void aCheckpointEveryIntervalAndStableWithAQuorum() {
        for (int i = 1; i <= 9; i++) {
            world.submit(0, i, "op" + i, 0);
            world.deliver();
        }
        assertThat(backup().effects(Effect.TakeSnapshot.class))
                .extracting(Effect.TakeSnapshot::seq)
                .containsExactly(4L, 8L);
        assertThat(backup().effects(Effect.Truncate.class))
                .extracting(truncate -> truncate.stable().seq())
                .containsExactly(4L, 8L);
        for (Effect.Truncate truncate : backup().effects(Effect.Truncate.class)) {
            assertThat(truncate.stable().proof()).hasSize(3);
        }
        assertThat(backup().report().logSlots())
                .as("below the low watermark nothing is kept")
                .isEqualTo(1);
    }

    /** The primary proposes a time; a backup vouches for it only near its own clock. Trap 65. */
    @Test
    @DisplayName("trap 65: a PRE-PREPARE whose time is too far off is not agreed to, and agreed time never goes back")
    void theProposedTimeIsCheckedAndNeverGoesBack() {
        alone();
        long skew = world.parameters.clockSkewMillis();
        Signed<Request> one = world.request(0, 1, "a");
        world.receive(3, 0, world.proposal(0, 1, new Batch(world.wallMillis() + skew + 1, List.of(one))));
        world.receive(3, 0, world.proposal(0, 1, new Batch(world.wallMillis() - skew - 1, List.of(one))));
        assertThat(backup().promises(Promise.AgreeTo.class)).isEmpty();
        world.receive(3, 0, world.proposal(0, 1, new Batch(world.wallMillis() + skew, List.of(one))));
        assertThat(backup().promises(Promise.AgreeTo.class)).hasSize(1);
        world.receive(3, 0, world.decision(0, 1, new Batch(world.wallMillis() + skew, List.of(one))));
        world.receive(3, 0, world.decision(0, 2, new Batch(world.wallMillis(), List.of(world.request(0, 2, "b")))));
        world.receive(3, 0, world.decision(0, 3, Batch.NULL));
        assertThat(backup().effects(Effect.Execute.class))
                .extracting(Effect.Execute::timeMillis)
                .containsExactly(world.wallMillis() + skew, world.wallMillis() + skew, world.wallMillis() + skew);
    }

    /** SRDS'21 and Paxos quorum reads: see docs/divergence.md. Traps 38, 40, 76. */
    @Test
    @DisplayName(
            "traps 40, 76: an up-to-date read waits for all that COMMIT was sent for, and sees committed state only")
    void anUpToDateReadWaitsForWhatWasCommittedTo() {
        alone();
        world.receive(3, 0, proposal);
        world.receive(3, 1, world.prepare(1, 0, 1, batch));
        assertThat(backup().promises(Promise.CommitTo.class)).hasSize(1);
        world.step(
                3,
                new Input.Received(world.verified(NodeId.client(0), new ReadRequest(1, true, true, Bytes.utf8("q")))));
        world.step(
                3,
                new Input.Received(world.verified(NodeId.client(0), new ReadRequest(2, false, true, Bytes.utf8("q")))));
        assertThat(backup().effects(Effect.Query.class))
                .extracting(Effect.Query::nonce)
                .containsExactly(2L);
        world.receive(3, 0, world.decision(0, 1, batch));
        assertThat(backup().effects(Effect.Query.class))
                .extracting(Effect.Query::nonce)
                .containsExactly(2L, 1L);
        assertThat(backup().effects(Effect.Query.class).get(1).seq()).isEqualTo(1);
    }

    @Test
    @DisplayName("trap 76: the reads' rule holds across a restart: a COMMIT from before still has to be executed")
    void theReadsRuleHoldsAcrossARestart() {
        alone();
        world.receive(3, 0, proposal);
        world.receive(3, 1, world.prepare(1, 0, 1, batch));
        world.crash(3);
        world.restart(3);
        world.step(
                3,
                new Input.Received(world.verified(NodeId.client(0), new ReadRequest(1, true, true, Bytes.utf8("q")))));
        assertThat(backup().effects(Effect.Query.class)).isEmpty();
    }

    /** TOCS'02, section 5.2: what is lost is sent again, so that loss alone changes no view. Trap 54. */
    @ParameterizedTest
    @ValueSource(classes = {Proposal.class, io.pbft.protocol.Prepare.class, io.pbft.protocol.Commit.class})
    @DisplayName(
            "trap 54: a PRE-PREPARE, PREPARE or COMMIT that everybody lost is said again, without a change of view")
    void lostVotesAreSaidAgain(Class<?> lost) {
        world.link = letter -> !lost.isInstance(letter.message())
                && !(letter.message() instanceof Signed<?> signed && lost.isInstance(signed.statement()));
        world.submit(0, 1, "a", world.all());
        world.deliver();
        assertThat(backup().executed).isEmpty();
        world.link = letter -> true;
        world.tick(world.ticks(world.parameters.statusIntervalMillis()) * 3);
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.executed).containsExactly("a");
            assertThat(node.report().view()).isZero();
        }
    }

    @Test
    @DisplayName("TOCS'02 2.3.2: a PREPARE of a view that is past is not accepted; one of a view to come is kept")
    void aPrepareOfAnEarlierViewIsNotAccepted() {
        alone();
        world.receive(3, 1, world.newView(1, viewChanges(1), 1));
        Batch batch = world.batch("a");
        world.receive(3, 2, world.prepare(2, 0, 1, batch));
        assertThat(world.node(3).report().ignored()).containsEntry("PREPARE of an earlier view", 1L);
        assertThat(world.node(3).report().logSlots()).isZero();
        world.receive(3, 0, world.prepare(0, 2, 1, batch));
        world.receive(3, 1, world.prepare(1, 2, 1, batch));
        world.receive(3, 2, world.newView(2, viewChanges(2), 1));
        world.receive(3, 2, world.proposal(2, 1, batch));
        assertThat(world.node(3).promises(Promise.CommitTo.class)).hasSize(1);
    }

    private List<Signed<ViewChange>> viewChanges(long view) {
        return List.of(
                world.viewChange(0, view, CheckpointCertificate.GENESIS),
                world.viewChange(1, view, CheckpointCertificate.GENESIS),
                world.viewChange(2, view, CheckpointCertificate.GENESIS));
    }

    @Test
    @DisplayName("TOCS'02 5.1.4: the primary has no more batches in flight than the pipeline is deep")
    void thePipelineIsBounded() {
        alone();
        for (int i = 1; i <= 20; i++) {
            world.submit(0, i, "op" + i, 0);
            world.tick(1);
        }
        int depth = world.parameters.pipelineDepth();
        assertThat(world.node(0).promises(Promise.Propose.class)).hasSize(depth);
        world.receive(0, 1, world.decision(0, 1, world.node(0).proposals.get(0).batch()));
        assertThat(world.node(0).report().lastExecuted()).isEqualTo(1);
        assertThat(world.node(0).promises(Promise.Propose.class)).hasSize(depth + 1);
    }

    @Test
    @DisplayName("TOCS'02 2.3.2: a quorum of COMMITs decides for whoever holds the batch, prepared here or not")
    void aQuorumOfCommitsDecidesWithoutPrepares() {
        alone();
        Batch batch = world.batch("a");
        world.receive(3, 0, world.proposal(0, 1, batch));
        for (int sender = 0; sender < 3; sender++) {
            world.receive(3, sender, world.commit(sender, 0, 1, batch));
        }
        assertThat(world.node(3).promises(Promise.CommitTo.class)).isEmpty();
        assertThat(world.node(3).executed).containsExactly("a");
    }
}
