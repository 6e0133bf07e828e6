package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.replica.DriverBench;
import io.pbft.transport.Lane;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransportOutboxTest {
    private final List<String> sent = new ArrayList<>();
    private final TransportOutbox outbox = new TransportOutbox(1, 4, (to, lane, frame) -> {
        if (to.equals(NodeId.client(9))) {
            throw new IllegalArgumentException("too large for this client");
        }
        sent.add(to + " " + lane + " " + Codec.decode(frame).type());
        return true;
    });

    private static Message commit() {
        return DriverBench.signed(new Commit(0, 1, Digest.ZERO, 1));
    }

    @Test
    void aBroadcastGoesToAllOthersOnItsLane() {
        outbox.broadcast(commit());
        assertThat(sent).containsExactly("replica-0 BULK COMMIT", "replica-2 BULK COMMIT", "replica-3 BULK COMMIT");
        sent.clear();
        outbox.send(NodeId.replica(3), DriverBench.signed(new Checkpoint(128, Digest.ZERO, 1)));
        assertThat(sent).containsExactly("replica-3 " + Lane.PRIORITY + " CHECKPOINT");
    }

    @Test
    void whatCannotBeSentStopsNothing() {
        outbox.send(NodeId.client(9), commit());
        outbox.send(NodeId.replica(0), commit());
        assertThat(sent).hasSize(1);
    }

    @Test
    void nothingLeavesOnceStopped() {
        outbox.stop();
        outbox.broadcast(commit());
        outbox.send(NodeId.replica(0), commit());
        assertThat(sent).isEmpty();
    }
}
