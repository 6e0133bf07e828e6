package io.pbft.transport;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pbft.crypto.Bytes;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The frames that wait for one connection: two lanes, each bounded in frames and in bytes, each dropping its oldest
 * frame when a new one finds it full. The oldest, because the protocol repeats what still matters, and what is newer
 * supersedes what is older more often than the other way round. The bulk lanes of several connections may share room
 * besides. Thread-safe; a lock held for a few instructions, as many threads add and a lane's bound has to hold exactly.
 */
final class Outbox {
    private final Object lock = new Object();
    private final TransportConfig.Queue limits;
    private final SharedRoom room;

    @GuardedBy("lock")
    private final ArrayDeque<Bytes> priority = new ArrayDeque<>();

    @GuardedBy("lock")
    private final ArrayDeque<Bytes> bulk = new ArrayDeque<>();

    @GuardedBy("lock")
    private long priorityBytes;

    @GuardedBy("lock")
    private long bulkBytes;

    @GuardedBy("lock")
    private boolean closed;

    /** @param room of the bulk lane and of others */
    Outbox(TransportConfig.Queue limits, SharedRoom room) {
        this.limits = limits;
        this.room = room;
        room.enter(this);
    }

    /**
     * Adds a frame. One that is larger than the lane has it to itself.
     *
     * @return how many frames were dropped for it, here or in lanes that share the room, or -1 when the outbox is closed
     *     and the frame is not taken
     */
    int offer(Lane lane, Bytes frame) {
        int elsewhere = lane == Lane.BULK ? room.make(frame.size()) : 0;
        synchronized (lock) {
            if (closed) {
                return -1;
            }
            return elsewhere + (lane == Lane.PRIORITY ? offerPriority(frame) : offerBulk(frame));
        }
    }

    @GuardedBy("lock")
    private int offerPriority(Bytes frame) {
        int dropped = 0;
        while (priority.size() >= limits.framesMax()
                || (!priority.isEmpty() && priorityBytes + frame.size() > limits.bytesMax())) {
            priorityBytes -= priority.removeFirst().size();
            dropped++;
        }
        priority.addLast(frame);
        priorityBytes += frame.size();
        return dropped;
    }

    @GuardedBy("lock")
    private int offerBulk(Bytes frame) {
        int dropped = 0;
        while (bulk.size() >= limits.framesMax() || (!bulk.isEmpty() && bulkBytes + frame.size() > limits.bytesMax())) {
            removeBulk(bulk.removeFirst());
            dropped++;
        }
        bulk.addLast(frame);
        bulkBytes += frame.size();
        room.add(frame.size());
        return dropped;
    }

    /** What waits in the bulk lane. */
    long bulkBytes() {
        synchronized (lock) {
            return bulkBytes;
        }
    }

    /** @return whether there was one */
    boolean dropOldestBulk() {
        synchronized (lock) {
            if (bulk.isEmpty()) {
                return false;
            }
            removeBulk(bulk.removeFirst());
            return true;
        }
    }

    @GuardedBy("lock")
    private void removeBulk(Bytes frame) {
        bulkBytes -= frame.size();
        room.add(-frame.size());
    }

    /** Takes the next frame, or null when there is none or it is larger than {@code sizeMax}. */
    @Nullable
    Bytes poll(int sizeMax) {
        synchronized (lock) {
            boolean fromPriority = !priority.isEmpty();
            Bytes next = fromPriority ? priority.peekFirst() : bulk.peekFirst();
            if (next == null || next.size() > sizeMax) {
                return null;
            }
            if (fromPriority) {
                priority.removeFirst();
                priorityBytes -= next.size();
            } else {
                removeBulk(bulk.removeFirst());
            }
            return next;
        }
    }

    boolean isEmpty() {
        synchronized (lock) {
            return priority.isEmpty() && bulk.isEmpty();
        }
    }

    /** Takes no more frames. @return how many were waiting */
    int close() {
        room.leave(this);
        synchronized (lock) {
            int waiting = priority.size() + bulk.size();
            closed = true;
            priority.clear();
            bulk.clear();
            priorityBytes = 0;
            room.add(-bulkBytes);
            bulkBytes = 0;
            return waiting;
        }
    }
}
