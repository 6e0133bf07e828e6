package io.pbft.protocol;

/** A PRE-PREPARE with the batch whose digest it names. */
public record Proposal(Signed<PrePrepare> prePrepare, Batch batch) implements Message {
    @Override
    public MessageType type() {
        return MessageType.PROPOSAL;
    }
}
