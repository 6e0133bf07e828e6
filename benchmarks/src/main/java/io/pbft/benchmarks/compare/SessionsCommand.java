package io.pbft.benchmarks.compare;

import io.pbft.client.ClientConfig;
import io.pbft.client.ClientThreads;
import io.pbft.client.PbftClient;
import io.pbft.client.kv.KvClient;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.protocol.ClusterConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code benchmarks/run sessions}. */
@Command(
        name = "sessions",
        mixinStandardHelpOptions = true,
        description = {
            "What a session takes of memory: a cluster of four processes, and as many identities as are asked for in",
            "this process, each with its connections and one session, in which it writes once. Heap after a full",
            "collection with them, less that before, divided by their number; once more after all have gone."
        },
        footer = {"Example:", "  benchmarks/run sessions --dir /tmp/sessions --count 200"})
public final class SessionsCommand implements Callable<Integer> {
    private static final Pattern TOTAL = Pattern.compile("(?m)^Total\\s+\\d+\\s+(\\d+)");
    private static final int COLLECTIONS = 3;

    @Option(
            names = "--dir",
            required = true,
            paramLabel = "DIR",
            description = "An empty or missing directory for the cluster.")
    private Path directory;

    @Option(names = "--count", paramLabel = "N", defaultValue = "200", description = "Sessions (${DEFAULT-VALUE}).")
    private int count;

    /** Bytes of live objects: of this process, and of a replica on average. */
    private record Heaps(long here, long replica) {
        static Heaps measure(List<Long> replicas) throws IOException, InterruptedException {
            long all = 0;
            for (long pid : replicas) {
                all += live(pid);
            }
            return new Heaps(live(), all / replicas.size());
        }

        private static long live() {
            for (int i = 0; i < COLLECTIONS; i++) {
                System.gc();
            }
            return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        }

        /** A histogram of another JVM begins with a full collection. */
        private static long live(long pid) throws IOException, InterruptedException {
            String jcmd =
                    Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
            Process process = new ProcessBuilder(jcmd, Long.toString(pid), "GC.class_histogram")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor();
            Matcher total = TOTAL.matcher(said);
            if (!total.find()) {
                throw new IOException(jcmd + " says nothing of the heap of process " + pid + ": " + said.strip());
            }
            return Long.parseLong(total.group(1));
        }
    }

    @Override
    public Integer call() throws Exception {
        try (PbftService service = PbftService.start(PbftService.Variant.of("pbft"), directory, count + 1)) {
            ClusterConfig cluster = ClusterConfig.read(directory.resolve("cluster.json"), new Ed25519());
            List<PbftClient> clients = new ArrayList<>();
            try (ClientThreads threads = ClientThreads.of(1)) {
                // The first one brings what is there once, however many follow.
                clients.add(begin(cluster, count, threads));
                Heaps before = Heaps.measure(service.pids());
                for (int id = 0; id < count; id++) {
                    clients.add(begin(cluster, id, threads));
                }
                Heaps with = Heaps.measure(service.pids());
                clients.forEach(PbftClient::close);
                clients.clear();
                Heaps after = Heaps.measure(service.pids());
                print("with its connections", before, with);
                print("after its client has gone", before, after);
            }
        }
        return 0;
    }

    private PbftClient begin(ClusterConfig cluster, int id, ClientThreads threads) {
        Path key = directory.resolve("client-" + id).resolve(ClientConfig.KEY_FILE);
        PbftClient client = PbftClient.connect(ClientConfig.of(cluster, id, key), threads);
        new KvClient(client).increment(Bytes.utf8("session/" + id), 1);
        return client;
    }

    private void print(String when, Heaps before, Heaps now) {
        System.out.printf(
                Locale.ROOT,
                "%d sessions, of one %s: %.1f KB in the client's process, %.1f KB in a replica%n",
                count,
                when,
                (now.here() - before.here()) / 1e3 / count,
                (now.replica() - before.replica()) / 1e3 / count);
    }
}
