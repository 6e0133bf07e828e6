package io.pbft.transport;

import io.pbft.protocol.NodeId;

/** The receiving side of one authenticated connection. Thread-safe. */
public interface Inbound {
    /** Who is at the other end: proved by its key, not claimed. */
    NodeId peer();

    /**
     * Stops reading: from {@link FrameHandler#onFrame} no further frame is handed over, from another thread those that
     * are under way still are. Does nothing when reading is paused already.
     */
    void pauseReading();

    /** Goes on reading; does nothing when reading is not paused or the connection is gone. */
    void resumeReading();
}
