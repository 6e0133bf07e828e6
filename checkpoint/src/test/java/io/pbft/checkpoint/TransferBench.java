package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;

/**
 * What it costs to bring one store to the state of another, without a network between them. Run by hand:
 * {@code TransferBench FOLDER KEYS VALUE_BYTES PER_MILLE...}. Per mille: how many entries are changed at the source
 * before each transfer; "all" is a transfer into an empty store. The source is made where it is not there yet; run it
 * again to measure without that.
 */
final class TransferBench {
    private final LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
    private final Random random = new Random(System.nanoTime());
    private final Path folder;
    private final int keys;
    private final int valueBytes;

    private TransferBench(Path folder, int keys, int valueBytes) {
        this.folder = folder;
        this.keys = keys;
        this.valueBytes = valueBytes;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        TransferBench bench = new TransferBench(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]));
        bench.run(List.of(args).subList(3, args.length));
    }

    private void run(List<String> kinds) throws IOException, InterruptedException {
        Path sourceFolder = folder.resolve("source");
        if (!Files.exists(sourceFolder.resolve("state"))) {
            Files.createDirectories(sourceFolder);
            BulkLoad.load(sourceFolder, keys, valueBytes);
        }
        Path targetFolder = folder.resolve("target");
        for (String kind : kinds) {
            if (kind.equals("all")) {
                delete(targetFolder.resolve("state"));
            }
            Files.createDirectories(targetFolder);
            try (LmdbStateStore source = open(sourceFolder);
                    LmdbStateStore target = open(targetFolder)) {
                if (!kind.equals("all")) {
                    change(source, Integer.parseInt(kind));
                }
                transfer(kind.equals("all") ? kind : kind + "/1000", source, target);
            }
        }
    }

    private void change(LmdbStateStore source, int perMille) throws InterruptedException {
        for (long i = 0; i < (long) keys * perMille / 1000; i++) {
            source.state().put(BulkLoad.key(random.nextInt(keys)), BulkLoad.value(random, valueBytes));
        }
        source.checkpoint(source.seq() + 1, Map.of(), root -> {});
        callbacks.take().run();
    }

    private LmdbStateStore open(Path folder) {
        return LmdbStateStore.open(folder, callbacks::add, failure -> {
            throw failure;
        });
    }

    private static void delete(Path state) throws IOException {
        if (Files.exists(state)) {
            try (var files = Files.list(state)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private void transfer(String what, LmdbStateStore source, LmdbStateStore target)
            throws IOException, InterruptedException {
        long started = System.nanoTime();
        StateInstall install = target.install(source.seq(), source.root());
        long nodes = 0;
        while (!install.complete()) {
            for (Bytes path : install.missing(Set.of(), 256)) {
                install.offer(source.node(source.seq(), path).orElseThrow());
                nodes++;
            }
        }
        long fetched = System.nanoTime();
        install.commit(installed -> {
            if (!installed) {
                throw new IllegalStateException("it was not installed");
            }
        });
        callbacks.take().run();
        long ended = System.nanoTime();
        long bytes = install.progress().bytesReceived();
        ByHandTest.report(
                "%s: %,d nodes, %.1f MB moved; fetched in %.2f s, installed in %.2f s: %.1f MB/s; file %,d MB, %s",
                what,
                nodes,
                bytes / 1e6,
                (fetched - started) / 1e9,
                (ended - fetched) / 1e9,
                bytes / 1e6 / ((ended - started) / 1e9),
                Files.size(folder.resolve("target/state/data.mdb")) / 1_000_000,
                memory());
    }

    /**
     * Of this process, as the system sees it: the file's pages in memory count as well, and are given up when needed.
     */
    static String memory() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return "memory unknown";
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM") || line.startsWith("RssAnon"))
                .map(line -> line.replaceAll("\\s+", " "))
                .collect(Collectors.joining(", "));
    }
}
