package io.pbft.protocol;

import io.pbft.crypto.Digest;

/**
 * The primary assigns a sequence number to a batch, by the batch's digest (TOCS'02, section 2.3.2, PRE-PREPARE). The
 * batch itself travels beside it, in a {@link Proposal}.
 */
public record PrePrepare(long view, long seq, Digest digest, int replica) implements Vote {
    @Override
    public MessageType type() {
        return MessageType.PRE_PREPARE;
    }

    @Override
    public NodeId signer() {
        return NodeId.replica(replica);
    }
}
