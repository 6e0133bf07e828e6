package io.pbft.protocol;

import io.pbft.crypto.Bytes;

/**
 * A client asks one replica for the result of a query on its committed state, outside of the order. The client is the
 * connection's.
 *
 * @param nonce chosen by the client, never twice on a connection: the reply carries it
 * @param upToDate whether the replica answers only after it has executed everything that it had sent COMMIT for when
 *     the query arrived, which fast reads need to be linearizable
 * @param full whether to send the result in full, or only its digest
 */
public record ReadRequest(long nonce, boolean upToDate, boolean full, Bytes operation) implements Message {
    @Override
    public MessageType type() {
        return MessageType.READ_REQUEST;
    }
}
