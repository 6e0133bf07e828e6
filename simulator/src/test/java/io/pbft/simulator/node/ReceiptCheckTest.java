package io.pbft.simulator.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.client.core.Answer;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.MerkleTree;
import io.pbft.protocol.Codec;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Verifier;
import io.pbft.simulator.SimOptions;
import io.pbft.simulator.workload.Call;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A proof that proves nothing is seen as one, whatever is wrong with it. */
class ReceiptCheckTest {
    private static final Call CALL = new Call(1, "put", "k", "v", "");
    private static final Bytes RESULT = Bytes.utf8("-");

    private final World world = new World(SimOptions.defaults(), false);
    private final Verifier verifier = world.verifierOf(NodeId.client(0));
    private final Sealer first = world.takeSealer(NodeId.replica(0));
    private final Sealer second = world.takeSealer(NodeId.replica(1));

    private static ReplyLeaf leaf(Bytes operation, Bytes result) {
        return new ReplyLeaf(0, 7, 1, 3, World.WALL_MILLIS, Digest.of(operation), Outcome.EXECUTED, Digest.of(result));
    }

    /** A replica's word for a leaf that is alone in its tree. */
    private static Answer.Attestation word(Sealer sealer, int claimed, ReplyLeaf leaf) {
        Digest root = MerkleTree.leafHash(Codec.leafBytes(leaf));
        return new Answer.Attestation(
                sealer.seal(new ReplyRoot(0, root, 1, claimed)).message(), 0, List.of());
    }

    private List<String> faults(Answer answer) {
        return ReceiptCheck.faults(CALL, answer, verifier, world.options().quorum());
    }

    @Test
    void twoWordsForTheLeafAreAProof() {
        ReplyLeaf leaf = leaf(CALL.encode(), RESULT);
        assertThat(faults(new Answer(leaf, RESULT, List.of(word(first, 0, leaf), word(second, 1, leaf)))))
                .isEmpty();
    }

    @Test
    void oneWordIsTooFew() {
        ReplyLeaf leaf = leaf(CALL.encode(), RESULT);
        assertThat(faults(new Answer(leaf, RESULT, List.of(word(first, 0, leaf), word(first, 0, leaf)))))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("only [0] speak");
    }

    @Test
    void anotherResultOrOperationIsSeen() {
        ReplyLeaf leaf = leaf(CALL.encode(), RESULT);
        List<Answer.Attestation> words = List.of(word(first, 0, leaf), word(second, 1, leaf));
        assertThat(faults(new Answer(leaf, Bytes.utf8("forged"), words)))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("the leaf is about another result");
        ReplyLeaf other = leaf(Bytes.utf8("other"), RESULT);
        List<Answer.Attestation> wordsForOther = List.of(word(first, 0, other), word(second, 1, other));
        assertThat(faults(new Answer(other, RESULT, wordsForOther)))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("the leaf is about another operation");
    }

    @Test
    void aWordForAnotherTreeDoesNotHold() {
        ReplyLeaf leaf = leaf(CALL.encode(), RESULT);
        ReplyLeaf other = leaf(CALL.encode(), Bytes.utf8("other"));
        assertThat(faults(new Answer(leaf, RESULT, List.of(word(first, 0, leaf), word(second, 1, other)))))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("replica 1's word");
    }
}
