package io.pbft.client;

import java.security.SecureRandom;

/**
 * Names for sessions: 44 bits of milliseconds since 1970 and 20 random bits, growing. Two processes with one key collide only
 * if they begin a session in the same millisecond and draw the same of a million numbers. NOT thread-safe.
 */
final class SessionEpochs {
    private static final int RANDOM_BITS = 20;

    private final SecureRandom random = new SecureRandom();
    private long last;

    long next() {
        long drawn = System.currentTimeMillis() << RANDOM_BITS | random.nextInt(1 << RANDOM_BITS);
        last = Math.max(last + 1, drawn);
        return last;
    }
}
