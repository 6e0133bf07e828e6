package io.pbft.transport;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pbft.protocol.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The authenticated connections by node. Thread-safe: senders read a concurrent map of immutable lists; a lock
 * serialises changes, so that the handler hears of peers in the order in which they happened.
 *
 * <p>A replica has one connection: the newest, since a replica that dials again has lost the old one whether or not we
 * have noticed. A client identity may be shared by several processes, each with a connection of its own; what is sent
 * to the client goes to all of them, as only they know which one asked. When a client has as many as it may have, the
 * one that has been silent for longest makes room.
 */
final class Connections {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    private final Map<NodeId, List<PeerConnection>> byNode = new ConcurrentHashMap<>();
    private final TransportConfig.Admission admission;
    private final FrameHandler handler;
    private final Object lock = new Object();

    @GuardedBy("lock")
    private int ofClients;

    @GuardedBy("lock")
    private int total;

    Connections(TransportConfig.Admission admission, FrameHandler handler) {
        this.admission = admission;
        this.handler = handler;
    }

    List<PeerConnection> of(NodeId node) {
        return byNode.getOrDefault(node, List.of());
    }

    int size() {
        synchronized (lock) {
            return total;
        }
    }

    /** Closes all that are there now. */
    void closeAll(Incident incident) {
        byNode.values().forEach(present -> present.forEach(connection -> connection.closeSoon(incident)));
    }

    /** Takes a connection in and reports its peer up; false when there are too many of clients already. */
    boolean add(PeerConnection connection) {
        NodeId peer = connection.peer();
        PeerConnection replaced = null;
        synchronized (lock) {
            List<PeerConnection> present = new ArrayList<>(of(peer));
            int most = peer.isReplica() ? 1 : admission.connectionsPerClientMax();
            if (present.size() >= most) {
                replaced = present.stream()
                        .min(Comparator.comparingLong(PeerConnection::lastReadNanos))
                        .orElseThrow();
                present.remove(replaced);
                counted(peer, -1);
            } else if (peer.isClient() && ofClients >= admission.connectionsMax()) {
                return false;
            }
            present.add(connection);
            byNode.put(peer, List.copyOf(present));
            counted(peer, 1);
            report(peer, true);
        }
        if (replaced != null) {
            replaced.closeSoon(Incident.CLOSED_REPLACED);
        }
        return true;
    }

    /**
     * Forgets a connection, and reports its peer down when it was the last; does nothing when it is forgotten already.
     */
    void remove(PeerConnection connection) {
        NodeId peer = connection.peer();
        synchronized (lock) {
            List<PeerConnection> present = new ArrayList<>(of(peer));
            if (!present.remove(connection)) {
                return;
            }
            counted(peer, -1);
            if (present.isEmpty()) {
                byNode.remove(peer);
                report(peer, false);
            } else {
                byNode.put(peer, List.copyOf(present));
            }
        }
    }

    /** A handler that throws must not leave a connection half registered; its failure is logged, not passed on. */
    @GuardedBy("lock")
    private void report(NodeId peer, boolean up) {
        LOG.atLevel(peer.isReplica() ? Level.INFO : Level.DEBUG).log("{} is {}", peer, up ? "up" : "down");
        try {
            handler.onPeer(peer, up);
        } catch (RuntimeException e) {
            LOG.error("the handler failed on the news that {} is {}", peer, up ? "up" : "down", e);
        }
    }

    @GuardedBy("lock")
    private void counted(NodeId peer, int change) {
        total += change;
        ofClients += peer.isClient() ? change : 0;
    }
}
