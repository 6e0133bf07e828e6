package io.pbft.replica.server;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Message;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NodeId;
import io.pbft.replica.Outbox;
import io.pbft.transport.Lane;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Encodes messages and queues them with the transport, each on its lane. Thread-safe. */
final class TransportOutbox implements Outbox {
    private static final Logger LOG = LoggerFactory.getLogger(TransportOutbox.class);

    /** The part of the transport that this needs. */
    @FunctionalInterface
    interface Sender {
        boolean send(NodeId to, Lane lane, Bytes frame);
    }

    private final List<NodeId> others;
    private final Sender sender;
    private volatile boolean stopped;

    TransportOutbox(int self, int replicas, Sender sender) {
        this.others = java.util.stream.IntStream.range(0, replicas)
                .filter(replica -> replica != self)
                .mapToObj(NodeId::replica)
                .toList();
        this.sender = sender;
    }

    /** All other replicas, in ascending order. */
    List<NodeId> others() {
        return others;
    }

    @Override
    public void send(NodeId to, Message message) {
        send(to, message.type(), Bytes.wrap(Codec.encode(message)));
    }

    @Override
    public void broadcast(Message message) {
        Bytes frame = Bytes.wrap(Codec.encode(message));
        for (NodeId to : others) {
            send(to, message.type(), frame);
        }
    }

    /** Nothing leaves from now on. */
    void stop() {
        stopped = true;
    }

    private void send(NodeId to, MessageType type, Bytes frame) {
        if (stopped) {
            return;
        }
        try {
            sender.send(to, lane(type), frame);
        } catch (IllegalArgumentException e) {
            // Every message of ours fits by its own limits; one that does not must not stop the ones that do.
            LOG.error("a {} for {} was not sent: {}", type, to, e.getMessage());
        }
    }

    /** What unsticks a cluster under load overtakes what loads it. */
    static Lane lane(MessageType type) {
        return switch (type) {
            case CHECKPOINT, VIEW_CHANGE, NEW_VIEW, STATUS, STABLE_PROOF -> Lane.PRIORITY;
            case REQUEST,
                    PRE_PREPARE,
                    PREPARE,
                    COMMIT,
                    REPLY_ROOT,
                    PROPOSAL,
                    REPLY,
                    REPLY_FETCH,
                    REFUSAL,
                    READ_REQUEST,
                    READ_REPLY,
                    DECISION,
                    BATCH_FETCH,
                    BATCH_BODY,
                    STATE_FETCH,
                    STATE_NODES -> Lane.BULK;
        };
    }
}
