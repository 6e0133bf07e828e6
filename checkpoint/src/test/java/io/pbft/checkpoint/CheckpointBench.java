package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What a checkpoint of 1,000 changed keys costs in states of different sizes. Run by hand:
 * {@code CheckpointBench FOLDER KEYS...}
 */
final class CheckpointBench {
    private static final int CHANGED = 1_000;
    private static final int ROUNDS = 21;
    private static final int VALUE_BYTES = 100;

    private CheckpointBench() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        PrintStream out = ChildProcess.reports();
        for (int i = 1; i < args.length; i++) {
            measure(out, Path.of(args[0], args[i]), Integer.parseInt(args[i]));
        }
    }

    private static void measure(PrintStream out, Path folder, int keys) throws IOException, InterruptedException {
        LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
        Random random = new Random(1);
        try (LmdbStateStore store = LmdbStateStore.open(folder, callbacks::add, failure -> {
            throw failure;
        })) {
            long seq = store.seq();
            long started = System.nanoTime();
            for (int key = 0; key < keys; key++) {
                store.state().put(key(key), value(random));
                if (key % 100_000 == 99_999 || key == keys - 1) {
                    take(store, ++seq, callbacks);
                }
            }
            double filled = (System.nanoTime() - started) / 1e9;
            List<Long> nanos = new ArrayList<>();
            long readNanos = 0;
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < CHANGED; i++) {
                    store.state().put(key(random.nextInt(keys)), value(random));
                }
                long before = System.nanoTime();
                take(store, ++seq, callbacks);
                nanos.add(System.nanoTime() - before);
                before = System.nanoTime();
                for (int i = 0; i < CHANGED; i++) {
                    store.state().get(key(random.nextInt(keys)));
                }
                readNanos = (System.nanoTime() - before) / CHANGED;
            }
            long[] sorted = nanos.stream().mapToLong(Long::longValue).toArray();
            Arrays.sort(sorted);
            out.printf(
                    "%,d keys: filled in %.1f s, file %,d MB; checkpoint of %,d changes: median %.1f ms, max %.1f ms;"
                            + " a read %d ns%n",
                    keys,
                    filled,
                    Files.size(folder.resolve("state/data.mdb")) >> 20,
                    CHANGED,
                    sorted[ROUNDS / 2] / 1e6,
                    sorted[ROUNDS - 1] / 1e6,
                    readNanos);
        }
    }

    private static void take(LmdbStateStore store, long seq, LinkedBlockingQueue<Runnable> callbacks)
            throws InterruptedException {
        store.checkpoint(seq, Map.of(), root -> {});
        callbacks.take().run();
        store.release(seq);
    }

    private static Bytes key(int number) {
        return Bytes.utf8("user/" + number);
    }

    private static Bytes value(Random random) {
        byte[] bytes = new byte[VALUE_BYTES];
        random.nextBytes(bytes);
        return Bytes.wrap(bytes);
    }
}
