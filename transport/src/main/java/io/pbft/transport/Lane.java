package io.pbft.transport;

/**
 * The two lanes to a peer. A frame of {@link #PRIORITY} overtakes every frame of {@link #BULK} that still waits in the
 * queue of its connection; within a lane order is kept.
 */
public enum Lane {
    /** View changes, checkpoints: small, rare, and what a cluster under load is unstuck by. */
    PRIORITY,
    /** Everything else. */
    BULK
}
