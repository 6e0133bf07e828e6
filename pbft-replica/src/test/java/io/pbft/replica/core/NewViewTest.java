package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchBody;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Commit;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a view begins with (OSDI'99, section 4.4; TOCS'02, section 2.3.5; traps 9, 11 to 17, 21 to 24, 28, 77). */
class NewViewTest {
    private static final CheckpointCertificate START = CheckpointCertificate.GENESIS;

    private final CoreWorld world = new CoreWorld(4);
    private final Batch batch = world.batch("carried");

    private static boolean carries(CoreWorld.Letter letter, Class<? extends Statement> kind) {
        return letter.message() instanceof Signed<?> signed && kind.isInstance(signed.statement());
    }

    private int requestTicks() {
        return world.ticks(world.parameters.requestTimeoutMillis());
    }

    /** V of view 1, in which replica 0 shows that {@code batch} prepared at 1. */
    private List<Signed<ViewChange>> preparedAtOne() {
        return List.of(
                world.viewChange(0, 1, START, world.preparedCertificate(0, 1, batch)),
                world.viewChange(1, 1, START),
                world.viewChange(2, 1, START));
    }

    @Test
    @DisplayName("What prepared anywhere in V survives, at its number (trap 28: numbers never start over)")
    void whatPreparedSurvivesAtItsNumber() {
        world.link = letter -> !(letter.message() instanceof Signed<?> signed
                && signed.statement() instanceof Commit commit
                && commit.view() == 0);
        world.submit(0, 1, "a", 0);
        world.deliver();
        world.crash(0);
        world.submit(1, 1, "b", 1, 2, 3);
        world.deliver();
        world.tick(requestTicks() + 2);
        for (int id = 1; id < 4; id++) {
            assertThat(world.node(id).executed).containsExactly("a", "b");
            assertThat(world.node(id).report().lastExecuted()).isEqualTo(2);
            assertThat(world.node(id).report().view()).isEqualTo(1);
        }
    }

    @Test
    @DisplayName(
            "traps 3, 9: null requests fill gaps: they execute as nothing, move execution on, count for checkpoints")
    void gapsAreFilledWithNullRequests() {
        PreparedCertificate at5 = world.preparedCertificate(0, 5, batch);
        for (int id = 1; id < 4; id++) {
            world.receive(id, 0, world.proposal(0, 5, batch));
        }
        world.crash(0);
        List<Signed<ViewChange>> v = List.of(
                world.viewChange(0, 1, START, at5), world.viewChange(2, 1, START), world.viewChange(3, 1, START));
        for (Signed<ViewChange> vote : v) {
            world.receive(1, vote.statement().replica(), vote);
        }
        world.deliver();
        world.tick(20);
        assertThat(world.node(1).notes(Event.NULL_REQUEST_PROPOSED)).hasSize(4);
        for (int id = 1; id < 4; id++) {
            assertThat(world.node(id).executed).containsExactly("carried");
            assertThat(world.node(id).report().lastExecuted()).isEqualTo(5);
            assertThat(world.node(id).report().stableCheckpoint()).isEqualTo(4);
        }
    }

    @Test
    @DisplayName("trap 15: a NEW-VIEW with another O than V demands is refused, and its view left at once")
    void aWrongNewViewIsLeftAtOnce() {
        Digest other = world.batch("another").digest();
        List<Signed<ViewChange>> v = preparedAtOne();
        List<Signed<NewView>> wrong = List.of(
                world.newView(1, v, 1),
                world.newView(1, v, 1, other),
                world.newView(1, v, 1, ReplicaState.NULL_DIGEST),
                world.newView(1, v, 2, batch.digest()),
                world.newView(1, v, 1, batch.digest(), ReplicaState.NULL_DIGEST),
                world.newView(1, v, 1, batch.digest(), other));
        for (Signed<NewView> newView : wrong) {
            CoreWorld fresh = new CoreWorld(4);
            fresh.receive(3, 0, fresh.proposal(0, 1, batch));
            fresh.receive(3, 1, newView);
            assertThat(fresh.node(3).report().view()).isEqualTo(2);
            assertThat(fresh.node(3).report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
            assertThat(fresh.node(3).prepares)
                    .noneMatch(vote -> vote.statement().view() > 0);
        }
    }

    @Test
    @DisplayName("trap 77: a NEW-VIEW below one's own VIEW-CHANGE is refused")
    void aNewViewBelowOnesOwnViewChangeIsRefused() {
        world.link = letter -> letter.from().isClient();
        world.receive(3, 0, world.proposal(0, 1, batch));
        world.receive(3, 1, world.viewChange(1, 2, START));
        world.receive(3, 2, world.viewChange(2, 2, START));
        assertThat(world.node(3).report().view()).isEqualTo(2);
        world.receive(3, 1, world.newView(1, preparedAtOne(), 1, batch.digest()));
        assertThat(world.node(3).report().view()).isEqualTo(2);
        assertThat(world.node(3).promises(Promise.EnterView.class)).isEmpty();
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).hasSize(1);
    }

    @Test
    @DisplayName("trap 77: a second, different NEW-VIEW of a view changes nothing there, and convicts its sender")
    void aSecondNewViewOfAViewIsEvidence() {
        world.link = letter -> letter.from().isClient();
        world.receive(3, 0, world.proposal(0, 1, batch));
        world.receive(3, 1, world.viewChange(1, 1, START));
        world.receive(3, 2, world.viewChange(2, 1, START));
        Signed<NewView> first = world.newView(1, preparedAtOne(), 1, batch.digest());
        world.receive(3, 1, first);
        assertThat(world.node(3).promises(Promise.EnterView.class)).hasSize(1);
        List<Signed<ViewChange>> others =
                List.of(world.viewChange(1, 1, START), world.viewChange(2, 1, START), world.viewChange(3, 1, START));

        world.receive(3, 1, first);
        assertThat(world.node(3).effects(Effect.Accuse.class)).isEmpty();
        Signed<NewView> second = world.newView(1, others, 1);
        world.receive(3, 1, second);

        assertThat(world.node(3).effects(Effect.Accuse.class)).containsExactly(new Effect.Accuse(first, second));
        assertThat(world.node(3).promises(Promise.EnterView.class)).hasSize(1);
        assertThat(world.node(3).report().view()).isEqualTo(1);
    }

    @Test
    @DisplayName("trap 17: a backup enters a view only with every batch that it proposes again")
    void aBackupFetchesABatchBeforeItEnters() {
        world.link = letter -> letter.from().isClient();
        world.receive(3, 1, world.newView(1, preparedAtOne(), 1, batch.digest()));
        assertThat(world.node(3).promises(Promise.EnterView.class)).isEmpty();
        List<Effect.Send> questions = world.node(3).effects(Effect.Send.class).stream()
                .filter(send -> send.message() instanceof BatchFetch)
                .toList();
        assertThat(questions).extracting(send -> send.to().index()).containsExactly(0);
        world.receive(3, 2, new BatchBody(world.batch("something else")));
        assertThat(world.node(3).promises(Promise.EnterView.class)).isEmpty();
        world.receive(3, 0, new BatchBody(batch));
        assertThat(world.node(3).promises(Promise.EnterView.class)).hasSize(1);
        assertThat(world.node(3).prepares)
                .anyMatch(vote -> vote.statement().digest().equals(batch.digest()));
    }

    @Test
    @DisplayName("trap 17: a window full of batches is fetched question by question, as answers come, not tick by tick")
    void manyBatchesAreFetchedAsAnswersCome() {
        CoreWorld wide = new CoreWorld(
                4,
                new ProtocolParameters(
                        100, 200, 4, 100, 1 << 20, 10, 500, 100, 2_000, 500, 8_000, 100, 5_000, 64, 4, 1 << 20));
        wide.link = letter -> letter.from().isClient();
        List<PreparedCertificate> certificates = new ArrayList<>();
        TreeMap<Digest, Batch> batches = new TreeMap<>();
        List<Digest> digests = new ArrayList<>();
        for (int seq = 1; seq <= 150; seq++) {
            Batch content = wide.batch("op" + seq);
            certificates.add(wide.preparedCertificate(0, seq, content));
            batches.put(content.digest(), content);
            digests.add(content.digest());
        }
        List<Signed<ViewChange>> v = List.of(
                wide.viewChange(0, 1, CheckpointCertificate.GENESIS, certificates.toArray(PreparedCertificate[]::new)),
                wide.viewChange(1, 1, CheckpointCertificate.GENESIS),
                wide.viewChange(2, 1, CheckpointCertificate.GENESIS));
        wide.receive(3, 1, wide.newView(1, v, 1, digests.toArray(Digest[]::new)));
        int questions = 0;
        for (int next = 0; next < wide.sent.size(); next++) {
            CoreWorld.Letter letter = wide.sent.get(next);
            if (letter.message() instanceof BatchFetch fetch && letter.to() == 0) {
                questions++;
                for (Digest digest : fetch.digests()) {
                    wide.receive(3, 0, new BatchBody(batches.get(digest)));
                }
            }
        }
        assertThat(questions).isEqualTo(3);
        assertThat(wide.node(3).promises(Promise.EnterView.class)).hasSize(1);
    }

    @Test
    @DisplayName("trap 17: who shows that it prepared may be lying low: the batch is asked of others then")
    void aBatchIsAskedOfOthersWhenItsHolderIsSilent() {
        world.link = letter -> letter.from().isClient();
        world.receive(2, 0, world.proposal(0, 1, batch));
        world.receive(3, 1, world.newView(1, preparedAtOne(), 1, batch.digest()));
        world.node(0).up = false;
        world.link = letter -> true;
        world.tick(5 * world.ticks(world.parameters.statusIntervalMillis()));
        assertThat(world.node(3).promises(Promise.EnterView.class)).hasSize(1);
    }

    @Test
    @DisplayName("traps 17, 23: a new primary leads only with every batch of O at hand, and fetches what it lacks")
    void theNewPrimaryFetchesABatchBeforeItLeads() {
        world.link = letter -> letter.from().isClient();
        world.receive(0, 0, world.proposal(0, 1, batch));
        world.receive(1, 0, preparedAtOne().get(0));
        world.receive(1, 2, preparedAtOne().get(2));
        assertThat(world.node(1).report().view()).isEqualTo(1);
        assertThat(world.node(1).promises(Promise.LeadView.class)).isEmpty();
        world.receive(1, 0, new BatchBody(batch));
        assertThat(world.node(1).promises(Promise.LeadView.class)).hasSize(1);
        Promise.LeadView lead = world.node(1).promises(Promise.LeadView.class).get(0);
        assertThat(lead.batches()).containsExactly(batch);
        assertThat(lead.proposals().get(0).digest()).isEqualTo(batch.digest());
        assertThat(world.node(1).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
    }

    @Test
    @DisplayName("trap 13: a view begins at the highest proven checkpoint, and who lacks its state fetches it")
    void theViewBeginsAtTheHighestProvenCheckpoint() {
        CheckpointCertificate stable = world.checkpointCertificate(8, Digest.of(Bytes.utf8("at 8")));
        List<Signed<ViewChange>> v = List.of(
                world.viewChange(0, 1, START, world.preparedCertificate(0, 1, batch)),
                world.viewChange(1, 1, stable),
                world.viewChange(2, 1, START));
        world.receive(3, 1, world.newView(1, v, 9));
        assertThat(world.node(3).report().view()).isEqualTo(1);
        assertThat(world.node(3).report().stableCheckpoint()).isEqualTo(8);
        assertThat(world.node(3).effects(Effect.InstallState.class)).hasSize(1);
    }

    @Test
    @DisplayName("trap 22: after VIEW-CHANGE for v + 1 no PREPARE and no COMMIT in v")
    void noVoteInAViewThatWasLeft() {
        Proposal proposal = world.proposal(0, 1, batch);
        world.receive(3, 0, proposal);
        world.receive(3, 1, world.viewChange(1, 1, START));
        world.receive(3, 2, world.viewChange(2, 1, START));
        assertThat(world.node(3).report().view()).isEqualTo(1);
        world.receive(3, 1, world.prepare(1, 0, 1, batch));
        world.receive(3, 2, world.prepare(2, 0, 1, batch));
        world.receive(3, 0, world.proposal(0, 2, world.batch("next")));
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).hasSize(1);
        assertThat(world.node(3).promises(Promise.CommitTo.class)).isEmpty();
    }

    @Test
    @DisplayName("trap 21: who moved on alone still executes what a quorum of the old view decides, and is no burden")
    void whoMovedOnAloneGoesOnExecuting() {
        world.submit(1, 1, "only replica 3 waits", 3);
        world.link = letter -> letter.to() != 0 || letter.from().index() != 3;
        world.deliver();
        world.tick(requestTicks());
        assertThat(world.node(3).report().view()).isEqualTo(1);
        world.link = letter -> true;
        for (int i = 1; i <= 30; i++) {
            world.submit(0, i, "op" + i, 0);
            world.deliver();
            world.tick(12);
        }
        world.tick(50);
        assertThat(world.node(0).report().view()).isZero();
        assertThat(world.node(3).executed).isEqualTo(world.node(0).executed);
        assertThat(world.node(3).report().stableCheckpoint()).isGreaterThan(0);
    }

    @Test
    @DisplayName("trap 24: requests of O are not proposed again beside it; what it drops is")
    void requestsAreCarriedOverOrQueuedAgainNeverBoth() {
        // "a" prepares at 1; "b" is proposed at 2 and reaches replica 1 alone; "c" was never proposed.
        world.link = letter -> !carries(letter, Commit.class)
                && !(letter.message() instanceof Proposal p
                        && p.prePrepare().statement().seq() == 2
                        && letter.to() != 1);
        world.submit(0, 1, "a", world.all());
        world.deliver();
        world.submit(0, 2, "b", 0);
        world.deliver();
        world.crash(0);
        world.link = letter -> true;
        world.submit(1, 1, "c", 1, 2, 3);
        world.deliver();
        world.tick(2 * requestTicks());
        for (int id = 1; id < 4; id++) {
            assertThat(world.node(id).executed)
                    .containsExactlyInAnyOrder("a", "b", "c")
                    .startsWith("a");
        }
        List<Batch> proposed = world.node(1).promises(Promise.Propose.class).stream()
                .map(Promise.Propose::batch)
                .toList();
        assertThat(proposed.stream()
                        .flatMap(b -> b.requests().stream())
                        .map(r -> r.statement().operations().get(0).toUtf8()))
                .containsExactlyInAnyOrder("b", "c");
    }

    @Test
    @DisplayName("trap 24: what a null request of the new view presses out waits again")
    void whatANullRequestPressesOutWaitsAgain() {
        // Replica 1 alone holds a proposal at 1; another one prepared at 2.
        Batch pressedOut = new Batch(world.wallMillis(), List.of(world.request(2, 1, "pressed out")));
        world.receive(1, 0, world.proposal(0, 1, pressedOut));
        for (int id = 1; id < 4; id++) {
            world.receive(id, 0, world.proposal(0, 2, batch));
        }
        world.crash(0);
        world.mail.clear();
        world.receive(1, 0, world.viewChange(0, 1, START, world.preparedCertificate(0, 2, batch)));
        world.receive(1, 2, world.viewChange(2, 1, START));
        world.deliver();
        world.tick(30);
        for (int id = 1; id < 4; id++) {
            assertThat(world.node(id).executed).containsExactly("carried", "pressed out");
        }
    }

    @Test
    @DisplayName(
            "trap 17: the batch of a prepared certificate is kept though a later view proposed something else there")
    void theBatchOfAPreparedCertificateIsKept() {
        world.link = letter -> letter.from().isClient();
        world.receive(3, 0, world.proposal(0, 1, batch));
        world.receive(3, 1, world.prepare(1, 0, 1, batch));
        assertThat(world.node(3).promises(Promise.CommitTo.class)).hasSize(1);
        Batch second = world.batch("second");
        world.receive(3, 0, world.proposal(0, 2, second));
        List<Signed<ViewChange>> v = List.of(
                world.viewChange(0, 1, START, world.preparedCertificate(0, 2, second)),
                world.viewChange(1, 1, START),
                world.viewChange(2, 1, START));
        world.receive(3, 1, world.newView(1, v, 1, ReplicaState.NULL_DIGEST, second.digest()));
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        world.receive(3, 2, new BatchFetch(List.of(batch.digest())));
        assertThat(world.node(3).effects(Effect.Send.class))
                .anyMatch(send ->
                        send.message() instanceof BatchBody body && body.batch().equals(batch));
    }

    @Test
    @DisplayName("trap 21: during a change of view COMMITs of the old view still decide")
    void commitsDecideDuringAChangeOfView() {
        world.link = letter -> letter.from().isClient();
        world.receive(3, 0, world.proposal(0, 1, batch));
        world.receive(3, 1, world.viewChange(1, 1, START));
        world.receive(3, 2, world.viewChange(2, 1, START));
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
        for (int sender = 0; sender < 3; sender++) {
            world.receive(3, sender, world.commit(sender, 0, 1, batch));
        }
        assertThat(world.node(3).executed).containsExactly("carried");
    }

    @Test
    @DisplayName("trap 21: during a change of view decisions are taken")
    void decisionsCountDuringAChangeOfView() {
        world.link = letter -> letter.from().isClient();
        world.receive(3, 1, world.viewChange(1, 1, START));
        world.receive(3, 2, world.viewChange(2, 1, START));
        world.receive(3, 0, world.decision(0, 1, batch));
        assertThat(world.node(3).executed).containsExactly("carried");
    }
}
