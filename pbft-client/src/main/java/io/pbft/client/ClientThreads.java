package io.pbft.client;

import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.transport.TransportThreads;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Threads for many clients in one process, such as a gateway that speaks for a thousand identities. Each client runs on one of
 * them, with its connections; and what one client has verified, no other one of the same cluster verifies again: replicas sign
 * for many clients at a time.
 *
 * <pre>{@code
 *   try (ClientThreads threads = ClientThreads.of(2)) {
 *       PbftClient one = PbftClient.connect(config0, threads);
 *       PbftClient other = PbftClient.connect(config1, threads);
 *   }
 * }</pre>
 *
 * <p>A process with one client has no use for this: {@link PbftClient#connect(ClientConfig)} gives it a thread of its own.
 * Thread-safe.
 */
public final class ClientThreads implements AutoCloseable {
    /** Signatures that are remembered for each cluster, some 250 bytes each. */
    private static final int SIGNATURES_REMEMBERED = 16_384;

    private final TransportThreads transport;
    private final Set<PbftClient> clients = ConcurrentHashMap.newKeySet();
    private final List<ForCluster> clusters = new ArrayList<>();
    private boolean closed;

    private record ForCluster(ClusterConfig cluster, Verifier verifier) {}

    private ClientThreads(int threads) {
        this.transport = new TransportThreads("pbft-clients", threads);
    }

    /** @param threads 1 to 256; more than there are processors is of no use */
    public static ClientThreads of(int threads) {
        if (threads < 1 || threads > 256) {
            throw new ConfigException("threads: expected 1 to 256, found " + threads);
        }
        return new ClientThreads(threads);
    }

    TransportThreads transport() {
        return transport;
    }

    synchronized Verifier verifier(ClientConfig config) {
        NodeId self = NodeId.client(config.clientId());
        for (ForCluster known : clusters) {
            if (known.cluster().equals(config.cluster())) {
                return known.verifier().withSelf(self);
            }
        }
        Verifier verifier = new Verifier(
                VerifierContext.of(config.cluster()).withSelf(self), config.scheme(), SIGNATURES_REMEMBERED);
        clusters.add(new ForCluster(config.cluster(), verifier));
        return verifier;
    }

    synchronized void enter(PbftClient client) {
        if (closed) {
            throw new ClosedException("the threads that the client was to run on are closed");
        }
        clients.add(client);
    }

    void leave(PbftClient client) {
        clients.remove(client);
    }

    /**
     * Closes the clients that still run on these threads, each within its {@link ClientConfig#closeTimeout()}, and then the
     * threads. Not to be called from a callback on one of them.
     */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        List<PbftClient> left = List.copyOf(clients);
        left.forEach(PbftClient::beginToClose);
        left.forEach(PbftClient::close);
        transport.close();
    }
}
