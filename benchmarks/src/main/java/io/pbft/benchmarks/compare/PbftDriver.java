package io.pbft.benchmarks.compare;

import io.pbft.benchmarks.Driver;
import io.pbft.cli.load.Load;
import io.pbft.client.ClientConfig;
import io.pbft.client.ClientThreads;
import io.pbft.client.PbftClient;
import io.pbft.client.ReadMode;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.kv.KvOperation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Clients of this project, with their default settings. An identity connects when it is first needed. */
final class PbftDriver implements Driver {
    /** Identities that connect together: a thousand with four connections each would be a minute of handshakes here. */
    private static final int AT_ONCE = 32;

    private final ClientThreads threads =
            ClientThreads.of(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    private final List<PbftClient> clients = new ArrayList<>();
    private final Path directory;
    private final ClusterConfig cluster;
    private volatile int identities = 1;

    PbftDriver(Path directory) {
        this.directory = directory;
        this.cluster = ClientConfig.fromDirectory(directory, 0).cluster();
    }

    @Override
    public void prepare(int workers, int among) {
        while (clients.size() < among) {
            connect(Math.min(AT_ONCE, among - clients.size()));
        }
        identities = among;
        put(0, Bytes.EMPTY).join();
    }

    private void connect(int more) {
        List<CompletableFuture<?>> answered = new ArrayList<>();
        for (int i = 0; i < more; i++) {
            int id = clients.size();
            Path key = directory.resolve("client-" + id).resolve(ClientConfig.KEY_FILE);
            ClientConfig config = ClientConfig.of(cluster, id, key);
            PbftClient client = PbftClient.connect(
                    config.withOutstandingMax(Load.OPEN_OUTSTANDING_MAX, config.outstandingBytesMax()), threads);
            clients.add(client);
            answered.add(client.submit(new KvOperation.Put(Driver.key(id), Bytes.EMPTY).encode()));
        }
        CompletableFuture.allOf(answered.toArray(CompletableFuture[]::new)).join();
    }

    @Override
    public CompletableFuture<?> put(int worker, Bytes value) {
        return clients.get(worker % identities).submit(new KvOperation.Put(Driver.key(worker), value).encode());
    }

    @Override
    public CompletableFuture<?> read(int worker, Mode mode) {
        return clients.get(worker % identities)
                .read(
                        new KvOperation.Get(Driver.key(worker)).encode(),
                        mode == Mode.FAST ? ReadMode.FAST : ReadMode.ORDERED);
    }

    @Override
    public void close() {
        clients.forEach(PbftClient::close);
        threads.close();
    }
}
