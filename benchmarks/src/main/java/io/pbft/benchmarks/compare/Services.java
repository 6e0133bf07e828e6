package io.pbft.benchmarks.compare;

import io.pbft.cli.Main;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/** The services that this project is compared with, with their default settings. */
final class Services {
    static final List<String> NAMES = List.of("pbft", "zookeeper", "ratis", "floor");

    /** Servers of a system that survives the crash of one. */
    static final int SERVERS = 3;

    private static final int ZOOKEEPER_PORTS = 3;

    /** Rivals choose their collector themselves and get more memory than a replica of this project has. */
    private static final List<String> RIVAL_JVM = List.of("-Xmx1g");

    /** As {@code pbft up} runs a replica. */
    private static final List<String> FLOOR_JVM = List.of("-Xmx256m", "-XX:+UseSerialGC");

    private Services() {}

    static Service zooKeeper(Path directory) throws IOException {
        List<Integer> ports = consecutivePorts(SERVERS * ZOOKEEPER_PORTS);
        List<Integer> forClients = IntStream.range(0, SERVERS)
                .mapToObj(i -> ports.get(ZOOKEEPER_PORTS * i))
                .toList();
        return servers("zookeeper", SERVERS, ports, forClients, directory);
    }

    static Service ratis(Path directory) throws IOException {
        List<Integer> ports = consecutivePorts(SERVERS);
        return servers("ratis", SERVERS, ports, ports, directory);
    }

    /** One server by the key of replica 0 of a cluster. */
    static Service floor(Path directory, int clients) throws IOException {
        initCluster(directory, 4, clients);
        List<String> arguments = List.of("serve", "--service", "floor", "--dir", directory.toString());
        Child server = Child.server(Child.java(FLOOR_JVM, arguments), directory.resolve("server.log"));
        List<String> forClients = List.of("--service", "floor", "--dir", directory.toString());
        return new Running(List.of(server), forClients);
    }

    private static Service servers(
            String name, int count, List<Integer> ports, List<Integer> forClients, Path directory) throws IOException {
        List<Child> servers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<String> arguments = List.of(
                    "serve",
                    "--service",
                    name,
                    "--id",
                    Integer.toString(i),
                    "--ports",
                    list(ports),
                    "--dir",
                    directory.resolve("server-" + i).toString());
            servers.add(Child.server(Child.java(RIVAL_JVM, arguments), directory.resolve("server-" + i + ".log")));
        }
        return new Running(servers, List.of("--service", name, "--ports", list(forClients)));
    }

    private static String list(List<Integer> ports) {
        return String.join(",", ports.stream().map(String::valueOf).toList());
    }

    /** Keys and {@code cluster.json} for so many replicas on this machine. */
    static void initCluster(Path directory, int replicas, int clients) {
        int exit = Main.run(
                "init",
                "--dir",
                directory.toString(),
                "--replicas",
                Integer.toString(replicas),
                "--clients",
                Integer.toString(clients),
                "--base-port",
                Integer.toString(consecutivePorts(replicas).get(0)));
        if (exit != 0) {
            throw new IllegalStateException("no cluster could be made in " + directory);
        }
    }

    /** Ports side by side that nobody listens on now, below those that systems give to outgoing connections. */
    static List<Integer> consecutivePorts(int count) {
        for (int i = 0; i < 1_000; i++) {
            int base = ThreadLocalRandom.current().nextInt(10_000, 32_000 - count);
            if (IntStream.range(base, base + count).allMatch(Services::isFree)) {
                return IntStream.range(base, base + count).boxed().toList();
            }
        }
        throw new IllegalStateException("there are no " + count + " free ports side by side from 10000 to 32000");
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private record Running(List<Child> servers, List<String> clientArguments) implements Service {
        @Override
        public List<Long> pids() {
            return servers.stream().map(Child::pid).toList();
        }

        @Override
        public void close() {
            servers.forEach(Child::kill);
        }
    }
}
