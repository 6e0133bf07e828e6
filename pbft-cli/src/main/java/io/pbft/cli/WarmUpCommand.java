package io.pbft.cli;

import io.pbft.client.ClientConfig;
import io.pbft.client.PbftClient;
import io.pbft.client.PbftException;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Limits;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.replica.kv.KvStateMachine;
import io.pbft.replica.server.ReplicaServer;
import io.pbft.replica.server.ServerOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Does once what the other commands do, and prints nothing: all help texts, and a cluster that lives in this process for one
 * operation. The launcher runs it after a build with the JVM recording which classes are loaded; every later command and replica
 * finds them parsed and verified in the shared archive.
 */
@Command(
        name = "warm-up",
        hidden = true,
        description = "Loads what the other commands need, for the launcher's archive.")
final class WarmUpCommand implements Callable<Integer> {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @Spec
    private CommandSpec spec;

    @Option(names = "--help-only", hidden = true)
    private boolean helpOnly;

    @Override
    public Integer call() {
        PrintWriter sink = new PrintWriter(new StringWriter());
        usage(spec.root().commandLine(), sink);
        if (!helpOnly) {
            runCluster(sink);
        }
        return Exit.OK;
    }

    private static void usage(CommandLine command, PrintWriter out) {
        command.usage(out);
        command.getSubcommands().values().forEach(subcommand -> usage(subcommand, out));
    }

    private static void runCluster(PrintWriter sink) {
        List<ReplicaServer> servers = new ArrayList<>();
        try (DemoCluster cluster = DemoCluster.temporary(Limits.REPLICAS_MIN, 1, List.of())) {
            try {
                ClusterFolder folder = cluster.folder();
                ClusterConfig config = folder.read();
                for (int id = 0; id < config.replicas().size(); id++) {
                    servers.add(ReplicaServer.start(
                            config, id, folder.replica(id), new KvStateMachine(), ServerOptions.DEFAULT));
                }
                ClientConfig identity = ClientConfig.of(
                                config, 0, folder.client(0).resolve("key.pem"))
                        .withDeadline(DEADLINE);
                try (PbftClient client = PbftClient.connect(identity)) {
                    client.call(new KvOperation.Put(Bytes.utf8("key"), Bytes.utf8("value")).encode());
                } catch (PbftException e) {
                    // On a machine that slow the archive gets what was loaded by now.
                    sink.println(e.getMessage());
                }
                Json.print(sink, Json.object().put("status", cluster.ask().size()));
            } finally {
                servers.forEach(ReplicaServer::close);
            }
        }
    }
}
