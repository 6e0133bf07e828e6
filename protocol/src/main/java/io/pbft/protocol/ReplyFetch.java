package io.pbft.protocol;

/** A client asks one replica for a result in full that it has only the digest of. The client is the connection's. */
public record ReplyFetch(long epoch, long number) implements Message {
    @Override
    public MessageType type() {
        return MessageType.REPLY_FETCH;
    }
}
