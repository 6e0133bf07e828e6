package io.pbft.replica.core;

import io.pbft.protocol.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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

    /** Counts a result that found room. */
    void add(int client, int size) {
        long bytes = ResultRoom.charge(size);
        move(client, bytes);
        long now = kept(client);
        InvariantViolation.check(
                bytes == 0 || now <= share || (now <= max && pooled <= pool),
                "the results that are kept have their room");
    }

    /**
     * Counts a result that found room once, perhaps under other bounds: between two runs of a cluster they may be
     * lowered, and clients be added. Then nothing more finds room until enough is let go.
     */
    void addLoaded(int client, int size) {
        move(client, ResultRoom.charge(size));
    }

    void remove(int client, int size) {
        move(client, -ResultRoom.charge(size));
    }

    private void move(int client, long bytes) {
        if (bytes == 0) {
            return;
        }
        long before = kept(client);
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

    private long kept(int client) {
        return kept.getOrDefault(client, 0L);
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

    /**
     * Whether what the client keeps may be in the way of what it asks for: more than half of what it may keep is taken,
     * or others leave it hardly more than its share.
     */
    boolean isPressed(int client) {
        return kept(client) > max / 2 || (kept(client) > 0 && isPoolPressed());
    }

    private boolean isPoolPressed() {
        return pooled > pool / 2;
    }

    /** The clients that hold what others may need, where more than half of that is taken; in ascending order. */
    List<Integer> pressing() {
        List<Integer> clients = new ArrayList<>();
        if (isPoolPressed()) {
            kept.forEach((client, bytes) -> {
                if (bytes > share) {
                    clients.add(client);
                }
            });
        }
        return clients;
    }

    /** What the results of these clients find. */
    ResultRoom room(Set<Integer> clients) {
        TreeMap<Integer, Long> theirs = new TreeMap<>();
        for (int client : clients) {
            if (kept(client) > 0) {
                theirs.put(client, kept(client));
            }
        }
        return new ResultRoom(share, max, pool, pooled, theirs);
    }
}
