package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import io.pbft.protocol.Vote;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A replica dies at any promise and comes back from its disk: it never contradicts what it signed before, and it is of use
 * again. (TOCS'02, section 2: a replica that recovers with its stable storage is a correct one that was slow.)
 */
class RestartTest {
    private static final int OPERATIONS = 14;

    /** One busy life with a change of view, cut short after {@code promises} promises of the replicas in {@code dying}. */
    private static CoreWorld livesUntil(int promises, boolean lastWords, int... dying) {
        CoreWorld world = new CoreWorld(4);
        for (int id : dying) {
            world.node(id).promisesToLive = promises;
            world.node(id).lastWords = lastWords;
        }
        for (int i = 1; i <= OPERATIONS; i++) {
            world.submit(0, i, "op" + i, world.all());
            world.deliver();
            if (i == OPERATIONS / 2) {
                // The primary falls silent for a while: everybody changes the view.
                world.link =
                        letter -> letter.from().index() != 0 || letter.from().isClient();
                world.submit(1, 1, "other", 1, 2, 3);
                world.deliver();
                world.tick(world.ticks(world.parameters.requestTimeoutMillis()) + 2);
                world.link = letter -> true;
            }
        }
        return world;
    }

    private static void revive(CoreWorld world) {
        world.link = letter -> true;
        for (CoreWorld.Node node : world.nodes) {
            node.promisesToLive = Integer.MAX_VALUE;
        }
        for (CoreWorld.Node node : world.nodes) {
            if (!node.up) {
                world.restart(node.id);
            }
        }
        world.deliver();
        for (int i = 1; i <= OPERATIONS; i++) {
            world.submit(0, i, "op" + i, world.all());
        }
        world.submit(1, 1, "other", world.all());
        world.deliver();
        world.tick(600);
    }

    static void neverContradictsItself(CoreWorld.Node node) {
        Map<String, Object> said = new TreeMap<>();
        long left = 0;
        for (Statement statement : node.signedEver) {
            String about = statement.type().name();
            Object what = statement;
            if (statement instanceof Vote vote) {
                about += " view " + vote.view() + " seq " + vote.seq();
                what = vote.digest();
                assertThat(vote.view())
                        .as("replica %d: %s after it left for view %d", node.id, about, left)
                        .isGreaterThanOrEqualTo(left);
            } else if (statement instanceof Checkpoint checkpoint) {
                about += " seq " + checkpoint.seq();
                what = checkpoint.state();
            } else if (statement instanceof ViewChange viewChange) {
                about += " view " + viewChange.view();
                left = Math.max(left, viewChange.view());
            } else if (statement instanceof NewView newView) {
                about += " view " + newView.view();
            }
            Object before = said.putIfAbsent(about, what);
            assertThat(before == null || before.equals(what))
                    .as("replica %d says one thing only: %s", node.id, about)
                    .isTrue();
        }
    }

    private static void allIsWell(CoreWorld world, String when) {
        List<String> order = world.node(0).executed;
        assertThat(new HashSet<>(order)).as(when).hasSize(OPERATIONS + 1);
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.executed).as("%s, replica %d", when, node.id).isEqualTo(order);
            assertThat(order).as(when).hasSize(OPERATIONS + 1);
            neverContradictsItself(node);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    @DisplayName("traps 22, 52, 56: a crash after any promise, and no vote is ever contradicted")
    void oneReplicaDiesAfterAnyPromise(int replica) {
        for (int promises = 1; promises <= 60; promises += 2) {
            for (boolean lastWords : new boolean[] {true, false}) {
                CoreWorld world = livesUntil(promises, lastWords, replica);
                revive(world);
                allIsWell(world, "replica " + replica + " died after promise " + promises);
            }
        }
    }

    @Test
    @DisplayName("trap 54: the whole cluster loses power and goes on from its disks alone")
    void allReplicasDieAfterAnyPromise() {
        for (int promises = 1; promises <= 60; promises++) {
            CoreWorld world = livesUntil(promises, promises % 2 == 0, 0, 1, 2, 3);
            revive(world);
            allIsWell(world, "all died after promise " + promises);
        }
    }

    @ParameterizedTest
    @CsvSource({"4", "8", "12"})
    @DisplayName(
            "A checkpoint that became durable just before the crash is vouched for after it: maybe nobody else can")
    void aDurableCheckpointIsVouchedForAfterTheCrash(int seq) {
        CoreWorld world = new CoreWorld(4, withWindow(2));
        for (int i = 1; i < seq; i++) {
            world.submit(0, i, "op" + i, 0);
            world.deliver();
        }
        // The snapshot is durable at once; the promise that follows it is not.
        for (CoreWorld.Node node : world.nodes) {
            node.disk = node.id == 3;
        }
        world.submit(0, seq, "op" + seq, 0);
        world.deliver();
        for (int round = 0; round < 3; round++) {
            // The votes for the last number become durable one by one, the CHECKPOINT does not.
            for (CoreWorld.Node node : world.nodes) {
                while (!node.unkept.isEmpty() && !(node.unkept.peek() instanceof Promise.Vouch)) {
                    world.keepNext(node);
                }
            }
            world.deliver();
        }
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.snapshots).containsKey((long) seq);
            assertThat(node.report().stableCheckpoint()).isLessThan(seq);
        }
        for (int id = 0; id < 3; id++) {
            world.crash(id);
            world.node(id).disk = true;
            world.restart(id);
        }
        world.deliver();
        for (int i = seq + 1; i < seq + 12; i++) {
            world.submit(0, i, "op" + i, world.all());
        }
        world.tick(300);
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.executed).hasSize(seq + 11);
            neverContradictsItself(node);
        }
    }

    static io.pbft.protocol.ProtocolParameters withWindow(int intervals) {
        return new io.pbft.protocol.ProtocolParameters(
                4, 4 * intervals, 4, 100, 1 << 20, 10, 500, 100, 2_000, 500, 8_000, 100, 5_000, 64, 4, 1 << 20);
    }

    @Test
    @DisplayName("What was promised beyond the old window, while the state was being fetched, outlives a restart")
    void promisesBeyondTheOldWindowOutliveARestart() {
        CoreWorld world = new CoreWorld(4, withWindow(2));
        world.link = letter -> letter.to() != 3;
        for (int i = 1; i <= 12; i++) {
            world.submit(0, i, "op" + i, 0);
            world.deliver();
        }
        world.link = letter -> true;
        world.holdSnapshots = true;
        world.tick(100);
        CoreWorld.Node late = world.node(3);
        assertThat(late.report().stableCheckpoint()).isEqualTo(12);
        assertThat(late.report().lastExecuted()).isZero();
        world.submit(0, 13, "op13", 0);
        world.deliver();
        assertThat(late.prepared).extracting(PreparedCertificate::seq).containsExactly(13L);
        world.crash(3);
        world.restart(3);
        world.receive(3, 0, world.proposal(0, 13, world.batch("another")));
        neverContradictsItself(late);
        CheckpointCertificate stable = world.node(1).stable;
        world.receive(3, 1, world.viewChange(1, 1, stable));
        world.receive(3, 2, world.viewChange(2, 1, stable));
        ViewChange shown = late.promises(Promise.LeaveView.class).get(0).viewChange();
        assertThat(shown.stable().seq()).isEqualTo(12);
        assertThat(shown.prepared()).extracting(PreparedCertificate::seq).containsExactly(13L);
    }

    /** A backup that entered view 1, whose O proposes {@code carried} at 1, and died before it had voted in it. */
    private static CoreWorld enteredAndDied(Batch carried) {
        CoreWorld world = new CoreWorld(4);
        world.receive(3, 0, world.proposal(0, 1, carried));
        PreparedCertificate prepared = world.preparedCertificate(0, 1, carried);
        List<Signed<ViewChange>> v = List.of(
                world.viewChange(0, 1, CheckpointCertificate.GENESIS, prepared),
                world.viewChange(1, 1, CheckpointCertificate.GENESIS),
                world.viewChange(2, 1, CheckpointCertificate.GENESIS));
        world.node(3).promisesToLive = 1;
        world.receive(3, 1, world.newView(1, v, 1, carried.digest()));
        assertThat(world.node(3).up).isFalse();
        world.restart(3);
        assertThat(world.node(3).report().view()).isEqualTo(1);
        return world;
    }

    @Test
    @DisplayName("A view entered before a crash still binds its primary to O after it")
    void theNewViewStillBindsAfterARestart() {
        CoreWorld world = new CoreWorld(4);
        Batch carried = world.batch("carried");
        world = enteredAndDied(carried);
        Proposal other = world.proposal(1, 1, world.batch("another"));
        world.receive(3, 1, other);
        assertThat(world.node(3).prepares)
                .as("no PREPARE against what the NEW-VIEW carries over")
                .noneMatch(vote -> vote.statement()
                        .digest()
                        .equals(other.prePrepare().statement().digest()));
        world.receive(3, 1, world.proposal(1, 1, carried));
        assertThat(world.node(3).prepares)
                .anyMatch(vote -> vote.statement().view() == 1
                        && vote.statement().digest().equals(carried.digest()));
    }

    @Test
    @DisplayName("What a NEW-VIEW carries over is voted for after a restart, however old its agreed time is")
    void carriedOverBatchesAreNotMeasuredAgainstTheClock() {
        CoreWorld world = new CoreWorld(4);
        Batch carried = world.batch("carried");
        world = enteredAndDied(carried);
        world.step(3, new Input.Tick(world.wallMillis() + 10L * world.parameters.clockSkewMillis()));
        world.receive(3, 1, world.proposal(1, 1, carried));
        assertThat(world.node(3).prepares)
                .anyMatch(
                        vote -> vote.statement().view() == 1 && vote.statement().seq() == 1);
    }

    @Test
    @DisplayName("The checkpoint that a NEW-VIEW begins with bounds the votes of one that restarts in this view")
    void noVoteBelowTheCheckpointOfTheNewViewAfterARestart() {
        CoreWorld world = new CoreWorld(4);
        CheckpointCertificate stable = world.checkpointCertificate(4, Digest.of(Bytes.utf8("state at 4")));
        List<Signed<ViewChange>> v = List.of(
                world.viewChange(0, 1, CheckpointCertificate.GENESIS),
                world.viewChange(1, 1, stable),
                world.viewChange(2, 1, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.newView(1, v, 5));
        assertThat(world.node(3).report().view()).isEqualTo(1);
        world.crash(3);
        world.restart(3);
        world.receive(3, 1, world.proposal(1, 3, world.batch("long decided otherwise")));
        assertThat(world.node(3).prepares).isEmpty();
        assertThat(world.node(3).report().stableCheckpoint()).isEqualTo(4);
        assertThat(world.node(3).notes(Event.STATE_TRANSFER_STARTED)).isNotEmpty();
    }

    @Test
    @DisplayName(
            "trap 76: after a restart during state transfer no fast read is answered from before a promised COMMIT")
    void noFastReadFromBeforeAPromisedCommitAfterARestart() {
        CoreWorld world = new CoreWorld(4);
        world.holdSnapshots = true;
        world.link = letter -> letter.from().isClient();
        Batch batch = world.batch("a write that its client was told of");
        world.receive(3, 0, world.proposal(0, 1, batch));
        world.receive(3, 1, world.prepare(1, 0, 1, batch));
        assertThat(world.node(3).commits).hasSize(1);
        CheckpointCertificate stable = world.checkpointCertificate(4, Digest.of(Bytes.utf8("state at 4")));
        List<Signed<ViewChange>> v = List.of(
                world.viewChange(0, 1, CheckpointCertificate.GENESIS),
                world.viewChange(1, 1, stable),
                world.viewChange(2, 1, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.newView(1, v, 5));
        world.crash(3);
        world.restart(3);
        assertThat(world.node(3).report().lastExecuted()).isZero();
        world.step(
                3,
                new Input.Received(
                        world.verified(NodeId.client(0), new ReadRequest(1, true, true, Bytes.utf8("read")))));
        assertThat(world.node(3).effects(Effect.Query.class)).isEmpty();
    }

    @Test
    @DisplayName("traps 5, 52: what was agreed to before a crash is known after it, and its contradiction is evidence")
    void whatWasAgreedToIsKnownAfterARestart() {
        CoreWorld world = new CoreWorld(4);
        world.link = letter -> letter.from().isClient();
        world.receive(3, 0, world.proposal(0, 1, world.batch("a")));
        world.crash(3);
        world.restart(3);
        world.receive(3, 0, world.proposal(0, 1, world.batch("b")));
        assertThat(world.node(3).prepares).hasSize(1);
        assertThat(world.node(3).effects(Effect.Accuse.class)).hasSize(1);
    }

    @Test
    @DisplayName("trap 56: what prepared before a crash is shown in the VIEW-CHANGE after it")
    void whatPreparedIsShownAfterARestart() {
        CoreWorld world = new CoreWorld(4);
        world.link = letter -> letter.from().isClient();
        Batch batch = world.batch("a");
        world.receive(3, 0, world.proposal(0, 1, batch));
        world.receive(3, 1, world.prepare(1, 0, 1, batch));
        world.crash(3);
        world.restart(3);
        world.receive(3, 1, world.viewChange(1, 1, CheckpointCertificate.GENESIS));
        world.receive(3, 2, world.viewChange(2, 1, CheckpointCertificate.GENESIS));
        ViewChange shown =
                world.node(3).promises(Promise.LeaveView.class).get(0).viewChange();
        assertThat(shown.prepared())
                .extracting(certificate -> certificate.digest())
                .containsExactly(batch.digest());
    }
}
