package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What it costs to bring one store to the state of another, without a network between them. Run by hand:
 * {@code TransferBench FOLDER KEYS VALUE_BYTES}; the folder is new.
 */
final class TransferBench {
    private static final int[] CHANGED_PER_MILLE = {1, 10, 100};

    private TransferBench() {}

    public static void main(String[] args) throws InterruptedException {
        PrintStream out = ChildProcess.reports();
        int keys = Integer.parseInt(args[1]);
        int valueBytes = Integer.parseInt(args[2]);
        LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
        Random random = new Random(1);
        try (LmdbStateStore source = open(Path.of(args[0], "source"), callbacks);
                LmdbStateStore target = open(Path.of(args[0], "target"), callbacks)) {
            for (int key = 0; key < keys; key++) {
                source.state().put(key(key), value(random, valueBytes));
                if (key % 50_000 == 49_999) {
                    take(source, callbacks);
                }
            }
            transfer(out, "all", source, target, take(source, callbacks));
            for (int perMille : CHANGED_PER_MILLE) {
                for (int i = 0; i < (long) keys * perMille / 1000; i++) {
                    source.state().put(key(random.nextInt(keys)), value(random, valueBytes));
                }
                transfer(out, perMille + "/1000", source, target, take(source, callbacks));
            }
        }
    }

    private static LmdbStateStore open(Path folder, LinkedBlockingQueue<Runnable> callbacks) {
        return LmdbStateStore.open(folder, callbacks::add, failure -> {
            throw failure;
        });
    }

    private static Digest take(LmdbStateStore store, LinkedBlockingQueue<Runnable> callbacks)
            throws InterruptedException {
        store.checkpoint(store.seq() + 1, Map.of(), root -> {});
        callbacks.take().run();
        store.release(store.seq());
        return store.root();
    }

    private static void transfer(
            PrintStream out, String what, LmdbStateStore source, LmdbStateStore target, Digest root) {
        long started = System.nanoTime();
        StateInstall install = target.install(source.seq(), root);
        long nodes = 0;
        while (!install.complete()) {
            for (Bytes path : install.missing(0, 256)) {
                install.offer(source.node(source.seq(), path).orElseThrow());
                nodes++;
            }
        }
        long fetched = System.nanoTime();
        install.commit();
        double seconds = (fetched - started) / 1e9;
        out.printf(
                "%s: %,d nodes, %,d bytes in %.2f s (%.1f MB/s), commit %.2f s%n",
                what,
                nodes,
                install.bytesReceived(),
                seconds,
                install.bytesReceived() / seconds / 1e6,
                (System.nanoTime() - fetched) / 1e9);
    }

    private static Bytes key(int number) {
        return Bytes.utf8("user/" + number);
    }

    private static Bytes value(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return Bytes.wrap(bytes);
    }
}
