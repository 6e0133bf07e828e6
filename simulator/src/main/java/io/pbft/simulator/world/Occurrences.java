package io.pbft.simulator.world;

import java.util.Arrays;

/** Counts how often each 64-bit key was seen: an open-addressing table of primitives. NOT thread-safe. */
final class Occurrences {
    private long[] keys = new long[1_024];
    private int[] counts = new int[1_024];
    private int used;

    /** How often {@code key} was seen before; counts this time. */
    int next(long key) {
        long k = key == 0 ? 1 : key;
        int mask = keys.length - 1;
        int at = (int) Mix.mix(k) & mask;
        while (keys[at] != k) {
            if (keys[at] == 0) {
                keys[at] = k;
                if (++used * 2 > keys.length) {
                    grow();
                    return next(key);
                }
                break;
            }
            at = at + 1 & mask;
        }
        return counts[at]++;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldCounts = counts;
        keys = new long[oldKeys.length * 2];
        counts = new int[oldKeys.length * 2];
        Arrays.fill(keys, 0);
        int mask = keys.length - 1;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != 0) {
                int at = (int) Mix.mix(oldKeys[i]) & mask;
                while (keys[at] != 0) {
                    at = at + 1 & mask;
                }
                keys[at] = oldKeys[i];
                counts[at] = oldCounts[i];
            }
        }
    }
}
