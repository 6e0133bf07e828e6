package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Operations of one client under one signature (TOCS'02, section 2.3.1, REQUEST; many operations share it here).
 * Operation i has the number {@code first + i}; each is ordered once and executed once. A value like the records
 * beside it; not a record because it keeps its digest once somebody has asked for it. Immutable and thread-safe.
 */
public final class Request implements Statement {
    private final int client;
    private final long epoch;
    private final long lowest;
    private final long first;
    private final int replier;
    private final List<Bytes> operations;

    /** Computed at the first call of {@link #digest}: threads that race compute the same, and a Digest is immutable. */
    private @Nullable Digest digest;

    /**
     * @param client who asks
     * @param epoch the session: a number that a client never uses for two sessions. Its upper 44 bits are the
     *     milliseconds since 1970 at which the session began, its lower 20 are random
     * @param lowest the lowest number of this session whose result the client still waits for: replicas forget what is
     *     below; at least 1
     * @param first the number of the first operation, at least {@code lowest}
     * @param replier the replica that sends results in full while the others send their digests, or -1: all in full
     * @param operations 1 to {@link Limits#REQUEST_OPERATIONS_MAX}, each of at most {@link Limits#OPERATION_BYTES_MAX}
     *     bytes, together at most {@link Limits#REQUEST_BYTES_MAX}
     */
    public Request(int client, long epoch, long lowest, long first, int replier, List<Bytes> operations) {
        this.client = client;
        this.epoch = epoch;
        this.lowest = lowest;
        this.first = first;
        this.replier = replier;
        this.operations = List.copyOf(operations);
    }

    public int client() {
        return client;
    }

    public long epoch() {
        return epoch;
    }

    public long lowest() {
        return lowest;
    }

    public long first() {
        return first;
    }

    public int replier() {
        return replier;
    }

    public List<Bytes> operations() {
        return operations;
    }

    /** The number of the last operation. */
    public long last() {
        return first + operations.size() - 1;
    }

    /** The SHA-256 of its canonical encoding, without type and signature: what its signature covers, and its name. */
    public Digest digest() {
        Digest known = digest;
        if (known == null) {
            known = Codec.computeDigest(this);
            digest = known;
        }
        return known;
    }

    @Override
    public MessageType type() {
        return MessageType.REQUEST;
    }

    @Override
    public NodeId signer() {
        return NodeId.client(client);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Request that
                && client == that.client
                && epoch == that.epoch
                && lowest == that.lowest
                && first == that.first
                && replier == that.replier
                && operations.equals(that.operations);
    }

    @Override
    public int hashCode() {
        int hash = 31 * client + Long.hashCode(epoch);
        hash = 31 * hash + Long.hashCode(lowest);
        hash = 31 * hash + Long.hashCode(first);
        return 31 * hash + 31 * replier + operations.hashCode();
    }

    @Override
    public String toString() {
        return "Request[client=" + client + ", epoch=" + epoch + ", lowest=" + lowest + ", first=" + first
                + ", replier=" + replier + ", " + operations.size() + " operations]";
    }
}
