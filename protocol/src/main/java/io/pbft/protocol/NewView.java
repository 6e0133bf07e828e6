package io.pbft.protocol;

import java.util.List;

/**
 * The primary of {@code view} shows that a quorum wants it, and what must be proposed again (OSDI'99, section 4.4,
 * NEW-VIEW).
 *
 * @param viewChanges V: a quorum of VIEW-CHANGEs of different replicas for {@code view}, in ascending order of their
 *     replica
 * @param proposals O: a PRE-PREPARE in {@code view} for each sequence number between min-s and max-s, ascending,
 *     without gaps. Every replica computes it anew from V and compares
 */
public record NewView(long view, List<Signed<ViewChange>> viewChanges, List<Signed<PrePrepare>> proposals, int replica)
        implements Statement {
    public NewView {
        viewChanges = List.copyOf(viewChanges);
        proposals = List.copyOf(proposals);
    }

    @Override
    public MessageType type() {
        return MessageType.NEW_VIEW;
    }

    @Override
    public NodeId signer() {
        return NodeId.replica(replica);
    }
}
