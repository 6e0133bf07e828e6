package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import java.util.List;

/**
 * Operations of one client under one signature (TOCS'02, section 2.3.1, REQUEST; many operations share it here).
 * Operation i has the number {@code first + i}; each is ordered once and executed once.
 *
 * @param client who asks
 * @param epoch the session: a number that a client never uses for two sessions. Its upper 44 bits are the milliseconds
 *     since 1970 at which the session began, its lower 20 are random
 * @param lowest the lowest number of this session whose result the client still waits for: replicas forget what is below
 * @param first the number of the first operation, at least {@code lowest}, at least 1
 * @param replier the replica that sends results in full while the others send their digests, or -1: all in full
 * @param operations 1 to {@link Limits#REQUEST_OPERATIONS_MAX}, each of at most {@link Limits#OPERATION_BYTES_MAX} bytes,
 *     together at most {@link Limits#REQUEST_BYTES_MAX}
 */
public record Request(int client, long epoch, long lowest, long first, int replier, List<Bytes> operations)
        implements Statement {
    public Request {
        operations = List.copyOf(operations);
    }

    /** The number of the last operation. */
    public long last() {
        return first + operations.size() - 1;
    }

    @Override
    public MessageType type() {
        return MessageType.REQUEST;
    }

    @Override
    public NodeId signer() {
        return NodeId.client(client);
    }
}
