package io.pbft.cli;

import io.pbft.client.ClientConfig;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.NodeId;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What all commands of the key-value service take. */
final class ClientOptions {
    private static final BigDecimal SECONDS_MAX = BigDecimal.valueOf(1_000_000);

    @Mixin
    private ClusterDirOption dir;

    @Option(
            names = "--client",
            paramLabel = "J",
            defaultValue = "0",
            description = "As which client (${DEFAULT-VALUE}).")
    private int client;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "How long to wait for the outcome, such as 2.5 (${DEFAULT-VALUE}).")
    private BigDecimal timeoutSeconds;

    @Option(
            names = "--receipt",
            paramLabel = "FILE",
            description = "Write the replicas' proof of the result there, for pbft verify.")
    private @Nullable Path receipt;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    boolean json() {
        return json;
    }

    Optional<Path> receipt() {
        return Optional.ofNullable(receipt);
    }

    String directory() {
        return dir.folder().path().toString();
    }

    Duration timeout() {
        if (timeoutSeconds.signum() <= 0 || timeoutSeconds.compareTo(SECONDS_MAX) > 0) {
            throw CliException.usage(
                    "--timeout: expected seconds above 0 and up to " + SECONDS_MAX + ", found " + timeoutSeconds);
        }
        return Duration.ofMillis(Math.max(1, timeoutSeconds.movePointRight(3).longValue()));
    }

    /** @throws CliException when the cluster does not know the client */
    ClientConfig config() {
        ClusterFolder folder = dir.folder();
        ClusterConfig cluster = folder.read();
        if (!cluster.has(NodeId.client(client))) {
            throw CliException.usage("--client: there is no client " + client + " in " + folder.configFile()
                    + ", which knows " + Failures.count(cluster.clients().size(), "client") + ", counted from 0");
        }
        return ClientConfig.of(cluster, client, folder.client(client).resolve("key.pem"))
                .withDeadline(timeout());
    }
}
