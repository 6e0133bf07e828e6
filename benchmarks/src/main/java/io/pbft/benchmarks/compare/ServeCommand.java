package io.pbft.benchmarks.compare;

import io.pbft.benchmarks.floor.FloorServer;
import io.pbft.benchmarks.rival.RatisServer;
import io.pbft.benchmarks.rival.ZooKeeperServer;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.NativeProvider;
import io.pbft.protocol.ClusterConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** One server of a service that this project is compared with, in a process of its own; ends with its standard input. */
@Command(name = "serve", hidden = true)
public final class ServeCommand implements Callable<Integer> {
    /** What is served. */
    enum Service {
        RATIS,
        ZOOKEEPER,
        FLOOR
    }

    @Option(names = "--service", required = true)
    private Service service;

    @Option(names = "--id")
    private int id;

    @Option(names = "--ports", split = ",")
    private List<Integer> ports = List.of();

    @Option(names = "--dir", required = true)
    private Path dir;

    @Override
    public Integer call() throws Exception {
        Thread watch = new Thread(ServeCommand::endWithInput, "parent-watch");
        watch.setDaemon(true);
        watch.start();
        switch (service) {
            case RATIS -> {
                RatisServer.start(id, ports, dir);
                watch.join();
            }
            case ZOOKEEPER -> ZooKeeperServer.run(id, ports, dir);
            case FLOOR -> {
                NativeProvider.register();
                ClusterConfig cluster = ClusterConfig.read(dir.resolve("cluster.json"), new Ed25519());
                try (FloorServer server = new FloorServer(cluster, dir.resolve("replica-0"))) {
                    watch.join();
                    if (server.failure() != null) {
                        throw new IllegalStateException("the server failed", server.failure());
                    }
                }
            }
        }
        return 0;
    }

    private static void endWithInput() {
        try (InputStream in = System.in) {
            while (in.read() >= 0) {
                // Nothing is ever said there.
            }
        } catch (IOException e) {
            throw new IllegalStateException("standard input failed", e);
        } finally {
            // What is on the disk is not used again: no server has to end in order.
            Runtime.getRuntime().halt(0);
        }
    }
}
