package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;

/**
 * The replicated state as an operation may change it. It is kept, digested, made durable at checkpoints and transferred on
 * the application's behalf. A change is seen by the next read. Valid only during the call that it was handed to; not
 * thread-safe.
 *
 * <p>Keys have 1 to {@link io.pbft.protocol.Limits#KEY_BYTES_MAX} bytes, values 0 to
 * {@link io.pbft.protocol.Limits#VALUE_BYTES_MAX}; a longer one is refused with an {@link IllegalArgumentException}, the same
 * on every replica.
 */
public interface State extends StateView {
    void put(Bytes key, Bytes value);

    /** Whether there was something to delete. */
    boolean delete(Bytes key);
}
