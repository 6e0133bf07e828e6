package io.pbft.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Ports that nobody listens on now. */
final class FreePorts {
    /** Below those that systems give to outgoing connections, which would take the port of a replica that is down. */
    private static final int LOWEST = 10_000;

    private static final int HIGHEST = 32_000;
    private static final int TRIES_MAX = 1_000;

    private FreePorts() {}

    /** @throws CliException when there are not so many */
    static List<Integer> on(String host, int count) {
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < TRIES_MAX && ports.size() < count; i++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
            if (!ports.contains(port) && isFree(host, port)) {
                ports.add(port);
            }
        }
        if (ports.size() < count) {
            throw CliException.usage("there are no " + count + " free ports on " + host + " from " + LOWEST + " to "
                    + HIGHEST + "; can this process listen at all?");
        }
        return ports;
    }

    private static boolean isFree(String host, int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
