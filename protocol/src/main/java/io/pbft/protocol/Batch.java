package io.pbft.protocol;

import io.pbft.crypto.Digest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one sequence number orders: requests, and the time that the primary proposes for them. Its digest is the SHA-256
 * of its canonical encoding, client signatures included. A value like the records beside it; not a record because it
 * keeps its digest once somebody has asked for it: hashing a batch is what costs most about it, and it is asked for
 * by everybody who handles the batch. Immutable and thread-safe.
 */
public final class Batch {
    /**
     * The null request, which fills gaps at a view change: it executes as nothing but counts (OSDI'99, section 4.4).
     */
    public static final Batch NULL = new Batch(0, List.of());

    private final long timeMillis;
    private final List<Signed<Request>> requests;

    /** Computed at the first call of {@link #digest}: threads that race compute the same, and a Digest is immutable. */
    private @Nullable Digest digest;

    /**
     * @param timeMillis the agreed time, in milliseconds since 1970; 0 in the null batch, which leaves the agreed
     *     time alone
     */
    public Batch(long timeMillis, List<Signed<Request>> requests) {
        this.timeMillis = timeMillis;
        this.requests = List.copyOf(requests);
    }

    public long timeMillis() {
        return timeMillis;
    }

    public List<Signed<Request>> requests() {
        return requests;
    }

    /** The number of its operations, over all requests. */
    public int operations() {
        int operations = 0;
        for (Signed<Request> request : requests) {
            operations += request.statement().operations().size();
        }
        return operations;
    }

    /** The SHA-256 of {@link Codec#encode(Batch)}. */
    public Digest digest() {
        Digest known = digest;
        if (known == null) {
            known = Codec.computeDigest(this);
            digest = known;
        }
        return known;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Batch that && timeMillis == that.timeMillis && requests.equals(that.requests);
    }

    @Override
    public int hashCode() {
        return 31 * Long.hashCode(timeMillis) + requests.hashCode();
    }

    @Override
    public String toString() {
        return "Batch[" + requests.size() + " requests at " + timeMillis + "]";
    }
}
