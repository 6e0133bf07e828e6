package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.client.ClientConfig;
import io.pbft.client.PbftClient;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.replica.server.ReplicaStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Kills primaries under steady load, time and again, and measures what clients saw: how long nobody got an answer, and what the
 * throughput was before and after. With several at a time, the next primaries in line die together with the first, so that
 * changes of view fail in a row.
 */
final class Failover implements AutoCloseable {
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long STEP_SECONDS_MAX = 120;

    /** What one kill cost. */
    record Kill(
            List<Integer> replicas,
            long viewBefore,
            long viewAfter,
            double pauseMillis,
            double perSecondBefore,
            double perSecondAfter) {}

    private final DemoCluster cluster;
    private final List<PbftClient> clients = new ArrayList<>();
    private final PauseMeter pauses = new PauseMeter();
    private final AtomicLong answered = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final Consumer<String> progress;
    private final int secondsBetween;
    private volatile boolean stopping;

    Failover(DemoCluster cluster, int secondsBetween, Consumer<String> progress) {
        this.cluster = cluster;
        this.secondsBetween = secondsBetween;
        this.progress = progress;
    }

    /** @param atOnce primaries in line that die together */
    List<Kill> run(int identities, int kills, int atOnce) throws InterruptedException {
        cluster.config().replicas().forEach(replica -> cluster.start(replica.id()));
        await("all replicas to be up", () -> cluster.ask().stream().allMatch(ReplicaRow::works));
        for (int i = 0; i < identities; i++) {
            PbftClient client = PbftClient.connect(ClientConfig.of(
                    cluster.config(), i, cluster.folder().client(i).resolve("key.pem")));
            clients.add(client);
        }
        for (int i = 0; i < identities; i++) {
            submit(clients.get(i), new KvOperation.Increment(Bytes.utf8("failover/" + i), 1).encode());
        }
        progress.accept(identities + " clients with one operation outstanding each; warming up");
        TimeUnit.SECONDS.sleep(2L * secondsBetween);
        List<Kill> done = new ArrayList<>();
        for (int i = 0; i < kills; i++) {
            Kill kill = kill(atOnce);
            done.add(kill);
            progress.accept(String.format(
                    Locale.ROOT,
                    "kill %d of %d: replicas %s, view %d to %d, no answer for %.0f ms; %.0f/s before, %.0f/s after",
                    i + 1,
                    kills,
                    kill.replicas(),
                    kill.viewBefore(),
                    kill.viewAfter(),
                    kill.pauseMillis(),
                    kill.perSecondBefore(),
                    kill.perSecondAfter()));
        }
        stopping = true;
        return done;
    }

    private void submit(PbftClient client, Bytes operation) {
        var unused = client.submit(operation).whenComplete((reply, error) -> {
            if (error != null) {
                failed.incrementAndGet();
                return;
            }
            pauses.answered();
            answered.incrementAndGet();
            if (!stopping) {
                submit(client, operation);
            }
        });
    }

    private Kill kill(int atOnce) throws InterruptedException {
        List<ReplicaRow> rows = cluster.ask();
        int n = rows.size();
        long view = rows.stream()
                .filter(ReplicaRow::works)
                .mapToLong(row -> row.answer().view())
                .max()
                .orElseThrow();
        double before = perSecond();
        List<Integer> victims = new ArrayList<>();
        pauses.reset();
        for (int i = 0; i < atOnce; i++) {
            int victim = (int) ((view + i) % n);
            victims.add(victim);
            cluster.kill(victim);
        }
        long seen = answered.get();
        await("an answer after the kill", () -> answered.get() > seen + clients.size());
        double after = perSecond();
        double pause = pauses.longestMillis();
        List<ReplicaStatus> now = new ArrayList<>();
        cluster.ask().stream().filter(ReplicaRow::works).forEach(row -> now.add(row.answer()));
        long viewAfter = now.stream().mapToLong(ReplicaStatus::view).max().orElse(-1);
        long goal = now.stream().mapToLong(ReplicaStatus::lastExecuted).max().orElse(0);
        victims.forEach(cluster::start);
        await(
                "replicas " + victims + " to catch up",
                () -> victims.stream().allMatch(victim -> {
                    ReplicaRow row = ReplicaRow.ask(cluster.folder(), victim);
                    return row.works() && row.answer().lastExecuted() >= goal;
                }));
        TimeUnit.SECONDS.sleep(secondsBetween);
        return new Kill(victims, view, viewAfter, pause, before, after);
    }

    private double perSecond() throws InterruptedException {
        long begun = System.nanoTime();
        long count = answered.get();
        TimeUnit.SECONDS.sleep(secondsBetween);
        return (answered.get() - count) / ((System.nanoTime() - begun) / 1e9);
    }

    private void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(STEP_SECONDS_MAX);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0 || failed.get() > 0) {
                throw CliException.failed("waited in vain for " + what + " (" + failed.get() + " operations failed)");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    static ObjectNode document(List<Kill> kills) {
        ObjectNode document = Json.object();
        double[] pauses = kills.stream().mapToDouble(Kill::pauseMillis).sorted().toArray();
        document.putObject("pauseMillis")
                .put("min", pauses[0])
                .put("median", pauses[pauses.length / 2])
                .put("p90", pauses[Math.min(pauses.length - 1, pauses.length * 9 / 10)])
                .put("max", pauses[pauses.length - 1]);
        ArrayNode rows = document.putArray("kills");
        for (Kill kill : kills) {
            ObjectNode row = rows.addObject();
            ArrayNode replicas = row.putArray("replicas");
            kill.replicas().forEach(replicas::add);
            row.put("viewBefore", kill.viewBefore());
            row.put("viewAfter", kill.viewAfter());
            row.put("pauseMillis", kill.pauseMillis());
            row.put("perSecondBefore", kill.perSecondBefore());
            row.put("perSecondAfter", kill.perSecondAfter());
        }
        return document;
    }

    @Override
    public void close() {
        stopping = true;
        clients.forEach(PbftClient::close);
    }
}
