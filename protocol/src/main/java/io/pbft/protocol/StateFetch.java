package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import java.util.List;

/**
 * Asks for nodes of the state tree of the checkpoint at {@code seq}, by their paths from the root.
 *
 * @param paths at most {@link Limits#STATE_NODES_MAX}, each of at most {@link Limits#STATE_PATH_BYTES_MAX} bytes
 */
public record StateFetch(long seq, List<Bytes> paths) implements Message {
    public StateFetch {
        paths = List.copyOf(paths);
    }

    @Override
    public MessageType type() {
        return MessageType.STATE_FETCH;
    }
}
