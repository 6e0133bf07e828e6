package io.pbft.transport;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.Limits;
import io.pbft.protocol.NodeId;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a transport needs to know.
 *
 * @param self who this node is
 * @param privateKey its Ed25519 private key (seed)
 * @param listen where it accepts connections, port 0 for any; nothing for a client
 * @param replicas where the replicas are; names are resolved anew at each dial. Of two nodes the greater one dials: see
 *     {@link Transport}
 * @param keys the public key of every node of the cluster, {@code self} included
 * @param threads event-loop threads
 */
public record TransportConfig(
        NodeId self,
        Bytes privateKey,
        Optional<InetSocketAddress> listen,
        Map<NodeId, InetSocketAddress> replicas,
        Map<NodeId, PublicKey> keys,
        Timing timing,
        Admission admission,
        Queue replicaQueue,
        Queue clientQueue,
        int threads) {

    /** The largest frame that a client may send, in bytes: one bundle of requests, with room for its envelope. */
    static final int CLIENT_FRAME_BYTES_MAX = 2 * Limits.REQUEST_BYTES_MAX;

    /** What may wait to be written to all clients together, in bytes: {@link SharedRoom}. */
    static final long TO_CLIENTS_BYTES_MAX = 32L << 20;

    /**
     * Times, in milliseconds.
     *
     * @param handshakeMillisMax from the TCP connection to the end of the handshake
     * @param pingMillis after this long without a frame to a peer it is sent an empty one
     * @param readIdleMillisMax after this long without hearing from a peer the connection is closed
     * @param reconnectMillisMin the first pause before dialling again; it doubles, with jitter, up to
     * @param reconnectMillisMax which is also how long a connection must have lived for the pause to start afresh
     */
    public record Timing(
            int handshakeMillisMax,
            int pingMillis,
            int readIdleMillisMax,
            int reconnectMillisMin,
            int reconnectMillisMax) {
        public static final Timing DEFAULT = new Timing(5_000, 2_000, 10_000, 50, 2_000);

        public Timing {
            require(handshakeMillisMax > 0, "timing.handshakeMillisMax", "positive");
            require(pingMillis > 0, "timing.pingMillis", "positive");
            require(readIdleMillisMax >= 2 * pingMillis, "timing.readIdleMillisMax", "at least twice pingMillis");
            require(reconnectMillisMin > 0, "timing.reconnectMillisMin", "positive");
            require(reconnectMillisMax >= reconnectMillisMin, "timing.reconnectMillisMax", "at least the minimum");
        }
    }

    /**
     * How many connections are let in.
     *
     * @param handshakesMax accepted connections that have not authenticated yet, together
     * @param handshakesPerAddressMax the same from one remote address
     * @param connectionsPerClientMax authenticated connections of one client: that many processes may use one key
     * @param connectionsMax authenticated connections of clients, together; replicas are not counted
     */
    public record Admission(
            int handshakesMax, int handshakesPerAddressMax, int connectionsPerClientMax, int connectionsMax) {
        public static final Admission DEFAULT = new Admission(256, 64, 4, 16_384);

        public Admission {
            require(handshakesMax > 0, "admission.handshakesMax", "positive");
            require(handshakesPerAddressMax > 0, "admission.handshakesPerAddressMax", "positive");
            require(connectionsPerClientMax > 0, "admission.connectionsPerClientMax", "positive");
            require(connectionsMax > 0, "admission.connectionsMax", "positive");
        }
    }

    /**
     * The bounds of one lane of one connection.
     *
     * @param bytesMax the bytes of the frames that wait; a larger frame waits alone
     * @param framesMax their number
     */
    public record Queue(int bytesMax, int framesMax) {
        public static final Queue REPLICA_DEFAULT = new Queue(2 * Limits.FRAME_BYTES_MAX, 65_536);
        public static final Queue CLIENT_DEFAULT = new Queue(4 << 20, 8_192);

        /** From a client to a replica: more than the requests that it may have in flight. */
        public static final Queue FROM_CLIENT_DEFAULT = new Queue(16 << 20, 8_192);

        public Queue {
            require(bytesMax > 0, "queue.bytesMax", "positive");
            require(framesMax > 0, "queue.framesMax", "positive");
        }
    }

    public TransportConfig {
        replicas = Collections.unmodifiableMap(new TreeMap<>(replicas));
        keys = Collections.unmodifiableMap(new TreeMap<>(keys));
        require(threads > 0, "threads", "positive");
        for (NodeId replica : replicas.keySet()) {
            require(replica.isReplica(), "replicas", "addresses of replicas only, not of " + replica);
            require(keys.containsKey(replica), "keys", "with a key for " + replica);
        }
        Map<PublicKey, NodeId> owners = new TreeMap<>((a, b) -> a.encoded().compareTo(b.encoded()));
        keys.forEach((node, key) -> {
            NodeId other = owners.putIfAbsent(key, node);
            require(other == null, "keys", "different for every node; " + other + " and " + node + " share one");
        });
        PublicKey own = new Ed25519().signer(privateKey).publicKey();
        require(
                own.equals(keys.get(self)),
                "privateKey",
                "the one that belongs to the public key registered for " + self);
    }

    private static void require(boolean holds, String field, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(field + " must be " + expected);
        }
    }

    /** A replica with the default limits. */
    public static TransportConfig replica(
            NodeId self,
            Bytes privateKey,
            InetSocketAddress listen,
            Map<NodeId, InetSocketAddress> replicas,
            Map<NodeId, PublicKey> keys) {
        return withDefaults(self, privateKey, Optional.of(listen), replicas, keys);
    }

    /** A client with the default limits. */
    public static TransportConfig client(
            NodeId self, Bytes privateKey, Map<NodeId, InetSocketAddress> replicas, Map<NodeId, PublicKey> keys) {
        return withDefaults(self, privateKey, Optional.empty(), replicas, keys)
                .withQueues(Queue.FROM_CLIENT_DEFAULT, Queue.CLIENT_DEFAULT);
    }

    private static TransportConfig withDefaults(
            NodeId self,
            Bytes privateKey,
            Optional<InetSocketAddress> listen,
            Map<NodeId, InetSocketAddress> replicas,
            Map<NodeId, PublicKey> keys) {
        return new TransportConfig(
                self,
                privateKey,
                listen,
                replicas,
                keys,
                Timing.DEFAULT,
                Admission.DEFAULT,
                Queue.REPLICA_DEFAULT,
                Queue.CLIENT_DEFAULT,
                1);
    }

    public TransportConfig withTiming(Timing other) {
        return new TransportConfig(
                self, privateKey, listen, replicas, keys, other, admission, replicaQueue, clientQueue, threads);
    }

    public TransportConfig withAdmission(Admission other) {
        return new TransportConfig(
                self, privateKey, listen, replicas, keys, timing, other, replicaQueue, clientQueue, threads);
    }

    public TransportConfig withQueues(Queue otherReplicaQueue, Queue otherClientQueue) {
        return new TransportConfig(
                self,
                privateKey,
                listen,
                replicas,
                keys,
                timing,
                admission,
                otherReplicaQueue,
                otherClientQueue,
                threads);
    }

    public TransportConfig withThreads(int other) {
        return new TransportConfig(
                self, privateKey, listen, replicas, keys, timing, admission, replicaQueue, clientQueue, other);
    }

    /** The bounds of a lane to {@code peer}. */
    Queue queueTo(NodeId peer) {
        return peer.isReplica() ? replicaQueue : clientQueue;
    }

    /** The largest frame that {@code peer} may send, in bytes. */
    static int frameBytesMaxFrom(NodeId peer) {
        return peer.isReplica() ? Limits.FRAME_BYTES_MAX : CLIENT_FRAME_BYTES_MAX;
    }

    /** Everything but the private key. */
    @Override
    public String toString() {
        return "TransportConfig[" + self + ", listen=" + listen + ", replicas=" + replicas + ", keys of "
                + keys.size() + " nodes, " + timing + ", " + admission + ", " + replicaQueue + ", " + clientQueue
                + ", threads=" + threads + "]";
    }
}
