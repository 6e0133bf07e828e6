package io.pbft.protocol;

/** A batch that was asked for: its digest is its proof. */
public record BatchBody(Batch batch) implements Message {
    @Override
    public MessageType type() {
        return MessageType.BATCH_BODY;
    }
}
