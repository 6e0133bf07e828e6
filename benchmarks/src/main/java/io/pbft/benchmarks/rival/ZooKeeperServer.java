package io.pbft.benchmarks.rival;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.apache.zookeeper.server.ServerConfig;
import org.apache.zookeeper.server.ZooKeeperServerMain;
import org.apache.zookeeper.server.admin.AdminServer;
import org.apache.zookeeper.server.quorum.QuorumPeerConfig;
import org.apache.zookeeper.server.quorum.QuorumPeerMain;

/** A server of Apache ZooKeeper with its default settings: its log is on the disk and is synchronised before it counts. */
public final class ZooKeeperServer {
    private static final int PORTS_PER_SERVER = 3;

    private ZooKeeperServer() {}

    /**
     * Runs server {@code id} until the process ends.
     *
     * @param ports three for each server: for clients, for its peers, for elections
     */
    public static void run(int id, List<Integer> ports, Path folder) throws Exception {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("myid"), Integer.toString(id + 1), StandardCharsets.US_ASCII);
        QuorumPeerConfig config = new QuorumPeerConfig();
        config.parseProperties(properties(id, ports, folder));
        if (config.isDistributed()) {
            new QuorumPeerMain().runFromConfig(config);
        } else {
            runAlone(config);
        }
    }

    private static void runAlone(QuorumPeerConfig config) throws IOException, AdminServer.AdminServerException {
        ServerConfig alone = new ServerConfig();
        alone.readFrom(config);
        new ZooKeeperServerMain().runFromConfig(alone);
    }

    private static Properties properties(int id, List<Integer> ports, Path folder) {
        Properties properties = new Properties();
        properties.setProperty("tickTime", "2000");
        properties.setProperty("initLimit", "10");
        properties.setProperty("syncLimit", "5");
        properties.setProperty("dataDir", folder.toString());
        properties.setProperty("clientPort", Integer.toString(ports.get(PORTS_PER_SERVER * id)));
        properties.setProperty("clientPortAddress", "127.0.0.1");
        properties.setProperty("admin.enableServer", "false");
        int servers = ports.size() / PORTS_PER_SERVER;
        for (int i = 0; servers > 1 && i < servers; i++) {
            properties.setProperty(
                    "server." + (i + 1),
                    "127.0.0.1:" + ports.get(PORTS_PER_SERVER * i + 1) + ":" + ports.get(PORTS_PER_SERVER * i + 2));
        }
        return properties;
    }
}
