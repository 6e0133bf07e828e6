package io.pbft.protocol;

import io.pbft.crypto.Digest;

/**
 * One signature for many replies: the root of the Merkle tree (RFC 9162) over {@code leaves} {@link ReplyLeaf}s.
 *
 * @param view the replica's view, so that clients know whom to ask next
 */
public record ReplyRoot(long view, Digest root, int leaves, int replica) implements Statement {
    @Override
    public MessageType type() {
        return MessageType.REPLY_ROOT;
    }

    @Override
    public NodeId signer() {
        return NodeId.replica(replica);
    }
}
