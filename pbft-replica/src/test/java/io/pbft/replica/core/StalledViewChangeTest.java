package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Status;
import io.pbft.protocol.ViewChange;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Changes of view that once stood still for ever, found by the simulator. */
class StalledViewChangeTest {
    /**
     * Replica 0 is gone. Replica 3 alone heard its VIEW-CHANGE for view 1, saw a quorum, waited in vain for the NEW-VIEW and
     * moved on to view 2; the others never had a quorum for view 1, and one VIEW-CHANGE for view 2 is less than f + 1.
     */
    @Test
    void thoseBehindFollowOneWhoseWaitHasEnded() {
        CoreWorld world = new CoreWorld(4);
        world.crash(0);
        world.link = letter -> !letter.from().equals(NodeId.replica(3));
        world.submit(0, 1, "a", 1, 2, 3);
        world.mail.add(new CoreWorld.Letter(
                NodeId.replica(0), 3, world.signed(0, new ViewChange(1, CheckpointCertificate.GENESIS, List.of(), 0))));
        int patience = world.ticks(world.parameters.requestTimeoutMillis());
        int wait = world.ticks(world.parameters.viewChangeTimeoutMillis());
        world.tick(patience + wait + 10);
        assertThat(world.node(3).report().view()).isEqualTo(2);
        assertThat(world.node(1).report().view()).isEqualTo(1);
        assertThat(world.node(2).report().view()).isEqualTo(1);

        world.link = letter -> true;
        world.tick(8 * wait);
        for (int i = 1; i < 4; i++) {
            assertThat(world.node(i).executed).containsExactly("a");
            assertThat(world.node(i).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        }
    }

    /** It had asked for view 1 alone, and lived on state transfers from then on, while all others were served in view 0. */
    @Test
    void aReplicaThatIsLateAccusesNobody() {
        CoreWorld world = new CoreWorld(4);
        world.link = letter -> letter.to() != 3 || letter.from().isClient() || letter.message() instanceof Status;
        int patience = world.ticks(world.parameters.requestTimeoutMillis());
        for (int number = 1; number <= 3; number++) {
            world.submit(0, number, "op" + number, world.all());
            world.tick(patience);
        }
        assertThat(world.node(0).executed).hasSize(3);
        assertThat(world.node(3).executed).isEmpty();
        assertThat(world.node(3).report().view()).isZero();
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);

        world.link = letter -> true;
        world.tick(patience);
        assertThat(world.node(3).executed).containsExactly("op1", "op2", "op3");
    }
}
