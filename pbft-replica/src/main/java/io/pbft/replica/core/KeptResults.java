package io.pbft.replica.core;

import io.pbft.protocol.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Counts the bytes of results that are kept for clients, against the bounds of {@link ResultRoom}. It follows from what
 * {@link ClientTable} holds, and is counted anew when that is loaded. NOT thread-safe.
 */
final class KeptResults {
    private final long share;
    private final long max;
    private final long pool;
    private final TreeMap<Integer, Long> kept = new TreeMap<>();
    private long pooled;
    private long total;

    /**
     * @param bytesMax all that may be kept
     * @param clients how many are registered
     */
    KeptResults(int bytesMax, int clients) {
        this.pool = bytesMax / 2;
        this.share = pool / Math.max(1, Math.min(clients, Limits.CLIENTS_MAX));
        this.max = Math.max(share, pool / 2);
    }

    void add(int client, int size) {
        move(client, ResultRoom.charge(size));
    }

    void remove(int client, int size) {
        move(client, -ResultRoom.charge(size));
    }

    private void move(int client, long bytes) {
        if (bytes == 0) {
            return;
        }
        long before = kept.getOrDefault(client, 0L);
        long after = before + bytes;
        InvariantViolation.check(after >= 0, "no more results are let go than were kept");
        pooled += beyondShare(after) - beyondShare(before);
        total += bytes;
        if (after == 0) {
            kept.remove(client);
        } else {
            kept.put(client, after);
        }
    }

    private long beyondShare(long bytes) {
        return Math.max(0, bytes - share);
    }

    void clear() {
        kept.clear();
        pooled = 0;
        total = 0;
    }

    /** Bytes that are kept for all clients. */
    long total() {
        return total;
    }

    /** Whether more than half of what the client may keep is taken. */
    boolean isPressed(int client) {
        return kept.getOrDefault(client, 0L) > max / 2;
    }

    /** The clients that hold what others may need, where more than half of that is taken; in ascending order. */
    List<Integer> pressing() {
        List<Integer> clients = new ArrayList<>();
        if (pooled > pool / 2) {
            kept.forEach((client, bytes) -> {
                if (bytes > share) {
                    clients.add(client);
                }
            });
        }
        return clients;
    }

    ResultRoom room() {
        return new ResultRoom(share, max, pool, pooled, kept);
    }
}
