package io.pbft.protocol;

/**
 * What somebody signs. The signature covers the cluster, the type and every field (see {@link SigningPayload}), so that
 * no statement can pass for another type's, another cluster's, or another signer's.
 */
public sealed interface Statement permits Request, Vote, Checkpoint, ViewChange, NewView, ReplyRoot {
    MessageType type();

    /** Whose statement this is: the signature is checked with this node's key. */
    NodeId signer();
}
