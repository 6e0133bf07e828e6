package io.pbft.protocol;

import java.util.List;

/**
 * A replica leaves for {@code view} and shows what it knows (OSDI'99, section 4.4, VIEW-CHANGE).
 *
 * @param view the view it wants, above every view it voted in
 * @param stable its last stable checkpoint with the proof
 * @param prepared for each sequence number above it, within the window, that prepared here: the certificate of the
 *     highest view; in ascending order of sequence number, each once, each of a view below {@code view}
 */
public record ViewChange(long view, CheckpointCertificate stable, List<PreparedCertificate> prepared, int replica)
        implements Statement {
    public ViewChange {
        prepared = List.copyOf(prepared);
    }

    @Override
    public MessageType type() {
        return MessageType.VIEW_CHANGE;
    }

    @Override
    public NodeId signer() {
        return NodeId.replica(replica);
    }
}
