package io.pbft.protocol;

/**
 * The type of a message, with the byte that stands for it on the wire and in signed payloads. Switch expressions over
 * this enum have no default branch, so that a new type breaks the build until every handler knows it.
 */
public enum MessageType {
    REQUEST(1),
    PRE_PREPARE(2),
    PREPARE(3),
    COMMIT(4),
    CHECKPOINT(5),
    VIEW_CHANGE(6),
    NEW_VIEW(7),
    REPLY_ROOT(8),

    PROPOSAL(20),
    REPLY(21),
    REPLY_FETCH(22),
    REFUSAL(23),
    READ_REQUEST(24),
    READ_REPLY(25),
    STATUS(26),
    DECISION(27),
    STABLE_PROOF(28),
    BATCH_FETCH(29),
    BATCH_BODY(30),
    STATE_FETCH(31),
    STATE_NODES(32);

    private final byte code;

    MessageType(int code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }
}
