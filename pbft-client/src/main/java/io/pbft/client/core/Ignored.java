package io.pbft.client.core;

/** Why something that a replica sent changed nothing. Counted, by these names. */
public enum Ignored {
    /** It did not come from a replica of the cluster. */
    NOT_A_REPLICA,
    /** A type of message that clients have no use for. */
    WRONG_TYPE,
    /** For another client. */
    WRONG_CLIENT,
    /** Of another session of this client. */
    WRONG_SESSION,
    /** The operation was answered already, or given up. */
    ALREADY_DONE,
    /** For a number that was never sent. */
    NEVER_SENT,
    /** About other bytes than those that were submitted under this number. */
    WRONG_OPERATION,
    /** The same again. */
    REPEATED,
    /** This replica said something else before: one of the two is a lie. */
    CONTRADICTION,
    /** More bytes than are kept for one replica: the digest was taken, the bytes dropped. */
    TOO_MUCH_HELD,
    /** A read of which nothing is known (any more). */
    UNKNOWN_READ
}
