package io.pbft.checkpoint;

import io.pbft.checkpoint.LmdbEnvironment.PartSize;
import io.pbft.crypto.Bytes;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;

/** A process that takes checkpoints until it is killed, and says of each when it is durable. */
final class StateChild {
    private static final int KEYS = 300;

    private StateChild() {}

    /** Argument: the folder. Begins behind the last durable checkpoint. */
    public static void main(String[] args) throws InterruptedException {
        PrintStream out = ChildProcess.reports();
        LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
        LmdbStateStore store = LmdbStateStore.open(
                Path.of(args[0]), 1 << 20, new PartSize(1 << 20, () -> {}), callbacks::add, failure -> {
                    out.println(failure);
                    Runtime.getRuntime().halt(1);
                });
        int underWay = 0;
        for (long seq = store.seq() + 1; ; seq++) {
            long reported = seq;
            change(store, seq, root -> out.println(reported));
            underWay++;
            while (underWay > 3) {
                callbacks.take().run();
                underWay--;
            }
            store.release(seq - 3, Set.of());
        }
    }

    /** What happens between the checkpoint before {@code seq} and that one: the same always. */
    static void change(StateStore store, long seq, java.util.function.Consumer<io.pbft.crypto.Digest> onDurable) {
        for (int i = 0; i < 20; i++) {
            Bytes key = Bytes.utf8("k" + (seq * 31 + i * 17L) % KEYS);
            if ((seq + i) % 5 == 0) {
                store.state().delete(key);
            } else {
                store.state().put(key, Bytes.utf8("v" + seq + "/" + i + ".".repeat((int) (seq * i % 400))));
            }
        }
        store.checkpoint(seq, Map.of(Bytes.utf8("T"), Optional.of(Bytes.utf8("" + seq))), onDurable);
    }
}
