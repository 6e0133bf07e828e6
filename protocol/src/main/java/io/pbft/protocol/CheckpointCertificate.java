package io.pbft.protocol;

import io.pbft.crypto.Digest;
import java.util.List;

/**
 * Proof of a checkpoint: a quorum of equal CHECKPOINTs of different replicas, in ascending order of their replica,
 * makes it stable (TOCS'02, section 2.3.4). The checkpoint at 0, where everyone begins, has no proof and needs none:
 * {@link #GENESIS}.
 */
public record CheckpointCertificate(long seq, Digest state, List<Signed<Checkpoint>> proof) {
    public static final CheckpointCertificate GENESIS = new CheckpointCertificate(0, Digest.ZERO, List.of());

    public CheckpointCertificate {
        proof = List.copyOf(proof);
    }
}
