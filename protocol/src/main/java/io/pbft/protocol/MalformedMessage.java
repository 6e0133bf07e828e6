package io.pbft.protocol;

/**
 * Bytes that are no canonical encoding of anything. What a peer sent is data: the receiver counts the reason and
 * drops the frame. Carries no stack trace, so that throwing it costs a hostile peer's victim next to nothing.
 */
public final class MalformedMessage extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why: one reason for each message, so that they can be counted. */
    public enum Reason {
        /** A field, or what a count or a length announces, does not fit in what is left of the frame. */
        TRUNCATED,
        /** Bytes after the end of the message. */
        TRAILING_BYTES,
        /** The first byte is no {@link MessageType}'s code. */
        UNKNOWN_TYPE,
        /** A byte that stands for one of a few values stands for none of them. */
        UNKNOWN_CODE,
        /** A number outside of its range. */
        OUT_OF_RANGE,
        /** A count above its limit. */
        TOO_MANY,
        /** A length above its limit. */
        TOO_LONG,
        /** A list that is ordered, and is not. */
        OUT_OF_ORDER
    }

    private final transient Reason reason;

    public MalformedMessage(Reason reason, String detail) {
        super(reason + ": " + detail, null, false, false);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
