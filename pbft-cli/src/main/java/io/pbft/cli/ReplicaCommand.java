package io.pbft.cli;

import io.pbft.crypto.NativeProvider;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.NodeId;
import io.pbft.replica.kv.KvStateMachine;
import io.pbft.replica.server.Corruption;
import io.pbft.replica.server.ReplicaServer;
import io.pbft.replica.server.ServerOptions;
import io.pbft.simulator.BehaviourSpec;
import io.pbft.simulator.byzantine.LiveLiar;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pbft replica}: one replica of the key-value service, until it is told to end. */
@Command(
        name = "replica",
        description = {"Runs one replica in the foreground.", "SIGTERM or Ctrl-C stops it in an orderly way."},
        footer = {
            "Examples:",
            "  pbft replica --dir my-cluster --id 2",
            "  pbft replica --dir my-cluster --id 2 --rejoin     after its disk was lost",
            "",
            "It logs to standard error; PBFT_LOG=debug shows more, PBFT_LOG=warn less."
        })
final class ReplicaCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaCommand.class);
    private static final long CLOSE_SECONDS_MAX = 10;
    private static final int SCRUB_HOURS_MAX = 8_760;

    @Mixin
    private ClusterDirOption dir;

    @Option(names = "--id", required = true, paramLabel = "I", description = "Which replica, counted from 0.")
    private int id;

    @Option(
            names = "--rejoin",
            description =
                    "Its journal was lost: learn from the others what happened, and vote only for what comes after"
                            + " anything it may have voted for before.")
    private boolean rejoin;

    @Option(
            names = "--scrub-hours",
            paramLabel = "H",
            description = "Look through all that is on the disk for damage once in H hours (24); 0: only at the start.")
    private double scrubHours = ServerOptions.SCRUB.toHours();

    @Option(
            names = "--byzantine",
            paramLabel = "BEHAVIOUR",
            description = "For trials: it lies. The behaviours are those of 'pbft sim', but twin; commas between them.")
    private Optional<String> byzantine = Optional.empty();

    @Option(names = "--byzantine-seed", paramLabel = "S", description = "What the lies' chance is drawn from (0).")
    private long byzantineSeed;

    @Option(names = "--i-know-this-is-a-test", description = "Without this, --byzantine is refused.")
    private boolean test;

    @Option(names = "--end-with-input", hidden = true, description = "Stop at the end of standard input.")
    private boolean endWithInput;

    @Override
    public Integer call() throws Exception {
        NativeProvider.register();
        HeapKeeper.start();
        ClusterFolder folder = dir.folder();
        ClusterConfig cluster = folder.read();
        if (!cluster.has(NodeId.replica(id))) {
            throw CliException.usage("--id: there is no replica " + id + " in " + folder.configFile()
                    + "; expected 0 to " + (cluster.replicas().size() - 1));
        }
        Optional<Corruption> corruption = corruption();
        CompletableFuture<Integer> end = new CompletableFuture<>();
        CompletableFuture<Void> closed = new CompletableFuture<>();
        ServerOptions options = ServerOptions.DEFAULT
                .withRejoin(rejoin)
                .withScrub(scrub())
                .withOnHalt(cause -> end.complete(Exit.DOES_NOT_HOLD));
        if (corruption.isPresent()) {
            LOG.warn("replica {} is Byzantine on purpose: {}", id, byzantine.orElse(""));
            options = options.withCorruption(corruption.get());
        }
        ServerOptions chosen = options;
        if (endWithInput) {
            watchInput(end, closed);
        }
        try {
            return EndSignal.during(
                    () -> {
                        try (ReplicaServer server =
                                ReplicaServer.start(cluster, id, folder.replica(id), new KvStateMachine(), chosen)) {
                            LOG.debug("replica {} has its endpoint on port {}", id, server.adminPort());
                            return end.join();
                        }
                    },
                    () -> end.complete(Exit.OK));
        } finally {
            closed.complete(null);
        }
    }

    private Duration scrub() {
        if (!(scrubHours >= 0 && scrubHours <= SCRUB_HOURS_MAX)) {
            throw CliException.usage("--scrub-hours: expected 0 to " + SCRUB_HOURS_MAX + ", found " + scrubHours);
        }
        return Duration.ofMillis(Math.round(scrubHours * Duration.ofHours(1).toMillis()));
    }

    /** @throws CliException when the behaviours cannot be, or nobody said that this is a test */
    private Optional<Corruption> corruption() {
        if (byzantine.isEmpty()) {
            return Optional.empty();
        }
        if (!test) {
            throw CliException.usage(
                    "--byzantine: a replica that lies breaks what its signature promises, and a cluster"
                            + " bears at most f of them; where that is the trial, add --i-know-this-is-a-test");
        }
        List<BehaviourSpec> specs = SimCommand.options(
                words -> BehaviourSpec.ofReplica("--byzantine", words.get(0)), List.of(byzantine.get()));
        try {
            return Optional.of(new LiveLiar(
                    specs, byzantineSeed, () -> Runtime.getRuntime().halt(Exit.DOES_NOT_HOLD)));
        } catch (IllegalArgumentException e) {
            throw CliException.usage("--byzantine: " + e.getMessage(), e);
        }
    }

    /** Whoever started this process holds the other end of its standard input and is gone when that closes. */
    private void watchInput(CompletableFuture<Integer> end, CompletableFuture<Void> closed) {
        Thread watch = new Thread(
                () -> {
                    try (InputStream in = System.in) {
                        while (in.read() >= 0) {
                            // Nothing is ever said there.
                        }
                    } catch (IOException e) {
                        LOG.debug("standard input failed", e);
                    }
                    end.complete(Exit.OK);
                    try {
                        closed.get(CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
                    } catch (InterruptedException | ExecutionException | TimeoutException e) {
                        Runtime.getRuntime().halt(Exit.UNREACHABLE);
                    }
                },
                "parent-watch");
        watch.setDaemon(true);
        watch.start();
    }
}
