package io.pbft.cli;

import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Quorum;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft up}: all replicas of a cluster on this machine, each in its own process, and their output in one. */
@Command(
        name = "up",
        description = {
            "Runs all replicas of a cluster on this machine; makes the cluster first where there is none.",
            "Each is a process of its own; Ctrl-C stops all of them. It goes on while a quorum of them lives."
        },
        footer = {
            "Examples:",
            "  pbft up --dir my-cluster",
            "  pbft up --dir my-cluster --replicas 7 --clients 2 --base-port 9000",
            "",
            "In another terminal:",
            "  pbft put --dir my-cluster greeting hello",
            "  pbft status --dir my-cluster"
        })
final class UpCommand implements Callable<Integer> {
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 250;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ClusterDirOption dir;

    @Option(names = "--replicas", paramLabel = "N", description = "Of a new cluster: replicas, at least 4 (4).")
    private @Nullable Integer replicas;

    @Option(names = "--clients", paramLabel = "N", description = "Of a new cluster: clients (1).")
    private @Nullable Integer clients;

    @Option(names = "--base-port", paramLabel = "PORT", description = "Of a new cluster: the port of replica 0 (7000).")
    private @Nullable Integer basePort;

    /** What the command's thread waits for: a replica that ended, or, with none, the signal to end. */
    private record News(@Nullable ReplicaProcess ended) {}

    private final BlockingQueue<News> news = new LinkedBlockingQueue<>();

    @Override
    public Integer call() throws Exception {
        ClusterFolder folder = dir.folder();
        ClusterConfig cluster = cluster(folder);
        List<ReplicaProcess> running = new ArrayList<>();
        return EndSignal.during(
                () -> {
                    try {
                        for (ClusterConfig.ReplicaInfo replica : cluster.replicas()) {
                            running.add(start(folder, replica.id()));
                        }
                        return run(folder, cluster, running);
                    } finally {
                        ReplicaProcess.stopAll(running, STOP_PATIENCE);
                    }
                },
                () -> news.add(new News(null)));
    }

    private ClusterConfig cluster(ClusterFolder folder) {
        if (!folder.hasConfig()) {
            int count = replicas == null ? 4 : replicas;
            ClusterConfig made = folder.create(ClusterFolder.Plan.of(
                    count, clients == null ? 1 : clients, "127.0.0.1", basePort == null ? 7_000 : basePort));
            say("made a cluster of " + InitCommand.describe(made.quorum()) + " in " + folder.path());
            return made;
        }
        ClusterConfig cluster = folder.read();
        differs("--replicas", replicas, cluster.replicas().size(), folder);
        differs("--clients", clients, cluster.clients().size(), folder);
        differs("--base-port", basePort, cluster.replicas().get(0).port(), folder);
        return cluster;
    }

    private static void differs(String option, @Nullable Integer wanted, int found, ClusterFolder folder) {
        if (wanted != null && wanted != found) {
            throw CliException.usage(option + ": the cluster in " + folder.path() + " has " + found + ", not " + wanted
                    + "; leave the option out, or name another directory");
        }
    }

    private ReplicaProcess start(ClusterFolder folder, int id) {
        return ReplicaProcess.start(
                folder.path(),
                id,
                List.of(),
                line -> say("replica " + id + " | " + line),
                ended -> news.add(new News(ended)));
    }

    private int run(ClusterFolder folder, ClusterConfig cluster, List<ReplicaProcess> running)
            throws InterruptedException {
        Quorum quorum = cluster.quorum();
        boolean ready = false;
        while (true) {
            News next = ready ? news.take() : news.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
            if (next == null) {
                ready = isReady(folder, cluster, running);
                continue;
            }
            ReplicaProcess gone = next.ended();
            if (gone == null) {
                say("stopping " + Failures.count(running.size(), "replica"));
                return Exit.OK;
            }
            int code = gone.ended().join();
            running.remove(gone);
            if (!ready && code == Exit.USAGE) {
                throw CliException.usage(
                        "replica " + gone.id() + " cannot start, see its lines above; the others are stopped again");
            }
            String left = running.size() + " of " + quorum.replicas() + " live, and a quorum is " + quorum.quorum();
            if (running.size() < quorum.quorum()) {
                throw CliException.unreachable("replica " + gone.id() + " " + ReplicaProcess.describeExit(code) + "; "
                        + left + ": the cluster cannot go on and is stopped");
            }
            say("replica " + gone.id() + " " + ReplicaProcess.describeExit(code) + "; " + left
                    + ". Start it again with: pbft replica --dir " + folder.path() + " --id " + gone.id());
        }
    }

    private boolean isReady(ClusterFolder folder, ClusterConfig cluster, List<ReplicaProcess> running) {
        List<ReplicaRow> rows = ReplicaRow.askAll(folder, cluster);
        for (ReplicaProcess replica : running) {
            ReplicaRow row = rows.get(replica.id());
            if (!row.works() || row.answer().pid() != replica.pid()) {
                return false;
            }
        }
        say(Failures.count(running.size(), "replica") + " are up. Try: pbft put --dir " + folder.path()
                + " greeting hello");
        return true;
    }

    private void say(String line) {
        PrintWriter err = spec.commandLine().getErr();
        synchronized (err) {
            err.println(line);
            err.flush();
        }
    }
}
