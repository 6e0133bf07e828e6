package io.pbft.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A service while it runs: its servers, each in a process of its own on this machine. */
interface Service extends AutoCloseable {
    /** The processes of its servers. */
    List<Long> pids() throws IOException;

    /** What the client process has to be told to find it. */
    List<String> clientArguments();

    /** Called when the load is steady, right before it is measured. */
    default void beforeMeasuring() throws Exception {
        // Most services are measured as they are.
    }

    /** Called right after it was measured: what there is to say of it. */
    default Optional<String> afterMeasuring() {
        return Optional.empty();
    }

    @Override
    void close();

    /**
     * Starts a service in an empty directory.
     *
     * @param name one of {@link Services#NAMES}, or a variant of this project: {@code pbft-n7}, {@code pbft-dead}, {@code
     *     pbft-transfer}
     * @param clients identities that its clients will have
     */
    static Service start(String name, Path directory, int clients) throws IOException, InterruptedException {
        return switch (name) {
            case "zookeeper" -> Services.zooKeeper(directory);
            case "ratis" -> Services.ratis(directory);
            case "floor" -> Services.floor(directory, clients);
            default -> PbftService.start(PbftService.Variant.of(name), directory, clients);
        };
    }
}
