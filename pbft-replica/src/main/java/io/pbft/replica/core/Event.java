package io.pbft.replica.core;

/** What a core notes, by name: operators read it in the log, tests wait for it, the simulator counts it as a probe. */
public enum Event {
    /** The status changed: into a view, out of it, into or out of recovery. */
    STATUS_CHANGED,
    REQUEST_TIMED_OUT,
    VIEW_CHANGE_TIMED_OUT,
    JOINED_VIEW_CHANGE,
    VIEW_ENTERED,
    NULL_REQUEST_PROPOSED,
    BATCH_FETCHED,
    CHECKPOINT_STABLE,
    CHECKPOINT_DIVERGED,
    STATE_TRANSFER_STARTED,
    STATE_TRANSFER_FINISHED,
    /** A source sent a part of the state that is not the certified one; the detail names it. */
    STATE_SOURCE_BANNED,
    /** A source of a state transfer is left out for a while; the detail names it. */
    STATE_SOURCE_SLOW,
    DECISION_LEARNED,
    PRIMARY_SUSPECTED,
    EQUIVOCATION
}
