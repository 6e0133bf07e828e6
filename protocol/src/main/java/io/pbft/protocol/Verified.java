package io.pbft.protocol;

/**
 * A message that has been checked whole: its bounds, every signature in it, every certificate, recursively. The core
 * of a replica accepts nothing else. Only the {@link Verifier} makes one from what a peer sent, and only the {@link
 * Sealer} one from what this replica has just signed itself. Immutable.
 */
public final class Verified<M extends Message> {
    private final NodeId from;
    private final M message;

    Verified(NodeId from, M message) {
        this.from = from;
        this.message = message;
    }

    /** The node at the other end of the connection; oneself for one's own statements. Not always who signed it. */
    public NodeId from() {
        return from;
    }

    public M message() {
        return message;
    }

    public MessageType type() {
        return message.type();
    }

    /** The message, known to be a {@code kind}: a cast that fails loudly. */
    public <T extends Message> T message(Class<T> kind) {
        return kind.cast(message);
    }

    /** The message, known to be a signed statement of {@code kind}. */
    public <S extends Statement> Signed<S> signed(Class<S> kind) {
        return ((Signed<?>) message).as(kind);
    }

    @Override
    public String toString() {
        return "Verified[" + type() + " from " + from + "]";
    }
}
