package io.pbft.transport;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.NodeId;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * A small cluster's worth of keys, and the transports that a test has started; real sockets on the loopback address.
 */
final class Net implements AutoCloseable {
    /** Short pauses between dials, so that tests that wait for one do not wait long; nothing else depends on it. */
    static final TransportConfig.Timing TIMING = new TransportConfig.Timing(10_000, 500, 30_000, 10, 100);

    static final NodeId R0 = NodeId.replica(0);
    static final NodeId R1 = NodeId.replica(1);
    static final NodeId R2 = NodeId.replica(2);
    static final NodeId R3 = NodeId.replica(3);
    static final NodeId C0 = NodeId.client(0);
    static final NodeId C1 = NodeId.client(1);

    final Map<NodeId, PublicKey> keys = new TreeMap<>();
    final Map<NodeId, InetSocketAddress> addresses = new TreeMap<>();
    private final List<Transport> transports = new ArrayList<>();

    Net() {
        for (NodeId node : List.of(R0, R1, R2, R3, C0, C1)) {
            keys.put(node, publicKey(seed(node)));
        }
    }

    static Bytes seed(NodeId node) {
        return Digest.of(Bytes.utf8("test key of " + node)).toBytes();
    }

    static PublicKey publicKey(Bytes seed) {
        return new Ed25519().signer(seed).publicKey();
    }

    TransportConfig config(NodeId self) {
        InetSocketAddress here =
                addresses.getOrDefault(self, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Optional<InetSocketAddress> listen = self.isReplica() ? Optional.of(here) : Optional.empty();
        return new TransportConfig(
                self,
                seed(self),
                listen,
                addresses,
                keys,
                TIMING,
                TransportConfig.Admission.DEFAULT,
                TransportConfig.Queue.REPLICA_DEFAULT,
                TransportConfig.Queue.CLIENT_DEFAULT,
                1);
    }

    Transport start(NodeId self, FrameHandler handler) {
        return start(self, handler, config -> config);
    }

    /** Starts a node; one that listens is found by those that start after it. */
    Transport start(NodeId self, FrameHandler handler, UnaryOperator<TransportConfig> change) {
        Transport transport = new Transport(change.apply(config(self)), handler);
        transports.add(transport);
        transport.start();
        if (self.isReplica()) {
            addresses.put(self, transport.listenAddress());
        }
        return transport;
    }

    @Override
    public void close() {
        transports.forEach(Transport::close);
    }
}
