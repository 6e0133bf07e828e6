package io.pbft.client.core;

/**
 * How many bytes of not yet agreed results are kept for each replica, so that f liars cannot fill the memory with results
 * that nobody will believe. NOT thread-safe.
 */
final class HeldBytes {
    private final long[] held;
    private final long max;

    HeldBytes(int replicas, long max) {
        this.held = new long[replicas];
        this.max = max;
    }

    boolean take(int replica, int size) {
        if (held[replica] + size > max) {
            return false;
        }
        held[replica] += size;
        return true;
    }

    void release(int replica, int size) {
        held[replica] -= size;
        if (held[replica] < 0) {
            throw new IllegalStateException("released more bytes than were held for replica " + replica);
        }
    }

    long total() {
        long total = 0;
        for (long bytes : held) {
            total += bytes;
        }
        return total;
    }
}
