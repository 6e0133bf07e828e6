package io.pbft.simulator.node;

import io.pbft.client.core.Answer;
import io.pbft.crypto.Digest;
import io.pbft.crypto.MerkleTree;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.Verifier;
import io.pbft.simulator.workload.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What a client would show others as proof must convince one who has only the configuration. */
final class ReceiptCheck {
    private ReceiptCheck() {}

    /** Why {@code answer} is no proof of what came of {@code call}; nothing when it is one. */
    static List<String> faults(Call call, Answer answer, Verifier verifier, Quorum quorum) {
        List<String> faults = new ArrayList<>();
        Digest operation = Digest.of(call.encode());
        if (!answer.leaf().operation().equals(operation)) {
            faults.add("the leaf is about another operation than " + call);
        }
        if (!answer.leaf().result().equals(Digest.of(answer.result()))) {
            faults.add("the leaf is about another result than " + answer.result());
        }
        Set<Integer> replicas = new TreeSet<>();
        Digest leaf = MerkleTree.leafHash(Codec.leafBytes(answer.leaf()));
        for (Answer.Attestation attestation : answer.attestations()) {
            var root = attestation.root().statement();
            boolean leads =
                    MerkleTree.verify(root.root(), leaf, attestation.index(), root.leaves(), attestation.path());
            if (!leads || !verifier.isSigned(attestation.root())) {
                faults.add("replica " + attestation.replica() + "'s word for " + call + " does not hold");
            }
            replicas.add(attestation.replica());
        }
        if (replicas.size() < quorum.weak()) {
            faults.add("only " + replicas + " speak for " + call);
        }
        return faults;
    }
}
