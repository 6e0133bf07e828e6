package io.pbft.protocol;

import io.pbft.crypto.Digest;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.SignatureScheme;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * A cluster, as everybody in it must see it: {@code cluster.json}. Nothing in it is secret.
 *
 * <pre>
 *   {
 *     "clusterId": "64 hexadecimal digits",
 *     "replicas": [{"id": 0, "host": "127.0.0.1", "port": 7000, "publicKey": "64 hexadecimal digits"}, ...],
 *     "clients": [{"id": 0, "publicKey": "64 hexadecimal digits"}, ...],
 *     "parameters": {"window": 256, ...}
 *   }
 * </pre>
 *
 * <p>Replicas and clients stand in the order of their ids, which begin at 0. "parameters" may be left out, whole or
 * in part: {@link ProtocolParameters#DEFAULT} stands for what is missing. Everything else must be there, and nothing
 * else may be.
 *
 * @param clusterId goes into every signature, so that no two clusters take each other's
 */
public record ClusterConfig(
        Digest clusterId, List<ReplicaInfo> replicas, List<ClientInfo> clients, ProtocolParameters parameters) {
    /** The bytes of a file that are read at most: 65,536 clients take 8 MB. */
    static final int FILE_BYTES_MAX = 64 << 20;

    /** A replica, where it listens, and the key that it signs and authenticates with. */
    public record ReplicaInfo(int id, String host, int port, PublicKey publicKey) {
        public String address() {
            return host + ":" + port;
        }
    }

    /** A client and its key. */
    public record ClientInfo(int id, PublicKey publicKey) {}

    /**
     * @throws ConfigException when the parts do not fit together, naming the field; its file is "cluster configuration"
     */
    public ClusterConfig {
        replicas = List.copyOf(replicas);
        clients = List.copyOf(clients);
        ClusterConfigRules.check("cluster configuration", replicas, clients, parameters);
    }

    public Quorum quorum() {
        return new Quorum(replicas.size());
    }

    /** Whether this cluster has the node. */
    public boolean has(NodeId node) {
        int nodes = node.isReplica() ? replicas.size() : clients.size();
        return node.index() >= 0 && node.index() < nodes;
    }

    /** @throws IndexOutOfBoundsException when there is no such node: see {@link #has} */
    public PublicKey key(NodeId node) {
        return node.isReplica()
                ? replicas.get(node.index()).publicKey()
                : clients.get(node.index()).publicKey();
    }

    /**
     * Reads a file.
     *
     * @param scheme checks every public key
     * @throws ConfigException when there is no such file, or it does not hold a configuration
     */
    public static ClusterConfig read(Path file, SignatureScheme scheme) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new ConfigException(file.toString(), "", "expected at most " + FILE_BYTES_MAX + " bytes");
            }
            return parse(file.toString(), Files.readAllBytes(file), scheme);
        } catch (NoSuchFileException e) {
            throw new ConfigException(file.toString(), "", "there is no such file; \"pbft init\" makes one");
        } catch (IOException e) {
            throw new ConfigException(file.toString(), "", "cannot be read: " + e);
        }
    }

    /**
     * Reads what a file holds.
     *
     * @param file its name, for the messages
     * @throws ConfigException when it is not a configuration
     */
    public static ClusterConfig parse(String file, byte[] json, SignatureScheme scheme) {
        return new ClusterConfigJson(file, scheme).parse(json);
    }

    /** Pretty-printed JSON that {@link #parse} takes, with a newline at its end. */
    public String toJson() {
        return ClusterConfigJson.write(this);
    }

    public void write(Path file) throws IOException {
        Files.writeString(file, toJson(), StandardCharsets.UTF_8);
    }
}
