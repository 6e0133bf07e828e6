package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a faulty replica can make another keep, send or do twice (traps 2, 10, 23, 39, 49, 63, 67). */
class BoundsTest {
    private final CoreWorld world = new CoreWorld(4);
    private final Batch batch = world.batch("a");

    private void alone() {
        world.link = letter -> letter.from().isClient();
    }

    @Test
    @DisplayName("traps 2, 10: one vote for each sender and view; of many views only the sender's own highest are kept")
    void votesOfManyViewsPushOutOnlyTheirSendersOwn() {
        VoteTable<Prepare> votes = new VoteTable<>();
        assertThat(votes.add(world.prepare(1, 0, 1, batch))).isNull();
        for (int view = 0; view < 1_000; view++) {
            assertThat(votes.add(world.prepare(3, view * 4L + 1, 1, batch))).isNull();
        }
        assertThat(votes.size()).isEqualTo(1 + VoteTable.VIEWS_PER_SENDER_MAX);
        assertThat(votes.count(0, batch.digest())).isEqualTo(1);
        Signed<Prepare> contradiction = world.prepare(1, 0, 1, world.batch("b"));
        assertThat(votes.add(contradiction)).isEqualTo(world.prepare(1, 0, 1, batch));
        assertThat(votes.count(0, batch.digest())).isEqualTo(1);
        assertThat(votes.count(0, contradiction.statement().digest())).isZero();
    }

    @Test
    @DisplayName("trap 10: a replica's votes never open more numbers than the window has")
    void theLogIsNoLargerThanTheWindow() {
        alone();
        for (int seq = 1; seq <= 500; seq++) {
            for (int view = 0; view < 5; view++) {
                world.receive(3, 1, world.signed(1, new Commit(view, seq, batch.digest(), 1)));
            }
        }
        assertThat(world.node(3).report().logSlots()).isEqualTo(world.parameters.window());
    }

    @Test
    @DisplayName(
            "traps 10, 77: of one sender the VIEW-CHANGE for the highest view counts, two for one view are evidence")
    void onlyTheHighestViewChangeOfASenderCounts() {
        alone();
        world.receive(3, 1, world.viewChange(1, 9, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.viewChange(1, 1, CheckpointCertificate.GENESIS));
        world.receive(3, 2, world.viewChange(2, 7, CheckpointCertificate.GENESIS));
        assertThat(world.node(3).report().view()).isEqualTo(7);
        Signed<ViewChange> other =
                world.viewChange(1, 9, CheckpointCertificate.GENESIS, world.preparedCertificate(0, 1, batch));
        world.receive(3, 1, other);
        assertThat(world.node(3).effects(Effect.Accuse.class)).hasSize(1);
    }

    @Test
    @DisplayName("trap 49: a batch that comes by COMMITs, a decision and a new view runs once")
    void everyWayOfDecidingRunsABatchOnce() {
        alone();
        Decision decision = world.decision(0, 1, batch);
        world.receive(3, 0, world.proposal(0, 1, batch));
        world.receive(3, 0, decision);
        world.receive(3, 0, decision);
        for (int sender = 0; sender < 3; sender++) {
            world.receive(3, sender, world.commit(sender, 0, 1, batch));
        }
        List<Signed<ViewChange>> v = List.of(
                world.viewChange(0, 1, CheckpointCertificate.GENESIS, world.preparedCertificate(0, 1, batch)),
                world.viewChange(1, 1, CheckpointCertificate.GENESIS),
                world.viewChange(2, 1, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.newView(1, v, 1, batch.digest()));
        for (int sender = 0; sender < 3; sender++) {
            world.receive(3, sender, world.commit(sender, 1, 1, batch));
        }
        world.receive(3, 1, world.decision(1, 1, batch));
        assertThat(world.node(3).executed).containsExactly("a");
        assertThat(world.node(3).report().lastExecuted()).isEqualTo(1);
    }

    @Test
    @DisplayName("trap 23: a new primary that is still fetching the state proposes nothing of its own")
    void aPrimaryThatFetchesTheStateProposesNothing() {
        // A pipeline deep enough not to stand in the way itself.
        CoreWorld other = new CoreWorld(
                4,
                new ProtocolParameters(
                        4, 12, 12, 100, 1 << 20, 10, 500, 100, 2_000, 500, 8_000, 100, 5_000, 64, 4, 1 << 20));
        other.holdSnapshots = true;
        other.link = letter -> letter.from().isClient();
        CheckpointCertificate stable = other.checkpointCertificate(4, Digest.of(Bytes.utf8("at 4")));
        other.submit(0, 1, "waits", 1);
        other.deliver();
        other.receive(1, 0, other.viewChange(0, 1, stable));
        other.receive(1, 2, other.viewChange(2, 1, CheckpointCertificate.GENESIS));
        assertThat(other.node(1).report().primary()).isTrue();
        assertThat(other.node(1).effects(Effect.InstallState.class)).hasSize(1);
        assertThat(other.node(1).promises(Promise.Propose.class)).isEmpty();
    }

    @Test
    @DisplayName("trap 63: questions of one replica are answered a few times a tick")
    void questionsAreAnsweredAFewTimesATick() {
        world.submit(0, 1, "a", 0);
        world.deliver();
        alone();
        int before = world.node(3).effects(Effect.Send.class).size();
        for (int i = 0; i < 50; i++) {
            world.receive(3, 1, new Status(0, false, 0, 0, false));
            world.receive(3, 1, new BatchFetch(List.of(batch.digest())));
        }
        assertThat(world.node(3).effects(Effect.Send.class).size() - before).isLessThanOrEqualTo(8);
        assertThat(world.node(3).report().ignored()).containsKey("STATUS asks too often");
    }

    @Test
    @DisplayName("trap 10: who contradicts itself without end is accused once for each type of statement in a view")
    void oneProofConvicts() {
        alone();
        for (int seq = 1; seq <= 10; seq++) {
            world.receive(3, 1, world.prepare(1, 0, seq, batch));
            world.receive(3, 1, world.prepare(1, 0, seq, world.batch("b")));
            world.receive(3, 1, world.prepare(1, 0, seq, world.batch("c")));
        }
        assertThat(world.node(3).effects(Effect.Accuse.class)).hasSize(1);
        world.receive(3, 1, world.commit(1, 0, 1, batch));
        world.receive(3, 1, world.commit(1, 0, 1, world.batch("b")));
        assertThat(world.node(3).effects(Effect.Accuse.class)).hasSize(2);
        world.receive(3, 2, world.prepare(2, 0, 1, batch));
        world.receive(3, 2, world.prepare(2, 0, 1, world.batch("b")));
        assertThat(world.node(3).effects(Effect.Accuse.class)).hasSize(3);
        world.receive(
                3,
                1,
                world.newView(
                        1,
                        List.of(
                                world.viewChange(0, 1, CheckpointCertificate.GENESIS),
                                world.viewChange(1, 1, CheckpointCertificate.GENESIS),
                                world.viewChange(2, 1, CheckpointCertificate.GENESIS)),
                        1));
        world.receive(3, 1, world.commit(1, 1, 1, batch));
        world.receive(3, 1, world.commit(1, 1, 1, world.batch("b")));
        assertThat(world.node(3).effects(Effect.Accuse.class)).hasSize(4);
        assertThat(world.node(3).report().ignored().get("contradicts an earlier statement of its sender"))
                .isEqualTo(23);
    }

    @Test
    @DisplayName("trap 67: the same inputs give the same effects, to the last one")
    void theCoreIsAFunction() {
        List<List<Effect>> lives = new ArrayList<>();
        for (int life = 0; life < 2; life++) {
            CoreWorld other = new CoreWorld(4);
            for (int i = 1; i <= 12; i++) {
                other.submit(i % 3, 1 + i / 3, "op" + i, other.all());
                other.deliver();
                if (i == 6) {
                    other.crash(0);
                    other.submit(5, 1, "x", 1, 2, 3);
                    other.tick(200);
                    other.restart(0);
                }
            }
            other.tick(50);
            List<Effect> effects = new ArrayList<>();
            other.nodes.forEach(node -> effects.addAll(node.effects));
            lives.add(effects);
        }
        assertThat(lives.get(0)).hasSizeGreaterThan(300).isEqualTo(lives.get(1));
    }
}
