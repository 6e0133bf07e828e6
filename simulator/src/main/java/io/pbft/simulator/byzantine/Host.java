package io.pbft.simulator.byzantine;

import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Sealer;
import java.util.Optional;

/**
 * Where a Byzantine replica lives: a simulated world, or a process of its own. What a {@link Liar} needs of it, and no more: its
 * own key, time, chance and a way out. NOT thread-safe.
 */
interface Host {
    int self();

    int replicas();

    /** Signs with the replica's own key, and with no other. */
    Sealer sealer();

    /** Microseconds since the world, or the process, began. */
    long nowMicros();

    /** Brings {@code message} on its way, {@code delayMicros} later than now. */
    void send(NodeId to, Message message, long delayMicros);

    /** Whether the behaviour at {@code stage} lies about this: the same question gets the same answer. */
    boolean dares(double probability, int stage, NodeId to, long about);

    /** 64 bits of chance for the behaviour at {@code stage}. */
    long chance(int stage, long about, long which);

    /** What this replica shares with those that it colludes with. */
    Conspiracy conspiracy();

    /** See {@link Way#lie}; {@code honest} is what it was to say, where it was to say something. */
    void lied(NodeId to, Message message, String behaviour, Optional<Message> honest);

    void withheld(NodeId to, Message message, String behaviour);

    void delayed(NodeId to, Message message, long micros, String behaviour);

    /** Takes the replica down for good. */
    void die();
}
