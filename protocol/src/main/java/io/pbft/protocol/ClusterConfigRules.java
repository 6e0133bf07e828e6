package io.pbft.protocol;

import io.pbft.crypto.PublicKey;
import io.pbft.protocol.ClusterConfig.ClientInfo;
import io.pbft.protocol.ClusterConfig.ReplicaInfo;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What must hold between the parts of a {@link ClusterConfig}. */
final class ClusterConfigRules {
    private static final int HOST_CHARS_MAX = 255;

    private ClusterConfigRules() {}

    /** @throws ConfigException that names {@code file} and the field */
    static void check(
            String file, List<ReplicaInfo> replicas, List<ClientInfo> clients, ProtocolParameters parameters) {
        size(file, "replicas", replicas.size(), Limits.REPLICAS_MIN, Limits.REPLICAS_MAX);
        size(file, "clients", clients.size(), 0, Limits.CLIENTS_MAX);
        Map<String, String> addresses = new TreeMap<>();
        Map<String, String> keys = new TreeMap<>();
        for (int i = 0; i < replicas.size(); i++) {
            ReplicaInfo replica = replicas.get(i);
            String path = "replicas[" + i + "]";
            id(file, path, replica.id(), i);
            host(file, path, replica.host());
            if (replica.port() < 1 || replica.port() > 65_535) {
                throw new ConfigException(
                        file, path + ".port", "expected a port from 1 to 65535, found " + replica.port());
            }
            String twin = addresses.putIfAbsent(replica.address(), path);
            if (twin != null) {
                throw new ConfigException(
                        file,
                        path,
                        "expected an address of its own, found " + replica.address() + ", which is also " + twin
                                + "'s");
            }
            key(file, path, keys, replica.publicKey());
        }
        for (int i = 0; i < clients.size(); i++) {
            String path = "clients[" + i + "]";
            id(file, path, clients.get(i).id(), i);
            key(file, path, keys, clients.get(i).publicKey());
        }
        frame(file, new Quorum(replicas.size()), parameters);
    }

    private static void size(String file, String path, int found, int min, int max) {
        if (found < min || found > max) {
            throw new ConfigException(file, path, "expected " + min + " to " + max + " of them, found " + found);
        }
    }

    private static void id(String file, String path, int found, int expected) {
        if (found != expected) {
            throw new ConfigException(
                    file, path + ".id", "expected " + expected + " (ids count from 0, in order), found " + found);
        }
    }

    private static void host(String file, String path, String host) {
        boolean fits = !host.isEmpty() && host.length() <= HOST_CHARS_MAX;
        if (!fits || host.chars().anyMatch(c -> c <= ' ' || c == 0x7f || c == '/')) {
            throw new ConfigException(
                    file, path + ".host", "expected a host name or an IP address, found \"" + host + "\"");
        }
    }

    private static void key(String file, String path, Map<String, String> keys, PublicKey key) {
        String twin = keys.putIfAbsent(key.toString(), path);
        if (twin != null) {
            throw new ConfigException(
                    file,
                    path + ".publicKey",
                    "expected a key of its own, found " + key + ", which is also " + twin + "'s");
        }
    }

    /** A view change must be able to succeed however full the window is: its largest message fits in a frame. */
    private static void frame(String file, Quorum quorum, ProtocolParameters parameters) {
        long bytes = Codec.newViewBytesMax(quorum, parameters.window());
        if (bytes > Limits.FRAME_BYTES_MAX) {
            int fits = parameters.window();
            while (Codec.newViewBytesMax(quorum, fits) > Limits.FRAME_BYTES_MAX) {
                fits--;
            }
            throw new ConfigException(
                    file,
                    "parameters.window",
                    "expected at most " + fits + " with " + quorum.replicas() + " replicas, found "
                            + parameters.window() + ": a NEW-VIEW could take " + bytes
                            + " bytes, and a frame has at most "
                            + Limits.FRAME_BYTES_MAX);
        }
    }
}
