package io.pbft.client.core;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Signed;
import java.util.List;

/**
 * What became of an operation, with the proof.
 *
 * @param result the bytes whose digest the leaf carries
 * @param attestations f + 1 of them, in ascending order of replica, all for the same leaf
 */
public record Answer(ReplyLeaf leaf, Bytes result, List<Attestation> attestations) {
    public Answer {
        attestations = List.copyOf(attestations);
    }

    /**
     * One replica's word for a leaf: its signed root, and the way from the leaf to the root.
     *
     * @param index the place of the leaf in the tree
     * @param path the inclusion path (RFC 9162, section 2.1.3)
     */
    public record Attestation(Signed<ReplyRoot> root, int index, List<Digest> path) {
        public Attestation {
            path = List.copyOf(path);
        }

        public int replica() {
            return root.statement().replica();
        }
    }
}
