package io.pbft.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Quorum;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pbft init}. */
@Command(
        name = "init",
        description = {"Makes the keys and the configuration of a new cluster.", "It never overwrites anything."},
        footer = {
            "Examples:",
            "  pbft init --dir my-cluster",
            "  pbft init --dir my-cluster --replicas 7 --clients 3 --base-port 9000",
            "",
            "The replicas listen on the host, on the base port and the ports above it. For several machines, edit the",
            "hosts in cluster.json, then give every machine cluster.json and the folder of its own replica."
        })
final class InitCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ClusterDirOption dir;

    @Option(
            names = "--replicas",
            paramLabel = "N",
            defaultValue = "4",
            description = "Replicas, at least 4 (${DEFAULT-VALUE}).")
    private int replicas;

    @Option(names = "--clients", paramLabel = "N", defaultValue = "1", description = "Clients (${DEFAULT-VALUE}).")
    private int clients;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description = "Where the replicas listen (${DEFAULT-VALUE}).")
    private String host;

    @Option(
            names = "--base-port",
            paramLabel = "PORT",
            defaultValue = "7000",
            description = "The port of replica 0 (${DEFAULT-VALUE}).")
    private int basePort;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Override
    public Integer call() {
        ClusterFolder folder = dir.folder();
        ClusterConfig config = folder.create(ClusterFolder.Plan.of(replicas, clients, host, basePort));
        Quorum quorum = config.quorum();
        if (json) {
            ObjectNode document = Json.object();
            document.put("dir", folder.path().toString());
            document.put("clusterId", config.clusterId().toHex());
            document.put("replicas", quorum.replicas());
            document.put("f", quorum.faulty());
            document.put("clients", config.clients().size());
            Json.print(spec.commandLine().getOut(), document);
        } else {
            spec.commandLine()
                    .getOut()
                    .println("A cluster of " + describe(quorum) + " is in " + folder.path()
                            + ". Start it with: pbft up --dir " + folder.path());
        }
        return Exit.OK;
    }

    /** "4 replicas, of which 1 may be faulty". */
    static String describe(Quorum quorum) {
        return Failures.count(quorum.replicas(), "replica") + ", of which " + quorum.faulty() + " may be faulty,";
    }
}
