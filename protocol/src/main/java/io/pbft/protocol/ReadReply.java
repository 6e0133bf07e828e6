package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.util.Optional;

/**
 * A replica's answer to a {@link ReadRequest}: believed only as this one replica's, which the connection proves.
 *
 * @param seq the last sequence number executed before the query ran
 * @param timeMillis the agreed time of the state that it reflects
 * @param outcome {@link Outcome#EXECUTED} or {@link Outcome#FAILED}
 * @param digest the digest of the result
 */
public record ReadReply(long nonce, long seq, long timeMillis, Outcome outcome, Digest digest, Optional<Bytes> result)
        implements Message {
    @Override
    public MessageType type() {
        return MessageType.READ_REPLY;
    }
}
