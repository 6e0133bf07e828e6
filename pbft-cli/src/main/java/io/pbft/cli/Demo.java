package io.pbft.cli;

import com.google.errorprone.annotations.FormatMethod;
import io.pbft.client.ClientConfig;
import io.pbft.client.Receipt;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.protocol.ClusterConfig;
import io.pbft.replica.server.ReplicaStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** The story of the demonstration: load, a killed backup, a killed primary, and what had to hold all the while. */
final class Demo {
    private static final Duration OPERATION_DEADLINE = Duration.ofSeconds(30);
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private static final long STAGE_NANOS_MAX = TimeUnit.SECONDS.toNanos(6);
    private static final long STAGE_OPERATIONS_MIN = 50;

    private final DemoCluster cluster;
    private final int clients;
    private final int workersPerClient;
    private final long operations;
    private final long secondsMax;
    private final Consumer<String> progress;
    private final long begun = System.nanoTime();
    private final List<DemoReport.Check> checks = new ArrayList<>();

    /** @param secondsMax for the whole of it: a machine on which it takes longer shows nothing */
    Demo(
            DemoCluster cluster,
            int clients,
            int workersPerClient,
            long operations,
            long secondsMax,
            Consumer<String> progress) {
        this.cluster = cluster;
        this.clients = clients;
        this.workersPerClient = workersPerClient;
        this.operations = operations;
        this.secondsMax = secondsMax;
        this.progress = progress;
    }

    DemoReport run() throws InterruptedException {
        ClusterConfig config = cluster.config();
        say(
                "a new cluster of %d replicas, of which %d may fail in any way, in %s",
                config.replicas().size(),
                config.quorum().faulty(),
                cluster.folder().path());
        config.replicas().forEach(replica -> cluster.start(replica.id()));
        await("all replicas to be up", () -> cluster.ask().stream().allMatch(ReplicaRow::works));
        say("%d replica processes are up", config.replicas().size());
        try (DemoWorkload load = new DemoWorkload(identities(), workersPerClient)) {
            return run(load);
        }
    }

    private DemoReport run(DemoWorkload load) throws InterruptedException {
        load.start();
        long loadBegun = System.nanoTime();
        say("%d clients with %d operations outstanding each begin", clients, workersPerClient);
        awaitAnswered(load, operations / 6);
        DemoReport.Kill backup = kill(load, "a backup", (primary(cluster.ask()) + 2) % 4);
        awaitAnswered(load, load.answered() + operations / 6);
        DemoReport.Kill primary = kill(load, "the primary", primary(cluster.ask()));
        awaitAnswered(load, Math.max(operations, load.answered() + operations / 6));
        double seconds = (System.nanoTime() - loadBegun) / 1e9;
        load.stop();
        say("%,d operations are done; comparing", load.answered());
        check("answered", "every operation was answered", load.unanswered());
        check("results", "every result is the one that the model predicts", load.mistakes());
        boolean usable = !load.hasFailed();
        check("counter", "the shared counter counted every increment once", usable ? load.checkCounter() : skipped());
        check("state", "the service holds exactly what was written", usable ? load.checkState() : skipped());
        if (usable) {
            checkReceipt(load.receipt());
        }
        DemoReport.Agreement agreement = agree();
        return new DemoReport(
                cluster.config().replicas().size(),
                cluster.config().quorum().faulty(),
                clients,
                DemoReport.Load.of(load.answered(), seconds, load.latencyMicros()),
                backup,
                primary,
                agreement,
                checks);
    }

    private List<ClientConfig> identities() {
        List<ClientConfig> identities = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            identities.add(ClientConfig.of(
                            cluster.config(), i, cluster.folder().client(i).resolve("key.pem"))
                    .withDeadline(OPERATION_DEADLINE));
        }
        return identities;
    }

    /** Kills a replica, goes on for a while without it, restarts it, and waits until it has caught up. */
    private DemoReport.Kill kill(DemoWorkload load, String what, int id) {
        long viewBefore = view(cluster.ask());
        long after = load.answered();
        load.pauses().reset();
        cluster.kill(id);
        say("%,d operations; killed replica %d, %s (SIGKILL)", after, id, what);
        awaitAnswered(load, after + operations / 6);
        double pause = load.pauses().longestMillis();
        say(
                "%,d operations without it; the longest wait of the clients was %.0f ms; restarting it",
                load.answered() - after, pause);
        long goal = furthest(cluster.ask());
        long restarted = System.nanoTime();
        long pid = cluster.start(id).pid();
        await("replica " + id + " to catch up", () -> {
            requireNoFailure(load);
            ReplicaRow row = ReplicaRow.ask(cluster.folder(), id);
            return row.works() && row.answer().pid() == pid && row.answer().lastExecuted() >= goal;
        });
        long catchUpMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - restarted);
        say("replica %d is back: start and catching up took %.1f s", id, catchUpMillis / 1e3);
        return new DemoReport.Kill(id, after, viewBefore, view(cluster.ask()), pause, catchUpMillis);
    }

    private void checkReceipt(Receipt receipt) {
        Receipt.Verdict verdict = receipt.verify(cluster.config(), new Ed25519());
        check(
                "receipt",
                "a receipt convinces with nothing but cluster.json",
                optional(verdict.valid(), verdict.reason()));
        Receipt forged = new Receipt(
                receipt.clusterId(), receipt.leaf(), receipt.operation(), Bytes.utf8("forged"), receipt.trees());
        check(
                "forgery",
                "the same receipt with another result does not",
                optional(!forged.verify(cluster.config(), new Ed25519()).valid(), "a forged receipt was believed"));
    }

    /** In a system at rest all replicas come to the same state, those that were away too. */
    private DemoReport.Agreement agree() {
        boolean all = true;
        try {
            await("all replicas to agree", () -> agrees(cluster.ask()));
        } catch (CliException e) {
            all = false;
        }
        List<ReplicaRow> rows = cluster.ask();
        List<String> standings = new ArrayList<>();
        for (ReplicaRow row : rows) {
            ReplicaStatus status = row.status();
            standings.add("replica " + row.id()
                    + (status == null
                            ? ": " + row.problem()
                            : " at " + status.lastExecuted() + " with root " + status.stateRoot()));
        }
        check("agreement", "all replicas ended in the same state", all ? List.of() : standings);
        String root = rows.stream()
                .filter(ReplicaRow::works)
                .findFirst()
                .map(row -> row.answer().stateRoot())
                .orElse("");
        return new DemoReport.Agreement(view(rows), furthest(rows), root, all);
    }

    private static boolean agrees(List<ReplicaRow> rows) {
        if (!rows.stream().allMatch(ReplicaRow::works)) {
            return false;
        }
        ReplicaStatus first = rows.get(0).answer();
        return rows.stream()
                .map(ReplicaRow::answer)
                .allMatch(status -> status.lastExecuted() == first.lastExecuted()
                        && status.stateRoot().equals(first.stateRoot()));
    }

    private static int primary(List<ReplicaRow> rows) {
        long view = view(rows);
        return (int) (view % rows.size());
    }

    /** The view that most of those at work are in: a quorum of them is in one view while the service runs. */
    private static long view(List<ReplicaRow> rows) {
        List<Long> views = new ArrayList<>();
        rows.stream()
                .filter(ReplicaRow::works)
                .forEach(row -> views.add(row.answer().view()));
        views.sort(null);
        return views.isEmpty() ? 0 : views.get(views.size() / 2);
    }

    private static long furthest(List<ReplicaRow> rows) {
        return rows.stream()
                .filter(ReplicaRow::works)
                .mapToLong(row -> row.answer().lastExecuted())
                .max()
                .orElse(0);
    }

    private static Optional<String> optional(boolean holds, String problem) {
        return holds ? Optional.empty() : Optional.of(problem);
    }

    private static Optional<String> skipped() {
        return Optional.of("not looked at, as the load failed");
    }

    private void check(String name, String sentence, Optional<String> problem) {
        check(name, sentence, problem.stream().toList());
    }

    private void check(String name, String sentence, List<String> problems) {
        checks.add(new DemoReport.Check(name, sentence, problems.isEmpty(), String.join("; ", problems)));
    }

    /** A stage of the load. On a slow machine it ends early, so that the whole still ends in time. */
    private void awaitAnswered(DemoWorkload load, long count) {
        long first = load.answered();
        long begunNanos = System.nanoTime();
        await(count + " answered operations", () -> {
            requireNoFailure(load);
            long answered = load.answered();
            boolean late = System.nanoTime() - begunNanos > STAGE_NANOS_MAX;
            return answered >= count || (late && answered >= first + STAGE_OPERATIONS_MIN);
        });
    }

    private static void requireNoFailure(DemoWorkload load) {
        if (load.hasFailed()) {
            List<String> problems = new ArrayList<>(load.unanswered());
            problems.addAll(load.mistakes());
            throw CliException.failed("the load failed: " + String.join("; ", problems));
        }
    }

    private void await(String what, BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(secondsMax)) {
                throw CliException.failed(
                        "waited in vain for " + what + ": the demonstration ends after " + secondsMax + " s");
            }
            for (ClusterConfig.ReplicaInfo replica : cluster.config().replicas()) {
                requireNotRefused(replica.id());
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** A replica that could not even start has said why. */
    private void requireNotRefused(int id) {
        Integer code = cluster.process(id).ended().getNow(null);
        if (code != null && code <= Exit.UNREACHABLE) {
            throw CliException.failed("replica " + id + " " + ReplicaProcess.describeExit(code));
        }
    }

    @FormatMethod
    private void say(String format, Object... values) {
        double seconds = (System.nanoTime() - begun) / 1e9;
        progress.accept(String.format(Locale.ROOT, "%5.1f s  ", seconds) + String.format(Locale.ROOT, format, values));
    }
}
