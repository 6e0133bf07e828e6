package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.util.List;
import java.util.Optional;

/**
 * Results of one client's operations out of one signed tree (TOCS'02, section 2.3.1, REPLY).
 *
 * @param items the client's leaves, in ascending order of {@code index}
 */
public record Reply(Signed<ReplyRoot> root, List<Item> items) implements Message {
    /**
     * One leaf with its place.
     *
     * @param result the result in full, or empty: then the leaf's digest stands for it
     * @param path the inclusion path of leaf {@code index} (RFC 9162, section 2.1.3)
     */
    public record Item(ReplyLeaf leaf, Optional<Bytes> result, int index, List<Digest> path) {
        public Item {
            path = List.copyOf(path);
        }
    }

    public Reply {
        items = List.copyOf(items);
    }

    @Override
    public MessageType type() {
        return MessageType.REPLY;
    }
}
