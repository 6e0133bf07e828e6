package io.pbft.replica;

import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;

/**
 * Where messages leave. Neither method blocks or throws for what the network does: a message that cannot be sent now is
 * dropped, and the protocol repeats what is owed.
 *
 * <p>The driver's thread calls it, and so does the executor that the driver was given for replies.
 */
public interface Outbox {
    void send(NodeId to, Message message);

    /** To all other replicas. */
    void broadcast(Message message);
}
