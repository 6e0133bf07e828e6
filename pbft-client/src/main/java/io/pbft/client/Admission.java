package io.pbft.client;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Bounds what is outstanding: operations and their bytes. Those who wait are let in in the order of their coming.
 * Thread-safe.
 */
final class Admission {
    /** How an attempt ended. */
    enum Entry {
        ADMITTED,
        FULL,
        CLOSED,
        INTERRUPTED
    }

    private final Semaphore operations;
    private final Semaphore bytes;
    private volatile boolean closed;

    /** @param bytesMax at least the size of one operation: otherwise that one would wait for ever */
    Admission(int operationsMax, int bytesMax) {
        this.operations = new Semaphore(operationsMax, true);
        this.bytes = new Semaphore(bytesMax, true);
    }

    /**
     * Takes room for one operation, to be given back by {@link #leave}.
     *
     * @param waitNanos how long to wait for room at most; 0: not at all
     */
    Entry enter(int size, long waitNanos) {
        long start = System.nanoTime();
        try {
            if (!operations.tryAcquire(1, waitNanos, TimeUnit.NANOSECONDS)) {
                return closed ? Entry.CLOSED : Entry.FULL;
            }
            long left = Math.max(0, waitNanos - (System.nanoTime() - start));
            if (!bytes.tryAcquire(size, left, TimeUnit.NANOSECONDS)) {
                operations.release();
                return closed ? Entry.CLOSED : Entry.FULL;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Entry.INTERRUPTED;
        }
        if (closed) {
            leave(size);
            return Entry.CLOSED;
        }
        return Entry.ADMITTED;
    }

    void leave(int size) {
        operations.release();
        bytes.release(size);
    }

    /** Lets nobody in any more, and lets those go who wait. */
    void close() {
        if (!closed) {
            closed = true;
            operations.release(1 << 29);
            bytes.release(1 << 29);
        }
    }
}
