package io.pbft.transport;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pbft.crypto.Bytes;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The frames that wait for one connection: two lanes, each bounded in frames and in bytes, each dropping its oldest
 * frame when a new one finds it full. The oldest, because the protocol repeats what still matters, and what is newer
 * supersedes what is older more often than the other way round. Thread-safe; a lock held for a few instructions, as
 * many threads add and the bound on bytes has to hold exactly.
 */
final class Outbox {
    private final Object lock = new Object();
    private final TransportConfig.Queue limits;

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

    Outbox(TransportConfig.Queue limits) {
        this.limits = limits;
    }

    /**
     * Adds a frame. One that is larger than the lane has it to itself.
     *
     * @return how many older frames were dropped for it, or -1 when the outbox is closed and the frame is not taken
     */
    int offer(Lane lane, Bytes frame) {
        synchronized (lock) {
            if (closed) {
                return -1;
            }
            return lane == Lane.PRIORITY ? offerPriority(frame) : offerBulk(frame);
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
            bulkBytes -= bulk.removeFirst().size();
            dropped++;
        }
        bulk.addLast(frame);
        bulkBytes += frame.size();
        return dropped;
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
                bulk.removeFirst();
                bulkBytes -= next.size();
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
        synchronized (lock) {
            int waiting = priority.size() + bulk.size();
            closed = true;
            priority.clear();
            bulk.clear();
            priorityBytes = 0;
            bulkBytes = 0;
            return waiting;
        }
    }
}
