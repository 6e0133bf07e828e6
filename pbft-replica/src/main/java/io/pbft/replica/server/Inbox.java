package io.pbft.replica.server;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pbft.protocol.Verified;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits for the core's thread: its own completions, of which none is ever dropped and whose number the core itself
 * bounds, and before them in nobody's way, the messages of others, which {@link Admission} bounds. Completions come first: they
 * are what the messages wait for.
 *
 * <p>Thread-safe: many put, one drains.
 */
final class Inbox implements Executor {
    /** A verified message with the size of its frame. */
    record Admitted(Verified<?> message, int bytes) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();

    @GuardedBy("lock")
    private final Deque<Runnable> own = new ArrayDeque<>();

    @GuardedBy("lock")
    private final Deque<Admitted> messages = new ArrayDeque<>();

    /** Runs {@code completion} on the core's thread, after those that came before it. */
    @Override
    public void execute(Runnable completion) {
        lock.lock();
        try {
            own.add(completion);
            filled.signal();
        } finally {
            lock.unlock();
        }
    }

    void put(Admitted message) {
        lock.lock();
        try {
            messages.add(message);
            filled.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Moves all completions and at most {@code messagesMax} messages to the ends of the lists, waiting for the first of either
     * for at most {@code waitNanos}. An interrupt ends the waiting.
     */
    void drain(List<Runnable> completions, List<Admitted> taken, int messagesMax, long waitNanos) {
        lock.lock();
        try {
            long left = waitNanos;
            while (own.isEmpty() && messages.isEmpty() && left > 0) {
                left = filled.awaitNanos(left);
            }
            completions.addAll(own);
            own.clear();
            for (int i = 0; i < messagesMax && !messages.isEmpty(); i++) {
                taken.add(messages.remove());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /** Messages that wait now. */
    int size() {
        lock.lock();
        try {
            return messages.size();
        } finally {
            lock.unlock();
        }
    }

    /** How long {@link #drain} may wait when the next tick is due at {@code dueNanos}. */
    static long untilNanos(long dueNanos, long nowNanos) {
        return Math.max(0, Math.min(dueNanos - nowNanos, TimeUnit.SECONDS.toNanos(1)));
    }
}
