package io.pbft.replica.core;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How many bytes of results the replicas keep for clients that have not acknowledged them, and how many they keep
 * already: what an operation is run with. It follows from the order alone, so every replica says the same of every
 * result.
 *
 * <p>Half of {@link io.pbft.protocol.ProtocolParameters#resultBytesMax} is dealt out among the clients that are
 * registered: each has its {@link #share} whatever the others do. The other half is the {@link #pool} for what
 * clients keep beyond their shares, of which one client gets no more than half. So all results together take {@code
 * resultBytesMax} bytes at most, and no client takes another's share.
 *
 * <p>Results of up to {@link #FREE_BYTES} bytes count nothing and always find room: they are bounded by the number of
 * answers.
 *
 * @param share bytes that each client may keep
 * @param max bytes that one client may keep while there is room in the pool; at least its share
 * @param pool bytes that all clients together may keep beyond their shares
 * @param pooled bytes that they keep of it
 * @param kept bytes of each client that keeps any, of those whose operations are run
 */
public record ResultRoom(long share, long max, long pool, long pooled, SortedMap<Integer, Long> kept) {
    /** A result this long takes no more than its entry does. */
    public static final int FREE_BYTES = 64;

    /** Room without bounds. */
    public static final ResultRoom UNBOUNDED =
            new ResultRoom(Long.MAX_VALUE, Long.MAX_VALUE, 0, 0, Collections.emptySortedMap());

    public ResultRoom {
        kept = Collections.unmodifiableSortedMap(new TreeMap<>(kept));
    }

    /** What a result of {@code size} bytes counts. */
    static int charge(int size) {
        return size <= FREE_BYTES ? 0 : size;
    }

    /** Goes through the results of one batch in their order. */
    public Meter meter() {
        return new Meter(this);
    }

    /** Says of one result after the other whether it finds room. NOT thread-safe. */
    public static final class Meter {
        private final ResultRoom room;
        private final Map<Integer, Long> kept;
        private long pooled;

        private Meter(ResultRoom room) {
            this.room = room;
            this.kept = new TreeMap<>(room.kept);
            this.pooled = room.pooled;
        }

        /** Takes room for a result of {@code size} bytes; false: there is none, and nothing was taken. */
        public boolean take(int client, int size) {
            int charge = charge(size);
            if (charge == 0) {
                return true;
            }
            long before = kept.getOrDefault(client, 0L);
            long after = before + charge;
            long beyond = Math.max(0, after - room.share) - Math.max(0, before - room.share);
            boolean fits = beyond == 0 || (after <= room.max && pooled + beyond <= room.pool);
            if (fits) {
                kept.put(client, after);
                pooled += beyond;
            }
            return fits;
        }
    }
}
