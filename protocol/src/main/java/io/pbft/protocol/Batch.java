package io.pbft.protocol;

import java.util.List;

/**
 * What one sequence number orders: requests, and the time that the primary proposes for them. Its digest is the SHA-256
 * of its canonical encoding, client signatures included (see {@link Codec#digest(Batch)}).
 *
 * @param timeMillis the agreed time, in milliseconds since 1970; 0 in the null batch, which leaves the agreed time alone
 */
public record Batch(long timeMillis, List<Signed<Request>> requests) {
    /** The null request, which fills gaps at a view change: it executes as nothing but counts (OSDI'99, section 4.4). */
    public static final Batch NULL = new Batch(0, List.of());

    public Batch {
        requests = List.copyOf(requests);
    }
}
