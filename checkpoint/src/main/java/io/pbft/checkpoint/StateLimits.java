package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;

/** What {@link State} refuses, the same on every replica and in every store. */
final class StateLimits {
    private StateLimits() {}

    static void requireKey(Bytes key) {
        if (key.isEmpty() || key.size() > Limits.KEY_BYTES_MAX) {
            throw new IllegalArgumentException("a key has 1 to " + Limits.KEY_BYTES_MAX + " bytes, not " + key.size());
        }
    }

    static void requireValue(Bytes value) {
        if (value.size() > Limits.VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a value has at most " + Limits.VALUE_BYTES_MAX + " bytes, not " + value.size());
        }
    }

    static void requireSystemEntry(Bytes key, Bytes value) {
        requireKey(key);
        if (value.size() > StateTree.VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a system entry has at most " + StateTree.VALUE_BYTES_MAX + " bytes, not " + value.size());
        }
    }
}
