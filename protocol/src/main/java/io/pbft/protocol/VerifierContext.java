package io.pbft.protocol;

import io.pbft.crypto.Digest;
import io.pbft.crypto.PublicKey;
import java.util.List;
import java.util.Optional;

/**
 * What a {@link Verifier} knows of the world.
 *
 * @param replicas their keys, by their number
 * @param clients their keys, by their number
 * @param self who verifies: a client takes only replies to itself; empty: replies to anybody, as one who checks
 *     receipts does
 */
public record VerifierContext(
        Digest clusterId,
        Quorum quorum,
        List<PublicKey> replicas,
        List<PublicKey> clients,
        ProtocolParameters parameters,
        Optional<NodeId> self) {
    public VerifierContext {
        replicas = List.copyOf(replicas);
        clients = List.copyOf(clients);
        if (quorum.replicas() != replicas.size()) {
            throw new IllegalArgumentException(quorum.replicas() + " replicas with " + replicas.size() + " keys");
        }
    }

    public static VerifierContext of(ClusterConfig config) {
        return new VerifierContext(
                config.clusterId(),
                config.quorum(),
                config.replicas().stream()
                        .map(ClusterConfig.ReplicaInfo::publicKey)
                        .toList(),
                config.clients().stream()
                        .map(ClusterConfig.ClientInfo::publicKey)
                        .toList(),
                config.parameters(),
                Optional.empty());
    }

    public VerifierContext withSelf(NodeId node) {
        return new VerifierContext(clusterId, quorum, replicas, clients, parameters, Optional.of(node));
    }

    /** Whether the configuration has this node. */
    boolean has(NodeId node) {
        int nodes = node.isReplica() ? replicas.size() : clients.size();
        return node.index() >= 0 && node.index() < nodes;
    }

    /** The key of a node that the configuration {@link #has}. */
    PublicKey key(NodeId node) {
        return node.isReplica() ? replicas.get(node.index()) : clients.get(node.index());
    }
}
