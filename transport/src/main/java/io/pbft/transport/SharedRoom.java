package io.pbft.transport;

import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory that the bulk lanes of many connections share. When it is full, the longest lane loses its oldest frame for a new one
 * of whichever lane: those that nobody reads lose, and who reads is not kept from being served by however many that do not
 * (longest queue drop: Wei, Coyle and Hsiao, GLOBECOM '91).
 *
 * <p>Thread-safe; lanes that add at the same moment may exceed the room by a frame each.
 */
final class SharedRoom {
    private final long bytesMax;
    private final AtomicLong used = new AtomicLong();
    private final Set<Outbox> lanes = ConcurrentHashMap.newKeySet();

    /** @param bytesMax of all lanes together; a larger frame has the room to itself */
    SharedRoom(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Room without an end: for connections whose number is bounded. */
    static SharedRoom unlimited() {
        return new SharedRoom(Long.MAX_VALUE / 2);
    }

    void enter(Outbox lane) {
        lanes.add(lane);
    }

    void leave(Outbox lane) {
        lanes.remove(lane);
    }

    /** Counts what a lane took, or gave back. */
    void add(long bytes) {
        used.addAndGet(bytes);
    }

    long used() {
        return used.get();
    }

    /**
     * Makes room for a frame. Not to be called with the lock of a lane held.
     *
     * @return how many frames were dropped for it
     */
    int make(int bytes) {
        int dropped = 0;
        while (used.get() + bytes > bytesMax) {
            Optional<Outbox> longest = lanes.stream().max(Comparator.comparingLong(Outbox::bulkBytes));
            if (longest.isEmpty() || !longest.get().dropOldestBulk()) {
                break;
            }
            dropped++;
        }
        return dropped;
    }
}
