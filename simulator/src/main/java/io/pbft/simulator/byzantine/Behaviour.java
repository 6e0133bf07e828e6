package io.pbft.simulator.byzantine;

import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;

/**
 * One way of not being correct. A Byzantine replica runs the correct core; its behaviours stand between that core and the
 * network, one behind the other, and change, withhold, delay or make up what goes out, receiver by receiver, and decide what
 * comes in. They sign with the replica's own key and with no other. NOT thread-safe.
 */
abstract class Behaviour {
    /** The core, or the behaviour before this one, says {@code message} to {@code to}. Passing it on unchanged is honest. */
    void outgoing(NodeId to, Message message, Way way) {
        way.pass(to, message);
    }

    /** Whether the core gets to hear this message. */
    boolean hears(NodeId from, Message message, Way way) {
        return true;
    }

    /** Each tick of the replica's clock. */
    void tick(Way way) {}
}
