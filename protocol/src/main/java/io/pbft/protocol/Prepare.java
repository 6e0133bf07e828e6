package io.pbft.protocol;

import io.pbft.crypto.Digest;

/**
 * A backup agrees to the primary's assignment in this view (TOCS'02, section 2.3.2, PREPARE).
 */
public record Prepare(long view, long seq, Digest digest, int replica) implements Vote {
    @Override
    public MessageType type() {
        return MessageType.PREPARE;
    }

    @Override
    public NodeId signer() {
        return NodeId.replica(replica);
    }
}
