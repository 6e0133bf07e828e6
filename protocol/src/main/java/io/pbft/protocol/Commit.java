package io.pbft.protocol;

import io.pbft.crypto.Digest;

/**
 * A replica has a prepared certificate (TOCS'02, section 2.3.2, COMMIT).
 */
public record Commit(long view, long seq, Digest digest, int replica) implements Vote {
    @Override
    public MessageType type() {
        return MessageType.COMMIT;
    }

    @Override
    public NodeId signer() {
        return NodeId.replica(replica);
    }
}
