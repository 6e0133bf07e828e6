package io.pbft.protocol;

/** What became of an ordered operation: the replicas agree on it as they agree on the result. */
public enum Outcome {
    /** The state machine ran it; the result is what it returned. */
    EXECUTED(1),
    /** Not run: its session was forgotten, or is older than every session that is still remembered. */
    SESSION_EXPIRED(2),
    /** Not run: its session claims to have begun later than the agreed time allows. */
    SESSION_IN_FUTURE(3),
    /** Not run: its number lies beyond the session's window. */
    OUT_OF_WINDOW(4),
    /** Not run to its end: the state machine refused it with an error, whose text is the result. */
    FAILED(5),
    /**
     * Without effect: the client keeps so many bytes of results that it has not acknowledged that there was no room
     * for this one's.
     */
    RESULTS_FULL(6);

    private final byte code;

    Outcome(int code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }
}
