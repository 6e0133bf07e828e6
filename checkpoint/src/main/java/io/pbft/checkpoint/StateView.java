package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import java.util.List;
import java.util.Optional;

/**
 * The replicated state as a query may see it: ordered keys and values. Keys compare as unsigned bytes. Valid only during the
 * call that it was handed to; not thread-safe.
 */
public interface StateView {
    Optional<Bytes> get(Bytes key);

    /**
     * The first entries whose keys are at least {@code from} and start with {@code prefix}, in ascending order of key.
     *
     * @param from the first key of interest; empty: from the prefix on
     * @param limit at most so many entries, 0 or more
     */
    List<Entry> scan(Bytes prefix, Bytes from, int limit);

    /** A key and its value. */
    record Entry(Bytes key, Bytes value) {}
}
