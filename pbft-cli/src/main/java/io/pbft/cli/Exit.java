package io.pbft.cli;

/** The exit codes of every command. */
final class Exit {
    static final int OK = 0;

    /** The thing asked about does not hold: a check failed, safety was violated, a receipt is wrong, a key is absent. */
    static final int DOES_NOT_HOLD = 1;

    /** Wrong usage or configuration. */
    static final int USAGE = 2;

    /** Not reachable, or timed out with the outcome unknown. */
    static final int UNREACHABLE = 3;

    private Exit() {}
}
