package io.pbft.transport;

import java.util.random.RandomGenerator;

/**
 * The pauses between two dials: each is drawn at random from the upper half of a span that doubles up to a limit, so
 * that a cluster that lost a node does not come back to it in step. NOT thread-safe.
 */
final class Backoff {
    private final int millisMin;
    private final int millisMax;
    private final RandomGenerator random;
    private int spanMillis;

    Backoff(int millisMin, int millisMax, RandomGenerator random) {
        this.millisMin = millisMin;
        this.millisMax = millisMax;
        this.random = random;
        this.spanMillis = millisMin;
    }

    /** How long to pause now, in milliseconds. */
    int nextMillis() {
        int half = spanMillis / 2;
        int pause = spanMillis - random.nextInt(half + 1);
        spanMillis = (int) Math.min(2L * spanMillis, millisMax);
        return pause;
    }

    /** A connection has ended that was up for {@code livedMillis}; only one that lived for a while was a success. */
    void connectionLived(long livedMillis) {
        if (livedMillis >= millisMax) {
            spanMillis = millisMin;
        }
    }
}
