package io.pbft.cli;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/**
 * The longest time in which no client got an answer to an operation that changes something. Reads do not count: a quorum
 * answers them while a view changes too. Thread-safe.
 */
final class PauseMeter {
    @GuardedBy("this")
    private long lastNanos;

    @GuardedBy("this")
    private long longestNanos;

    /** Begins to measure anew, from now on. */
    synchronized void reset() {
        lastNanos = System.nanoTime();
        longestNanos = 0;
    }

    synchronized void answered() {
        long now = System.nanoTime();
        longestNanos = Math.max(longestNanos, now - lastNanos);
        lastNanos = now;
    }

    /** Since the reset. A pause that goes on counts. */
    synchronized double longestMillis() {
        return Math.max(longestNanos, System.nanoTime() - lastNanos) / 1e6;
    }
}
