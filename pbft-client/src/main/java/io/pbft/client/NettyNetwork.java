package io.pbft.client;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.PublicKey;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.NodeId;
import io.pbft.transport.FrameHandler;
import io.pbft.transport.Inbound;
import io.pbft.transport.Lane;
import io.pbft.transport.Transport;
import io.pbft.transport.TransportConfig;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** The real network: a {@link Transport} that dials every replica. Thread-safe. */
final class NettyNetwork implements Network, FrameHandler {
    private final Transport transport;
    private volatile Listener listener = new Nobody();

    /** The connection over which each replica was heard last. */
    private final AtomicReferenceArray<@Nullable Inbound> heard;

    /** @param shared threads that others use as well; empty: threads of its own */
    NettyNetwork(ClientConfig config, Optional<ClientThreads> shared) {
        ClusterConfig cluster = config.cluster();
        this.heard = new AtomicReferenceArray<>(cluster.replicas().size());
        NodeId self = NodeId.client(config.clientId());
        Map<NodeId, InetSocketAddress> addresses = new TreeMap<>();
        Map<NodeId, PublicKey> keys = new TreeMap<>();
        keys.put(self, cluster.key(self));
        for (ClusterConfig.ReplicaInfo replica : cluster.replicas()) {
            NodeId node = NodeId.replica(replica.id());
            addresses.put(node, InetSocketAddress.createUnresolved(replica.host(), replica.port()));
            keys.put(node, replica.publicKey());
        }
        try {
            TransportConfig wanted = TransportConfig.client(self, config.privateKey(), addresses, keys);
            this.transport = shared.map(threads -> new Transport(wanted, this, threads.transport()))
                    .orElseGet(() -> new Transport(wanted, this));
        } catch (IllegalArgumentException e) {
            throw new ConfigException(String.valueOf(e.getMessage()), e);
        }
    }

    @Override
    public void start(Listener to) {
        listener = to;
        transport.start();
    }

    @Override
    public boolean send(int replica, Bytes frame) {
        return transport.send(NodeId.replica(replica), Lane.BULK, frame);
    }

    @Override
    public void pause(int replica) {
        Inbound connection = heard.get(replica);
        if (connection != null) {
            connection.pauseReading();
        }
    }

    @Override
    public void resume(int replica) {
        Inbound connection = heard.get(replica);
        if (connection != null) {
            connection.resumeReading();
        }
    }

    @Override
    public ScheduledExecutorService executor() {
        return transport.executor();
    }

    @Override
    public boolean isOnExecutor() {
        return transport.isOnExecutor();
    }

    @Override
    public void close() {
        listener = new Nobody();
        transport.close();
    }

    @Override
    public void onFrame(Inbound from, Bytes frame) {
        heard.lazySet(from.peer().index(), from);
        listener.onFrame(from.peer().index(), frame);
    }

    @Override
    public void onPeer(NodeId peer, boolean up) {
        listener.onConnection(peer.index(), up);
    }

    /** Who listens before the start and after the end. */
    private static final class Nobody implements Listener {
        @Override
        public void onFrame(int replica, Bytes frame) {}

        @Override
        public void onConnection(int replica, boolean up) {}
    }
}
