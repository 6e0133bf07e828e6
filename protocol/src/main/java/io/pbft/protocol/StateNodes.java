package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import java.util.List;

/**
 * Nodes of the state tree of the checkpoint at {@code seq}: each is checked against the digest that its parent gives
 * for it, up to the certified root.
 *
 * @param available false: this replica does not hold that checkpoint (any more), and there are no nodes
 */
public record StateNodes(long seq, boolean available, List<Node> nodes) implements Message {
    /** A node's path and its content, whose digest its parent holds. */
    public record Node(Bytes path, Bytes content) {}

    public StateNodes {
        nodes = List.copyOf(nodes);
    }

    @Override
    public MessageType type() {
        return MessageType.STATE_NODES;
    }
}
