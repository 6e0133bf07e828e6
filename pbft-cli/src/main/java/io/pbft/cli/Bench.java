package io.pbft.cli;

import io.pbft.cli.load.Load;
import io.pbft.cli.load.ProcessUsage;
import io.pbft.client.ClientConfig;
import io.pbft.client.ClientThreads;
import io.pbft.client.PbftClient;
import io.pbft.client.ReadMode;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.kv.KvOperation;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** {@link Load} on a running cluster, and what it cost the replicas that run on this machine. */
final class Bench implements AutoCloseable {
    static final int WRITE = 0;
    static final int READ = 1;

    private static final Bytes READ_KEY = Bytes.utf8("bench/read");
    private static final int REPORT_SECONDS = 1;

    private final ClientThreads threads =
            ClientThreads.of(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    private final ClusterFolder folder;
    private final ClusterConfig cluster;
    private final Plan plan;
    private final Consumer<String> progress;
    private final List<PbftClient> clients = new ArrayList<>();
    private final List<SplittableRandom> randoms = new ArrayList<>();
    private final List<Bytes> writes = new ArrayList<>();
    private final Bytes read = new KvOperation.Get(READ_KEY).encode();

    /**
     * @param outstanding of each client, in a closed loop
     * @param size bytes of the value of a write
     * @param replySize bytes of the value that reads return
     * @param readShare of the operations that are reads, from 0 to 1
     * @param perSecond 0: a closed loop
     */
    record Plan(
            int outstanding,
            int size,
            int replySize,
            double readShare,
            ReadMode readMode,
            double perSecond,
            int warmUpSeconds,
            int seconds) {}

    /** @param replicas those of this machine, for the measured time */
    record Result(Load.Measured measured, List<ReplicaCost> replicas, double clientCpuSeconds) {}

    Bench(
            ClusterFolder folder,
            ClusterConfig cluster,
            List<ClientConfig> identities,
            Plan plan,
            Consumer<String> progress) {
        this.folder = folder;
        this.cluster = cluster;
        this.plan = plan;
        this.progress = progress;
        identities.forEach(identity -> clients.add(PbftClient.connect(identity, threads)));
        byte[] bytes = new byte[plan.size()];
        new SplittableRandom(plan.size()).nextBytes(bytes);
        Bytes value = Bytes.wrap(bytes);
        for (int i = 0; i < workers(); i++) {
            Bytes key = Bytes.utf8("bench/" + i % clients.size() + "/" + i / clients.size());
            writes.add(new KvOperation.Put(key, value).encode());
            randoms.add(new SplittableRandom(i));
        }
    }

    private int workers() {
        return clients.size() * plan.outstanding();
    }

    Result run() throws InterruptedException {
        clients.get(0).call(new KvOperation.Put(READ_KEY, Bytes.wrap(new byte[plan.replySize()])).encode());
        try (Load load = new Load(2, this::begin)) {
            if (plan.perSecond() > 0) {
                load.startOpen(plan.perSecond(), workers());
            } else {
                load.startClosed(workers());
            }
            pass(load, "warm-up", plan.warmUpSeconds());
            List<ReplicaCost.Sample> before = ReplicaCost.sample(folder, cluster);
            ProcessUsage own = ProcessUsage.of(ProcessHandle.current().pid());
            load.beginMeasuring();
            pass(load, "measured", plan.seconds());
            Load.Measured measured = load.endMeasuring();
            ProcessUsage ownCost =
                    ProcessUsage.of(ProcessHandle.current().pid()).since(own);
            List<ReplicaCost> costs =
                    ReplicaCost.between(before, ReplicaCost.sample(folder, cluster), measured.operations());
            return new Result(measured, costs, ownCost.cpuSeconds());
        }
    }

    private void pass(Load load, String phase, int seconds) throws InterruptedException {
        long last = load.answered();
        for (int i = 0; i < seconds; i += REPORT_SECONDS) {
            TimeUnit.SECONDS.sleep(REPORT_SECONDS);
            long now = load.answered();
            progress.accept(phase + " " + (i + REPORT_SECONDS) + "/" + seconds + " s: " + (now - last) / REPORT_SECONDS
                    + " operations/s");
            last = now;
        }
    }

    private Load.Started begin(int worker) {
        PbftClient client = clients.get(worker % clients.size());
        boolean reads = plan.readShare() > 0 && randoms.get(worker).nextDouble() < plan.readShare();
        CompletableFuture<?> answer = reads ? client.read(read, plan.readMode()) : client.submit(writes.get(worker));
        return new Load.Started(reads ? READ : WRITE, answer);
    }

    @Override
    public void close() {
        clients.forEach(PbftClient::close);
        threads.close();
    }
}
