package io.pbft.protocol;

import io.pbft.crypto.Digest;

/**
 * A replica's state after executing everything up to {@code seq} has this digest (TOCS'02, section 2.3.4, CHECKPOINT).
 * The digest covers the application's state, the client table and the agreed time.
 */
public record Checkpoint(long seq, Digest state, int replica) implements Statement {
    @Override
    public MessageType type() {
        return MessageType.CHECKPOINT;
    }

    @Override
    public NodeId signer() {
        return NodeId.replica(replica);
    }
}
