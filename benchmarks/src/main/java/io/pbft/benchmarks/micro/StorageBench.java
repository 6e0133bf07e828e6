package io.pbft.benchmarks.micro;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.LmdbStateStore;
import io.pbft.checkpoint.SegmentJournal;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The disk, in the directory for temporary files: {@code java.io.tmpdir} of the forked JVM chooses another one
 * ({@code -jvmArgsAppend -Djava.io.tmpdir=...}).
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class StorageBench {
    private static final int ENTRY_BYTES = 1_024;
    private static final int GROUP = 100;
    private static final int KEYS = 100_000;
    private static final int VALUE_BYTES = 100;
    private static final long RAW_BYTES_MAX = 256L << 20;

    @Param({"10", "1000"})
    int changed;

    private final BlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
    private final SplittableRandom random = new SplittableRandom(1);
    private final ByteBuffer raw = ByteBuffer.allocateDirect(ENTRY_BYTES);
    private Path folder;
    private SegmentJournal journal;
    private LmdbStateStore store;
    private FileChannel file;
    private long seq;
    private int awaited;

    @Setup
    public void setUp() throws IOException, InterruptedException {
        folder = Files.createTempDirectory("pbft-storage-bench-");
        journal = SegmentJournal.open(folder, callbacks::add, failure -> {
            throw failure;
        });
        journal.load();
        store = LmdbStateStore.open(folder, callbacks::add, failure -> {
            throw failure;
        });
        file = FileChannel.open(folder.resolve("raw"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        for (int key = 0; key < KEYS; key++) {
            put(key);
        }
        checkpoint();
    }

    /** One record, waited for: what a lone vote costs. */
    @Benchmark
    public void journalSynchronised() throws InterruptedException {
        append();
        awaitDurable();
    }

    /** A hundred records that become durable together; divide by {@value #GROUP}. */
    @Benchmark
    public void journalGroupOfHundred() throws InterruptedException {
        for (int i = 0; i < GROUP; i++) {
            append();
        }
        awaitDurable();
    }

    /** As many bytes as a record into a file, without waiting for the disk: the part of it that is not the disk's. */
    @Benchmark
    public int fileNotSynchronised() throws IOException {
        if (file.position() > RAW_BYTES_MAX) {
            file.position(0);
        }
        raw.clear();
        return file.write(raw);
    }

    /** A checkpoint of a state of {@value #KEYS} keys of which some changed, until it is durable. */
    @Benchmark
    public long checkpointOfChangedKeys() throws InterruptedException {
        for (int i = 0; i < changed; i++) {
            put(random.nextInt(KEYS));
        }
        checkpoint();
        return store.seq();
    }

    private void append() {
        seq++;
        JournalEntry entry = new JournalEntry(JournalEntry.Kind.COMMIT, seq, 0, Bytes.wrap(new byte[ENTRY_BYTES]));
        awaited++;
        journal.append(() -> List.of(entry), () -> awaited--);
        if (seq % 1_000 == 0) {
            journal.truncate(seq - 1);
        }
    }

    /** What becomes durable together may be told in one callback. */
    private void awaitDurable() throws InterruptedException {
        while (awaited > 0) {
            callbacks.take().run();
        }
    }

    private void put(int key) {
        byte[] value = new byte[VALUE_BYTES];
        random.nextBytes(value);
        store.state().put(Bytes.utf8("user/" + key), Bytes.wrap(value));
    }

    private void checkpoint() throws InterruptedException {
        seq++;
        awaited++;
        store.checkpoint(seq, Map.of(), root -> awaited--);
        awaitDurable();
        store.release(seq, Set.of());
    }

    @TearDown
    public void tearDown() throws IOException {
        file.close();
        journal.close();
        store.close();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
