package io.pbft.protocol;

import io.pbft.crypto.Digest;

/**
 * What a replica says of one operation: a leaf of the tree whose root it signs. Equal on all correct replicas.
 *
 * @param seq the sequence number at which it was executed
 * @param timeMillis the agreed time at which it was executed
 * @param operation the digest of the operation's bytes
 * @param result the digest of the result's bytes
 */
public record ReplyLeaf(
        int client,
        long epoch,
        long number,
        long seq,
        long timeMillis,
        Digest operation,
        Outcome outcome,
        Digest result) {}
