package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Whatever is thrown at a verifier, it says yes or no: nothing that a peer sends may throw. */
class VerifierRobustnessTest {
    private static final Digest DIGEST = Digest.of(Bytes.utf8("d"));

    private final TestCluster cluster = TestCluster.of(4);
    private final Verifier verifier = cluster.verifier();

    @Test
    void noiseIsRejected() {
        Messages messages = new Messages(1);
        Random random = new Random(1);
        Set<Rejection> seen = EnumSet.noneOf(Rejection.class);
        for (int i = 0; i < 20_000; i++) {
            Message message = messages.next();
            NodeId from = random.nextBoolean() ? NodeId.replica(random.nextInt(5)) : NodeId.client(random.nextInt(3));
            Verdict verdict = verifier.verify(from, message);
            if (verdict instanceof Verdict.Rejected rejected) {
                seen.add(rejected.reason());
            } else {
                assertThat(message).isNotInstanceOfAny(Signed.class, Proposal.class, Decision.class, Reply.class);
            }
        }
        assertThat(seen).contains(Rejection.WRONG_SENDER, Rejection.UNKNOWN_SIGNER, Rejection.WRONG_COUNT);
    }

    /** Any bit of a valid signed frame: what is still decoded is rejected, whichever field the bit is in. */
    @Test
    void noBitOfAValidMessageCanBeChanged() {
        Batch batch =
                new Batch(7, List.of(cluster.request(0, 1, Bytes.utf8("x")), cluster.request(1, 3, Bytes.utf8("y"))));
        List<Message> valid = new ArrayList<>(List.of(
                cluster.request(1, 1, Bytes.utf8("a")),
                cluster.sign(new PrePrepare(0, 1, DIGEST, 0)),
                cluster.sign(new Prepare(0, 1, DIGEST, 1)),
                cluster.sign(new Commit(0, 1, DIGEST, 1)),
                cluster.sign(new Checkpoint(4, DIGEST, 1)),
                cluster.sign(new ReplyRoot(0, DIGEST, 3, 1)),
                cluster.sign(new ViewChange(2, cluster.stable(4, DIGEST), List.of(cluster.prepared(1, 5, DIGEST)), 3)),
                cluster.newView(1, CheckpointCertificate.GENESIS, List.of(cluster.prepared(0, 1, DIGEST)), List.of(1L)),
                cluster.proposal(1, 1, batch),
                new Decision(cluster.committed(1, 1, batch.digest()), batch),
                new StableProof(cluster.stable(4, DIGEST))));
        NodeId from = NodeId.replica(2);
        for (Message message : valid) {
            byte[] frame = Codec.encode(message);
            assertThat(verifier.verify(from, Codec.decode(frame))).isInstanceOf(Verdict.Accepted.class);
            for (int position = 0; position < frame.length; position++) {
                byte[] changed = frame.clone();
                changed[position] ^= (byte) (1 << position % 8);
                if (acceptedBy(from, changed)) {
                    throw new AssertionError(message.type() + " with byte " + position + " changed was accepted");
                }
            }
        }
    }

    private boolean acceptedBy(NodeId from, byte[] frame) {
        try {
            return verifier.verify(from, Codec.decode(frame)) instanceof Verdict.Accepted;
        } catch (MalformedMessage e) {
            return false;
        }
    }
}
