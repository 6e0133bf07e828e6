package io.pbft.protocol;

/** A committed batch with its proof: what brings a lagging replica up to date. */
public record Decision(CommitCertificate certificate, Batch batch) implements Message {
    @Override
    public MessageType type() {
        return MessageType.DECISION;
    }
}
