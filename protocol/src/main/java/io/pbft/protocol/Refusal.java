package io.pbft.protocol;

/** A replica does not take a request now. A hint that nobody signs: only f + 1 replicas' hints say something. */
public record Refusal(long epoch, long number, Reason reason) implements Message {
    /** Why, with the byte that stands for it on the wire. */
    public enum Reason {
        OVERLOADED(1),
        SESSION_EXPIRED(2);

        private final byte code;

        Reason(int code) {
            this.code = (byte) code;
        }

        public byte code() {
            return code;
        }
    }

    @Override
    public MessageType type() {
        return MessageType.REFUSAL;
    }
}
