package io.pbft.simulator.world;

import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way. Those who get the same one share the parcel, and with it what the verifier said: all replicas
 * use the same rules and keys, so that one opinion is everybody's. NOT thread-safe.
 */
public final class Parcel {
    private final NodeId from;
    private final Message message;
    private final long key;
    private @Nullable Verdict verdict;

    Parcel(NodeId from, Message message, long key) {
        this.from = from;
        this.message = message;
        this.key = key;
    }

    public NodeId from() {
        return from;
    }

    public Message message() {
        return message;
    }

    /** See {@link MessageKey}. */
    public long key() {
        return key;
    }

    /** What {@code verifier}, which must be that of all its receivers, says of it. */
    public Verdict verdict(Verifier verifier) {
        if (verdict == null) {
            verdict = verifier.verify(from, message);
        }
        return verdict;
    }
}
