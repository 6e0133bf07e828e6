package io.pbft.client;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.crypto.SignatureScheme;
import io.pbft.crypto.Signer;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Limits;
import io.pbft.protocol.NodeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;

/**
 * Which cluster, as which client, and within which bounds. Immutable; the {@code with} methods return changed copies.
 *
 * @param cluster the cluster, as in {@code cluster.json}
 * @param clientId the client's place in it
 * @param privateKey the client's private key (seed), {@link Ed25519#PRIVATE_KEY_SIZE} bytes
 * @param outstandingMax operations and reads that may be outstanding at the same time
 * @param outstandingBytesMax the bytes of them together, at least one operation of the largest size
 * @param whenFull what a call does while so much is outstanding
 * @param deadline how long an operation or a read may take, where the call does not say
 * @param closeTimeout how long {@link PbftClient#close} waits for what is outstanding
 * @param callbacks runs what depends on the futures, so that it cannot hold up the client's own thread
 */
public record ClientConfig(
        ClusterConfig cluster,
        int clientId,
        Bytes privateKey,
        int outstandingMax,
        int outstandingBytesMax,
        WhenFull whenFull,
        Duration deadline,
        Duration closeTimeout,
        Executor callbacks) {

    /** What a call does while as much is outstanding as is allowed. */
    public enum WhenFull {
        /** Waits for room, until the operation's deadline. */
        WAIT,
        /** Fails at once with an {@link OverloadedException}. */
        FAIL_FAST
    }

    /** {@link #outstandingMax()} where nothing else is said: as many numbers as a session has by default. */
    public static final int OUTSTANDING_MAX = 4_096;

    /** {@link #outstandingBytesMax()} where nothing else is said, in bytes. */
    public static final int OUTSTANDING_BYTES_MAX = 64 << 20;

    /** {@link #deadline()} where nothing else is said: enough for several view changes. */
    public static final Duration DEADLINE = Duration.ofSeconds(30);

    /** {@link #closeTimeout()} where nothing else is said. */
    public static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

    /** The file of a client's private key, in its folder. */
    public static final String KEY_FILE = "key.pem";

    /** For what is done once: it loads nothing. */
    private static final SignatureScheme SCHEME = new Ed25519();

    /** For all clients of a process, loaded with the first of them. */
    private static final class Accelerated {
        static final SignatureScheme SCHEME = Ed25519.accelerated();
    }

    public ClientConfig {
        require(outstandingMax >= 1 && outstandingMax <= 1 << 20, "outstandingMax", "1 to 1048576", outstandingMax);
        require(
                outstandingBytesMax >= Limits.OPERATION_BYTES_MAX && outstandingBytesMax <= 1 << 30,
                "outstandingBytesMax",
                Limits.OPERATION_BYTES_MAX + " to 1073741824",
                outstandingBytesMax);
        require(isPositive(deadline), "deadline", "a time above 0 and below 292 years", deadline);
        require(isPositive(closeTimeout), "closeTimeout", "a time above 0 and below 292 years", closeTimeout);
        NodeId self = NodeId.client(clientId);
        if (clientId < 0 || !cluster.has(self)) {
            throw new NotAuthorisedException(
                    "client " + clientId + " is not in the cluster's configuration, which knows "
                            + cluster.clients().size() + " clients, from 0 on");
        }
        if (!signer(privateKey).publicKey().equals(cluster.key(self))) {
            throw new NotAuthorisedException("the private key given for client " + clientId
                    + " does not belong to the public key by which the cluster's configuration knows that client");
        }
    }

    /** A configuration with the bounds that are the constants of this class. */
    public static ClientConfig of(ClusterConfig cluster, int clientId, Bytes privateKey) {
        return new ClientConfig(
                cluster,
                clientId,
                privateKey,
                OUTSTANDING_MAX,
                OUTSTANDING_BYTES_MAX,
                WhenFull.WAIT,
                DEADLINE,
                CLOSE_TIMEOUT,
                ForkJoinPool.commonPool());
    }

    /**
     * The same with the key out of a file.
     *
     * @throws ConfigException when the file is missing, is open to others, or holds no private key
     */
    public static ClientConfig of(ClusterConfig cluster, int clientId, Path keyFile) {
        try {
            return of(cluster, clientId, KeyFiles.readPrivate(keyFile));
        } catch (KeyFiles.KeyFileException e) {
            throw new ConfigException(String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * Reads {@code cluster.json} and {@code client-J/key.pem} out of a cluster's directory.
     *
     * @throws ConfigException when one of them is missing or wrong
     * @throws NotAuthorisedException when the cluster does not know the client, or not by this key
     */
    public static ClientConfig fromDirectory(Path directory, int clientId) {
        if (!Files.isDirectory(directory)) {
            throw new ConfigException(
                    directory + " is not a directory; \"pbft init --dir " + directory + "\" makes one");
        }
        ClusterConfig cluster;
        try {
            cluster = ClusterConfig.read(directory.resolve("cluster.json"), SCHEME);
        } catch (io.pbft.protocol.ConfigException e) {
            throw new ConfigException(String.valueOf(e.getMessage()), e);
        }
        if (!cluster.has(NodeId.client(clientId))) {
            throw new NotAuthorisedException("client " + clientId + " is not in " + directory.resolve("cluster.json")
                    + ", which knows " + cluster.clients().size() + " clients, from 0 on");
        }
        return of(cluster, clientId, directory.resolve("client-" + clientId).resolve(KEY_FILE));
    }

    /** The same with other bounds: see {@link #outstandingMax()} and {@link #outstandingBytesMax()}. */
    public ClientConfig withOutstandingMax(int operations, int bytes) {
        return new ClientConfig(
                cluster, clientId, privateKey, operations, bytes, whenFull, deadline, closeTimeout, callbacks);
    }

    /** The same, waiting or failing at once when it is full: see {@link #whenFull()}. */
    public ClientConfig withWhenFull(WhenFull choice) {
        return new ClientConfig(
                cluster,
                clientId,
                privateKey,
                outstandingMax,
                outstandingBytesMax,
                choice,
                deadline,
                closeTimeout,
                callbacks);
    }

    /** The same with another {@link #deadline()}. */
    public ClientConfig withDeadline(Duration time) {
        return new ClientConfig(
                cluster,
                clientId,
                privateKey,
                outstandingMax,
                outstandingBytesMax,
                whenFull,
                time,
                closeTimeout,
                callbacks);
    }

    /** The same with another {@link #closeTimeout()}. */
    public ClientConfig withCloseTimeout(Duration time) {
        return new ClientConfig(
                cluster,
                clientId,
                privateKey,
                outstandingMax,
                outstandingBytesMax,
                whenFull,
                deadline,
                time,
                callbacks);
    }

    /** The same with another executor for what depends on the futures: see {@link #callbacks()}. */
    public ClientConfig withCallbacks(Executor executor) {
        return new ClientConfig(
                cluster,
                clientId,
                privateKey,
                outstandingMax,
                outstandingBytesMax,
                whenFull,
                deadline,
                closeTimeout,
                executor);
    }

    Signer signer() {
        return Accelerated.SCHEME.signer(privateKey);
    }

    SignatureScheme scheme() {
        return Accelerated.SCHEME;
    }

    /** Names the cluster and the client; never the key. */
    @Override
    public String toString() {
        return "client " + clientId + " of cluster " + cluster.clusterId();
    }

    private static Signer signer(Bytes privateKey) {
        require(
                privateKey.size() == Ed25519.PRIVATE_KEY_SIZE,
                "privateKey",
                Ed25519.PRIVATE_KEY_SIZE + " bytes",
                privateKey.size());
        return SCHEME.signer(privateKey);
    }

    private static boolean isPositive(Duration time) {
        return !time.isNegative() && !time.isZero() && time.toSeconds() < Long.MAX_VALUE / 1_000_000_000L;
    }

    private static void require(boolean holds, String field, String expected, Object found) {
        if (!holds) {
            throw new ConfigException(field + ": expected " + expected + ", found " + found);
        }
    }
}
