package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Signed;
import io.pbft.replica.DriverBench;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class VerifierPoolTest {
    private final Admission admission = new Admission();
    private final Inbox inbox = new Inbox();
    private final Counters counters = new Counters();

    private static Bytes frame(Message message) {
        return Bytes.wrap(Codec.encode(message));
    }

    private static Signed<Commit> commit(int replica, long seq) {
        return DriverBench.signed(new Commit(0, seq, Digest.ZERO, replica));
    }

    private List<Inbox.Admitted> take(int messages) {
        List<Inbox.Admitted> taken = new ArrayList<>();
        while (taken.size() < messages) {
            inbox.drain(new ArrayList<>(), taken, messages, TimeUnit.SECONDS.toNanos(1));
        }
        return taken;
    }

    @Test
    void messagesOfOneSenderKeepTheirOrderAndTheOthersAreCounted() {
        try (VerifierPool pool = new VerifierPool(2, DriverBench.VERIFIER, admission, inbox, counters, "test")) {
            NodeId one = NodeId.replica(1);
            NodeId two = NodeId.replica(2);
            Signature none = Signature.copyOf(new byte[Signature.SIZE], 0, Signature.SIZE);
            pool.submit(one, Bytes.utf8("not a message"), new CountingFlow());
            pool.submit(one, frame(new Signed<>(commit(1, 1).statement(), none)), new CountingFlow());
            for (int seq = 1; seq <= 50; seq++) {
                pool.submit(one, frame(commit(1, seq)), new CountingFlow());
                pool.submit(two, frame(commit(2, seq)), new CountingFlow());
            }
            List<Inbox.Admitted> taken = take(100);
            for (NodeId sender : List.of(one, two)) {
                assertThat(taken.stream()
                                .filter(admitted -> admitted.message().from().equals(sender))
                                .map(admitted -> admitted.message()
                                        .signed(Commit.class)
                                        .statement()
                                        .seq()))
                        .isSorted()
                        .hasSize(50);
            }
            assertThat(counters.refusedBySender())
                    .isEqualTo(Map.of("replica-1", Map.of(Counters.MALFORMED, 1L, "BAD_SIGNATURE", 1L)));
            assertThat(counters.acceptedMessages()).isEqualTo(100);
            // What was refused has left; what was accepted is here until the core has taken it.
            assertThat(admission.messages()).isEqualTo(100);
        }
    }

    @Test
    void whoSendsFasterThanItIsServedLosesItsOwnMessages() {
        try (VerifierPool pool = new VerifierPool(1, DriverBench.VERIFIER, admission, inbox, counters, "test")) {
            Bytes frame = frame(commit(1, 1));
            for (int i = 0; i < Admission.REPLICA_MESSAGES_MAX + 7; i++) {
                pool.submit(NodeId.replica(1), frame, new CountingFlow());
            }
            pool.submit(NodeId.replica(2), frame(commit(2, 1)), new CountingFlow());
            take(Admission.REPLICA_MESSAGES_MAX + 1);
            assertThat(counters.refusedBySender()).isEqualTo(Map.of("replica-1", Map.of(Counters.NO_ROOM, 7L)));
        }
    }
}
