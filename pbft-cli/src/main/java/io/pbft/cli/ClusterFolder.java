package io.pbft.cli;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.ClusterConfig.ClientInfo;
import io.pbft.protocol.ClusterConfig.ReplicaInfo;
import io.pbft.protocol.Limits;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.replica.server.ReplicaFolder;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;

/**
 * The directory of a cluster: {@code cluster.json}, and a folder for each replica and client of this machine with its
 * private key. Whoever holds a folder is that replica or client; {@code cluster.json} is for everybody.
 */
record ClusterFolder(Path path) {
    private static final int PORT_MAX = 65_535;

    /** What a new cluster is to be. */
    record Plan(String host, List<Integer> ports, int clients) {
        Plan {
            ports = List.copyOf(ports);
        }

        /** @throws CliException when there can be no such cluster */
        static Plan of(int replicas, int clients, String host, int basePort) {
            if (replicas < Limits.REPLICAS_MIN) {
                throw CliException.usage("--replicas: expected at least " + Limits.REPLICAS_MIN + ", found " + replicas
                        + "; to survive f faulty replicas takes 3f + 1 of them, so 4 for one");
            }
            within("--replicas", replicas, Limits.REPLICAS_MIN, Limits.REPLICAS_MAX);
            within("--clients", clients, 1, Limits.CLIENTS_MAX);
            within("--base-port", basePort, 1, PORT_MAX - replicas + 1);
            List<Integer> ports = new ArrayList<>();
            for (int i = 0; i < replicas; i++) {
                ports.add(basePort + i);
            }
            return new Plan(host, ports, clients);
        }

        private static void within(String option, int value, int min, int max) {
            if (value < min || value > max) {
                throw CliException.usage(option + ": expected " + min + " to " + max + ", found " + value);
            }
        }
    }

    Path configFile() {
        return path.resolve("cluster.json");
    }

    boolean hasConfig() {
        return Files.exists(configFile());
    }

    Path replica(int id) {
        return path.resolve("replica-" + id);
    }

    Path client(int id) {
        return path.resolve("client-" + id);
    }

    /** @throws CliException when there is no cluster here */
    ClusterConfig read() {
        requireDirectory();
        if (!Files.exists(path)) {
            throw CliException.usage(
                    "there is no directory " + path + "; make a cluster with: pbft init --dir " + path);
        }
        if (!hasConfig()) {
            throw CliException.usage(
                    "there is no cluster.json in " + path + "; make a cluster with: pbft init --dir " + path);
        }
        return ClusterConfig.read(configFile(), new Ed25519());
    }

    /**
     * Makes a cluster: random id, keys with mode 0600 in folders with mode 0700, and at the end {@code cluster.json}.
     *
     * @throws CliException when there is one already, or the directory cannot be written; nothing is ever overwritten
     */
    ClusterConfig create(Plan plan) {
        requireDirectory();
        try {
            Files.createDirectories(path);
            requireUnused();
            SecureRandom random = new SecureRandom();
            List<ReplicaInfo> replicas = new ArrayList<>();
            for (int i = 0; i < plan.ports().size(); i++) {
                replicas.add(new ReplicaInfo(i, plan.host(), plan.ports().get(i), newKey(replica(i), random)));
                ReplicaFolder.of(path, i).markNew();
            }
            List<ClientInfo> clients = new ArrayList<>();
            for (int i = 0; i < plan.clients(); i++) {
                clients.add(new ClientInfo(i, newKey(client(i), random)));
            }
            byte[] clusterId = new byte[Digest.SIZE];
            random.nextBytes(clusterId);
            ClusterConfig config = new ClusterConfig(
                    Digest.copyOf(clusterId, 0, Digest.SIZE), replicas, clients, ProtocolParameters.DEFAULT);
            Path temporary = path.resolve("cluster.json.new");
            config.write(temporary);
            Files.move(temporary, configFile());
            return config;
        } catch (FileAlreadyExistsException e) {
            throw CliException.usage(
                    e.getFile() + " came into being while this cluster was made; is another pbft init" + " at work in "
                            + path + "? Nothing was overwritten",
                    e);
        } catch (IOException e) {
            throw CliException.usage(
                    "cannot make a cluster in " + path + ": " + e
                            + "; the directory must be writable and its disk must have room",
                    e);
        }
    }

    private static io.pbft.crypto.PublicKey newKey(Path folder, SecureRandom random) throws IOException {
        Files.createDirectory(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Bytes privateKey = Ed25519.newPrivateKey(random);
        KeyFiles.writePrivate(folder.resolve("key.pem"), privateKey);
        return new Ed25519().signer(privateKey).publicKey();
    }

    private void requireDirectory() {
        if (Files.exists(path) && !Files.isDirectory(path)) {
            throw CliException.usage(path + " is a file, not a directory; name the directory of a cluster");
        }
    }

    private void requireUnused() throws IOException {
        if (hasConfig()) {
            throw CliException.usage(
                    "there is a cluster in " + path + " already, and it is not overwritten; run it with:"
                            + " pbft up --dir " + path + ", or name another directory");
        }
        try (DirectoryStream<Path> left = Files.newDirectoryStream(path, "{replica,client}-*")) {
            for (Path folder : left) {
                throw CliException.usage(
                        folder + " is left from a cluster whose cluster.json is gone, and may hold a key;"
                                + " restore cluster.json, or move the folders replica-* and client-* away");
            }
        }
    }
}
