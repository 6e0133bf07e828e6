package io.pbft.transport;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.NodeId;

/**
 * Who receives frames and the news of peers. Called on event-loop threads, which serve many connections: never block in
 * here. The frames of one connection come one after the other, in their order; different connections may call at the
 * same time when there is more than one event loop.
 */
public interface FrameHandler {
    /**
     * A frame has arrived; it is not empty. A handler that cannot keep up pauses the connection through {@code from}:
     * no further frame of it comes until it is resumed, and the sender's own queue fills up instead of memory here.
     */
    void onFrame(Inbound from, Bytes frame);

    /**
     * A connection with {@code peer} has come up (also when it joins or replaces another one), or the last one has
     * gone. A broken connection is reported as soon as it is noticed: at once when the peer's process dies, after the
     * read idle time when the network goes silent, after resuming when reading is paused. These calls are serialised,
     * whatever the number of event loops.
     */
    void onPeer(NodeId peer, boolean up);
}
