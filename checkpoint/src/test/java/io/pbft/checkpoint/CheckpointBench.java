package io.pbft.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What a checkpoint of 1,000 changed keys costs in states of different sizes. Run by hand: {@code CheckpointBench
 * FOLDER KEYS...}. A state that is not in the folder is made first; run it again to measure without that.
 */
final class CheckpointBench {
    private static final int CHANGED = 1_000;
    private static final int WARM_UP = 20;
    private static final int ROUNDS = 101;
    private static final int VALUE_BYTES = 100;

    private CheckpointBench() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        for (int i = 1; i < args.length; i++) {
            Path folder = Path.of(args[0], args[i]);
            int keys = Integer.parseInt(args[i]);
            if (!Files.exists(folder.resolve("state"))) {
                Files.createDirectories(folder);
                long started = System.nanoTime();
                BulkLoad.load(folder, keys, VALUE_BYTES);
                ByHandTest.report("%,d keys: made in %.1f s", keys, (System.nanoTime() - started) / 1e9);
            }
            measure(folder, keys);
        }
    }

    private static void measure(Path folder, int keys) throws IOException, InterruptedException {
        LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
        Random random = new Random(System.nanoTime());
        try (LmdbStateStore store = LmdbStateStore.open(folder, callbacks::add, failure -> {
            throw failure;
        })) {
            long[] nanos = new long[ROUNDS];
            long[] reads = new long[ROUNDS];
            for (int round = -WARM_UP; round < ROUNDS; round++) {
                for (int i = 0; i < CHANGED; i++) {
                    store.state().put(BulkLoad.key(random.nextInt(keys)), BulkLoad.value(random, VALUE_BYTES));
                }
                long before = System.nanoTime();
                store.checkpoint(store.seq() + 1, Map.of(), root -> {});
                callbacks.take().run();
                long after = System.nanoTime();
                store.release(store.seq(), Set.of());
                for (int i = 0; i < CHANGED; i++) {
                    store.state().get(BulkLoad.key(random.nextInt(keys)));
                }
                if (round >= 0) {
                    nanos[round] = after - before;
                    reads[round] = (System.nanoTime() - after) / CHANGED;
                }
            }
            Arrays.sort(nanos);
            Arrays.sort(reads);
            ByHandTest.report(
                    "%,d keys: checkpoint of %,d changes: median %.1f ms, 90 %% %.1f ms, max %.1f ms; a read %.1f us;"
                            + " file %,d MB, %s",
                    keys,
                    CHANGED,
                    nanos[ROUNDS / 2] / 1e6,
                    nanos[ROUNDS * 9 / 10] / 1e6,
                    nanos[ROUNDS - 1] / 1e6,
                    reads[ROUNDS / 2] / 1e3,
                    Files.size(folder.resolve("state/data.mdb")) / 1_000_000,
                    TransferBench.memory());
        }
    }
}
