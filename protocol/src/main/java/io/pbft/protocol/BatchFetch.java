package io.pbft.protocol;

import io.pbft.crypto.Digest;
import java.util.List;

/** Asks for batches by their digests: at most {@link Limits#FETCH_BATCHES_MAX}. */
public record BatchFetch(List<Digest> digests) implements Message {
    public BatchFetch {
        digests = List.copyOf(digests);
    }

    @Override
    public MessageType type() {
        return MessageType.BATCH_FETCH;
    }
}
