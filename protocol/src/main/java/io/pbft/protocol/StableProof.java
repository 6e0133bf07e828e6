package io.pbft.protocol;

/** A stable checkpoint with its proof: tells a replica that is behind the window that it must transfer state. */
public record StableProof(CheckpointCertificate certificate) implements Message {
    @Override
    public MessageType type() {
        return MessageType.STABLE_PROOF;
    }
}
