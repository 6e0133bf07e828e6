package io.pbft.client.core;

/** Why a ticket has no answer. */
public enum Failure {
    /** It was never sent, so it is certain that it is not executed and never will be. */
    NOT_SENT,
    /** Too much waits already; it was never sent. */
    OVERLOADED,
    /** It was sent and may be executed, now or later, once; or never. */
    UNKNOWN,
    /** It failed as {@link #UNKNOWN} before, and now its place went to another: its outcome will not become known any more. */
    GIVEN_UP,
    /** It was sent, and then the replicas forgot the session: whether it was executed cannot be learned any more. */
    SESSION_LOST,
    /** A read without an answer: nothing has happened. */
    READ_UNANSWERED
}
