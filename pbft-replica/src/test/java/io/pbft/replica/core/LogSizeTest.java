package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Limits;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The log is bounded in bytes too: a window of large batches is more than a replica's memory. */
class LogSizeTest {
    private static final int INTERVAL = 200;
    private static final ProtocolParameters PARAMETERS = parameters(8, 2 * INTERVAL);

    private static final String LARGE = "x".repeat(Limits.OPERATION_BYTES_MAX);
    private static final int FILL_THE_LOG = (int) (Limits.LOG_BYTES_MAX / Limits.OPERATION_BYTES_MAX);

    private final CoreWorld world = new CoreWorld(4, PARAMETERS);

    private static ProtocolParameters parameters(int pipeline, int window) {
        return new ProtocolParameters(
                INTERVAL, window, pipeline, 100, 1 << 20, 10, 500, 100, 2_000, 500, 8_000, 100, 5_000, 4_096, 4,
                1 << 30);
    }

    private List<Batch> proposed() {
        return proposedBy(0);
    }

    private List<Batch> proposedBy(int id) {
        return world.node(id).promises(Promise.Propose.class).stream()
                .map(Promise.Propose::batch)
                .toList();
    }

    private void submit(int from, int to) {
        for (int number = from; number <= to; number++) {
            world.submit(0, number, LARGE, 0);
            world.deliver();
        }
    }

    @Test
    void thePrimaryOrdersNullRequestsUpToTheCheckpointThatEmptiesItsLog() {
        submit(1, FILL_THE_LOG - 1);
        world.tick(1);
        assertThat(proposed()).hasSize(FILL_THE_LOG - 1).doesNotContain(Batch.NULL);

        submit(FILL_THE_LOG, FILL_THE_LOG);
        world.tick(1);
        assertThat(proposed().subList(FILL_THE_LOG, INTERVAL)).containsOnly(Batch.NULL);
        assertThat(world.node(0).report().stableCheckpoint()).isEqualTo(INTERVAL);

        submit(FILL_THE_LOG + 1, 2 * FILL_THE_LOG - 1);
        world.tick(1);
        assertThat(world.node(0).executed).hasSize(2 * FILL_THE_LOG - 1);
        assertThat(proposed()).hasSize(INTERVAL + FILL_THE_LOG - 1);
        assertThat(world.node(3).report().stableCheckpoint()).isEqualTo(INTERVAL);
    }

    /** The checkpoint is slow to become durable: nothing is ordered beyond it meanwhile, not even null requests. */
    @Test
    void aFullLogWaitsForItsCheckpoint() {
        world.nodes.forEach(node -> node.store = false);
        submit(1, FILL_THE_LOG + 5);
        world.tick(5);
        assertThat(proposed()).hasSize(INTERVAL);
        world.nodes.forEach(node -> node.store = true);
        world.nodes.forEach(world::keepSnapshots);
        world.deliver();
        world.tick(5);
        assertThat(world.node(0).executed).hasSize(FILL_THE_LOG + 5);
    }

    @Test
    void aBackupAcceptsNoMoreThanTwiceAsMuchInAView() {
        world.link = letter -> letter.from().isClient();
        Batch large = world.batch(LARGE, LARGE, LARGE, LARGE);
        int most = 2 * FILL_THE_LOG / 4;
        for (int seq = 1; seq <= most + 10; seq++) {
            world.receive(3, 0, world.proposal(0, seq, large));
        }
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).hasSize(most);
        assertThat(world.node(3).report().ignored()).containsEntry("PRE-PREPARE beyond what the log may hold", 10L);
        // What makes room is accepted.
        world.receive(3, 0, world.proposal(0, most + 11, Batch.NULL));
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).hasSize(most + 1);

        // The next primary is not made to pay for the liar before it.
        List<Signed<ViewChange>> proof = List.of(
                world.viewChange(0, 1, CheckpointCertificate.GENESIS),
                world.viewChange(1, 1, CheckpointCertificate.GENESIS),
                world.viewChange(2, 1, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.newView(1, proof, 1));
        assertThat(world.node(3).report().view()).isEqualTo(1);
        world.receive(3, 1, world.proposal(1, 1, world.batch("small")));
        world.receive(3, 1, world.proposal(1, 2, large));
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).hasSize(most + 3);
    }

    /** On a slow network they take longer than a request timeout, and nobody is to blame. */
    @Test
    void nullRequestsThatMakeRoomAreProgress() {
        world.link = letter -> letter.from().isClient();
        Batch large = world.batch(LARGE, LARGE, LARGE, LARGE);
        int full = FILL_THE_LOG / 4;
        for (int seq = 1; seq <= full; seq++) {
            world.receive(3, 0, world.decision(0, seq, large));
        }
        world.submit(1, 1, "waits", 3);
        world.deliver();
        int timeout = world.ticks(PARAMETERS.requestTimeoutMillis());
        int seq = full;
        for (int halves = 1; halves <= 2 * Execution.ROOM_TIMEOUTS; halves++) {
            world.receive(3, 0, world.decision(0, ++seq, Batch.NULL));
            world.tick(timeout / 2);
            assertThat(world.node(3).report().view()).isZero();
        }
        // It has had its time.
        world.receive(3, 0, world.decision(0, ++seq, Batch.NULL));
        world.tick(timeout / 2);
        assertThat(world.node(3).report().view()).isEqualTo(1);
    }

    @Test
    @DisplayName("A request between null requests that make room gives its primary no more time")
    void aRequestBetweenNullRequestsGivesNoMoreTime() {
        world.link = letter -> letter.from().isClient();
        Batch large = world.batch(LARGE, LARGE, LARGE, LARGE);
        int seq = FILL_THE_LOG / 4;
        for (int filled = 1; filled <= seq; filled++) {
            world.receive(3, 0, world.decision(0, filled, large));
        }
        Batch served = new Batch(world.wallMillis(), List.of(world.submit(1, 1, "served", 3)));
        world.submit(1, 2, "waits", 3);
        world.deliver();
        int timeout = world.ticks(PARAMETERS.requestTimeoutMillis());
        for (int halves = 1; halves <= 2 * Execution.ROOM_TIMEOUTS; halves++) {
            world.receive(3, 0, world.decision(0, ++seq, halves == Execution.ROOM_TIMEOUTS ? served : Batch.NULL));
            world.tick(timeout / 2);
            assertThat(world.node(3).report().view()).isZero();
        }
        world.receive(3, 0, world.decision(0, ++seq, Batch.NULL));
        world.tick(timeout / 2);
        assertThat(world.node(3).report().view()).isEqualTo(1);
    }

    private List<Signed<ViewChange>> viewChanges(CheckpointCertificate stable) {
        return List.of(world.viewChange(0, 1, stable), world.viewChange(1, 1, stable), world.viewChange(2, 1, stable));
    }

    @Test
    @DisplayName("What an earlier view left gives no room any more once it is gone")
    void whatIsGoneGivesNoRoom() {
        world.link = letter -> letter.from().isClient();
        Batch large = world.batch(LARGE, LARGE, LARGE, LARGE);
        int most = 2 * FILL_THE_LOG / 4;
        for (int seq = 1; seq <= most; seq++) {
            world.receive(3, 0, world.proposal(0, seq, large));
        }
        CheckpointCertificate stable = world.checkpointCertificate(INTERVAL, Digest.of(Bytes.utf8("state")));
        world.receive(3, 1, world.newView(1, viewChanges(stable), INTERVAL + 1));
        for (int seq = 1; seq <= most + 10; seq++) {
            world.receive(3, 1, world.proposal(1, INTERVAL + seq, large));
        }
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).hasSize(2 * most);
    }

    @Test
    @DisplayName(
            "What was only proposed is gone with its view: it takes no room from a later primary, nor after a restart")
    void whatWasOnlyProposedGoesWithItsView() {
        world.link = letter -> letter.from().isClient();
        Batch large = world.batch(LARGE, LARGE, LARGE, LARGE);
        int most = 2 * FILL_THE_LOG / 4;
        for (int seq = 1; seq <= most; seq++) {
            world.receive(3, 0, world.proposal(0, seq, large));
        }
        world.receive(3, 0, world.viewChange(0, 3, CheckpointCertificate.GENESIS));
        world.receive(3, 1, world.viewChange(1, 3, CheckpointCertificate.GENESIS));
        assertThat(world.node(3).report().primary()).isTrue();
        world.submit(1, 1, "small", 3);
        world.tick(1);
        assertThat(proposedBy(3)).isNotEmpty().doesNotContain(Batch.NULL);

        world.crash(3);
        world.restart(3);
        world.submit(1, 2, "small too", 3);
        world.tick(1);
        assertThat(proposedBy(3)).isNotEmpty().doesNotContain(Batch.NULL);
    }

    @Test
    @DisplayName("Nor does the next primary pay for the liar before it after a restart")
    void whatTheJournalHoldsCountsAgainstNobody() {
        world.link = letter -> letter.from().isClient();
        Batch large = world.batch(LARGE, LARGE, LARGE, LARGE);
        int most = 2 * FILL_THE_LOG / 4;
        for (int seq = 1; seq <= most; seq++) {
            world.receive(3, 0, world.proposal(0, seq, large));
        }
        world.receive(3, 1, world.newView(1, viewChanges(CheckpointCertificate.GENESIS), 1));
        world.crash(3);
        world.restart(3);
        world.tick(1);
        int before = world.node(3).promises(Promise.AgreeTo.class).size();
        world.receive(3, 1, world.proposal(1, 1, large));
        assertThat(world.node(3).report().view()).isEqualTo(1);
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).hasSize(before + 1);
    }

    @Test
    @DisplayName("What is proposed and not durable yet counts too, however deep the pipeline")
    void whatIsOnTheWayCounts() {
        CoreWorld deep = new CoreWorld(4, parameters(2 * INTERVAL, 2 * INTERVAL));
        CoreWorld.Node primary = deep.node(0);
        primary.disk = false;
        int each = 60;
        for (int number = 1; number <= each; number++) {
            for (int client = 0; client < 4; client++) {
                deep.submit(client, number, LARGE, 0);
                deep.deliver();
            }
        }
        deep.tick(1);
        long bytes = primary.promises(Promise.Propose.class).stream()
                .mapToLong(propose -> Checkpoints.bytes(propose.batch()))
                .sum();
        assertThat(bytes).isBetween(Limits.LOG_BYTES_MAX, Limits.LOG_BYTES_MAX + PARAMETERS.batchBytesMax());
        primary.disk = true;
        while (!primary.unkept.isEmpty()) {
            deep.keepNext(primary);
        }
        deep.tick(5);
        assertThat(primary.executed).hasSize(4 * each);
        assertThat(deep.node(3).executed).hasSize(4 * each);
    }

    @Test
    @DisplayName("Where a checkpoint is under way that makes room, no null requests are ordered beyond it")
    void aLogThatFillsUpBeyondACheckpointWaitsForIt() {
        CoreWorld wide = new CoreWorld(4, parameters(8, 3 * INTERVAL));
        wide.nodes.forEach(node -> node.store = false);
        for (int number = 1; number <= INTERVAL + 20; number++) {
            wide.submit(0, number, number <= 60 ? "small" : LARGE, 0);
            wide.deliver();
        }
        wide.tick(5);
        assertThat(wide.node(0).promises(Promise.Propose.class)).hasSize(INTERVAL + 20);
        wide.submit(1, 1, "later", 0);
        wide.tick(5);
        assertThat(wide.node(0).promises(Promise.Propose.class)).hasSize(INTERVAL + 20);
        wide.nodes.forEach(node -> node.store = true);
        wide.nodes.forEach(wide::keepSnapshots);
        wide.tick(5);
        assertThat(wide.node(3).executed).hasSize(INTERVAL + 21);
    }
}
