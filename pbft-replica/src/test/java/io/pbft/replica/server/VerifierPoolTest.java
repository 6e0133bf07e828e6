package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signature;
import io.pbft.crypto.SignatureScheme;
import io.pbft.crypto.Signer;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verifier;
import io.pbft.replica.DriverBench;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class VerifierPoolTest {
    private final Admission admission = new Admission();
    private final Inbox inbox = new Inbox();
    private final Counters counters = new Counters();
    private final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();

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

    private VerifierPool pool(int threads, Verifier verifier) {
        return new VerifierPool(threads, verifier, admission, inbox, counters, failures::add, "test");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void messagesOfOneSenderKeepTheirOrderAndTheOthersAreCounted(int threads) {
        try (VerifierPool pool = pool(threads, DriverBench.VERIFIER)) {
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

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void whoSendsFasterThanItIsServedLosesItsOwnMessages(int threads) {
        try (VerifierPool pool = pool(threads, DriverBench.VERIFIER)) {
            Bytes frame = frame(commit(1, 1));
            for (int i = 0; i < Admission.REPLICA_MESSAGES_MAX + 7; i++) {
                pool.submit(NodeId.replica(1), frame, new CountingFlow());
            }
            pool.submit(NodeId.replica(2), frame(commit(2, 1)), new CountingFlow());
            take(Admission.REPLICA_MESSAGES_MAX + 1);
            assertThat(counters.refusedBySender()).isEqualTo(Map.of("replica-1", Map.of(Counters.NO_ROOM, 7L)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void anErrorIsNotAboutTheFrameAndIsReported(int threads) throws InterruptedException {
        Error noMemory = new OutOfMemoryError("tried");
        SignatureScheme broken = new BrokenScheme(noMemory);
        try (VerifierPool pool = pool(threads, DriverBench.verifier(broken))) {
            pool.submit(NodeId.replica(1), frame(commit(1, 1)), new CountingFlow());
            assertThat(failures.poll(10, TimeUnit.SECONDS)).isSameAs(noMemory);
            assertThat(counters.refusedBySender()).isEmpty();
        }
    }

    /** A scheme whose verification ends in an error of the platform. */
    private record BrokenScheme(Error error) implements SignatureScheme {
        @Override
        public PublicKey publicKey(Bytes encoded) {
            return new Ed25519().publicKey(encoded);
        }

        @Override
        public Signer signer(Bytes privateKey) {
            return new Ed25519().signer(privateKey);
        }

        @Override
        public boolean verify(PublicKey key, byte[] payload, Signature signature) {
            throw error;
        }
    }
}
