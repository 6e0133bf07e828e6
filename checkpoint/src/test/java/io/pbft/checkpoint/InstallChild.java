package io.pbft.checkpoint;

import io.pbft.checkpoint.LmdbEnvironment.PartSize;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/** Installs one state after the other until it is killed, and reports each once it is installed. */
final class InstallChild {
    private static final int KEYS = 2_000;

    private InstallChild() {}

    /** Argument: the folder. Begins behind what is installed there. */
    public static void main(String[] args) throws InterruptedException {
        PrintStream out = ChildProcess.reports();
        LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
        MemoryStateStore source = source();
        LmdbStateStore target = LmdbStateStore.open(
                Path.of(args[0]),
                LmdbStateStore.MAP_BYTES,
                new PartSize(1 << 20, () -> {}),
                callbacks::add,
                failure -> {
                    out.println(failure);
                    Runtime.getRuntime().halt(1);
                });
        for (long seq = target.seq() + 1; ; seq++) {
            Digest[] root = new Digest[1];
            change(source, seq, digest -> root[0] = digest);
            StateInstall install = target.install(seq, root[0]);
            while (!install.complete()) {
                for (Bytes path : install.missing(Set.of(), 64)) {
                    install.offer(source.node(seq, path).orElseThrow());
                }
            }
            install.commit(end -> {});
            callbacks.take().run();
            out.println(target.seq());
        }
    }

    static MemoryStateStore source() {
        return new MemoryStateStore(new MemoryStateStore.Disk());
    }

    /** The state at {@code seq}, whatever was there before: other keys and values each time. */
    static void change(MemoryStateStore store, long seq, Consumer<Digest> onDurable) {
        Random random = new Random(seq);
        for (int i = 0; i < KEYS; i++) {
            Bytes key = Bytes.utf8("k" + i);
            if (random.nextInt(4) == 0) {
                store.state().delete(key);
            } else {
                store.state().put(key, Bytes.wrap(new byte[random.nextInt(20) == 0 ? 1_000 : random.nextInt(200)]));
            }
        }
        store.checkpoint(seq, Map.of(Bytes.utf8("t"), Optional.of(Bytes.utf8("" + seq))), onDurable);
    }
}
