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

/** Clients of this project, with their default settings. */
final class PbftDriver implements Driver {
    private final ClientThreads threads =
            ClientThreads.of(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    private final List<PbftClient> clients = new ArrayList<>();
    private volatile int identities = 1;

    PbftDriver(Path directory, int identities) {
        ClusterConfig cluster = ClientConfig.fromDirectory(directory, 0).cluster();
        for (int i = 0; i < identities; i++) {
            Path key = directory.resolve("client-" + i).resolve(ClientConfig.KEY_FILE);
            ClientConfig config = ClientConfig.of(cluster, i, key);
            clients.add(PbftClient.connect(
                    config.withOutstandingMax(Load.OPEN_OUTSTANDING_MAX, config.outstandingBytesMax()), threads));
        }
    }

    @Override
    public void prepare(int workers, int among) {
        identities = among;
        put(0, Bytes.EMPTY).join();
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
