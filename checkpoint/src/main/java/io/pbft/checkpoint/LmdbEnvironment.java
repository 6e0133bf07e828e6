package io.pbft.checkpoint;

import io.pbft.checkpoint.StorageFailure.Part;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.LmdbException;
import org.lmdbjava.Txn;

/**
 * An LMDB environment in a folder of its own: locked, growing by itself, its errors in words.
 *
 * <p>Commits are synchronous and the map is read-only: MDB_WRITEMAP would turn a full disk into the end of the process,
 * and MDB_NOSYNC a power loss into a broken file. Read transactions are not bound to threads (MDB_NOTLS).
 *
 * <p>One thread writes. Any thread may open a read transaction, and uses it alone.
 */
final class LmdbEnvironment implements AutoCloseable {
    static final String DATA_FILE = "data.mdb";
    private static final String LOCK_FILE = "lock.mdb";

    /** What LMDB makes of it for its default number of readers. */
    private static final int LOCK_FILE_BYTES = 8192;

    /** Beyond this a map is not believed to be wanted. */
    private static final long MAP_BYTES_MAX = 1L << 46;

    private final Path folder;
    private final String what;
    private final DirectoryLock lock;
    private final Env<ByteBuffer> env;
    private volatile long mapBytes;
    private boolean closed;

    private LmdbEnvironment(Path folder, String what, DirectoryLock lock, Env<ByteBuffer> env) {
        this.folder = folder;
        this.what = what;
        this.lock = lock;
        this.env = env;
        this.mapBytes = env.info().mapSize;
    }

    /**
     * @param what names it in messages, such as "the journal"
     * @param mapBytes address space to begin with; it is no memory and no space on disk
     * @param values looks at everything that is there, before LMDB does
     * @throws StorageFailure when it cannot be opened, or is damaged
     */
    static LmdbEnvironment open(Path folder, String what, long mapBytes, int databases, LmdbPages.Values values) {
        DirectoryLock lock = DirectoryLock.acquire(folder, what);
        try {
            checkPages(folder, what, values);
            Env<ByteBuffer> env =
                    Env.create().setMapSize(mapBytes).setMaxDbs(databases).open(folder.toFile(), EnvFlags.MDB_NOTLS);
            return new LmdbEnvironment(folder, what, lock, env);
        } catch (LmdbException | IOException e) {
            lock.close();
            throw failure("cannot be opened", what, folder, e);
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static void checkPages(Path folder, String what, LmdbPages.Values values) throws IOException {
        Path data = folder.resolve(DATA_FILE);
        try {
            LmdbPages.check(data, values);
        } catch (LmdbPages.Damage damage) {
            throw damaged(data, what, String.valueOf(damage.getMessage()));
        }
        // Nobody else has it open: whatever it says of readers and writers is of the past, or damaged. LMDB writes to
        // it
        // through its map, so its blocks must be there: to run out of them then would end the process.
        Files.write(folder.resolve(LOCK_FILE), new byte[LOCK_FILE_BYTES]);
    }

    Path data() {
        return folder.resolve(DATA_FILE);
    }

    /** A file of another kind in the same folder. */
    Path file(String name) {
        return folder.resolve(name);
    }

    Dbi<ByteBuffer> database(String name) {
        try {
            return env.openDbi(name, DbiFlags.MDB_CREATE);
        } catch (LmdbException e) {
            throw failure("cannot be opened", what, folder, e);
        }
    }

    Txn<ByteBuffer> read() {
        try {
            return env.txnRead();
        } catch (LmdbException e) {
            throw failure("cannot be read", what, folder, e);
        }
    }

    /** {@link #write(Consumer, Consumer)} where nobody holds a read transaction. */
    void write(Consumer<Txn<ByteBuffer>> work) {
        write(work, Runnable::run);
    }

    /**
     * Carries out {@code work} in one transaction, which is durable on return. When the map is full it grows and {@code
     * work} is done again from the start.
     *
     * @param grow given what enlarges the map, runs it while no read transaction is open
     * @throws StorageFailure when it did not become durable
     */
    void write(Consumer<Txn<ByteBuffer>> work, Consumer<Runnable> grow) {
        while (true) {
            try (Txn<ByteBuffer> txn = env.txnWrite()) {
                work.accept(txn);
                txn.commit();
                return;
            } catch (Env.MapFullException e) {
                if (mapBytes >= MAP_BYTES_MAX) {
                    throw failure("is full", what, folder, e);
                }
            } catch (LmdbException e) {
                throw failure("cannot be written", what, folder, e);
            }
            // The transaction is closed: its failure was not the disk's, and nothing of it is there.
            grow.accept(this::enlarge);
        }
    }

    /**
     * How an install is cut into transactions. What a transaction changes LMDB keeps in memory until it commits.
     *
     * @param bytes a transaction changes about so many at most
     * @param committed called after each one
     */
    record PartSize(long bytes, Runnable committed) {}

    /** Transactions that follow each other. */
    final class Parts {
        /** A change writes its page, if no other did. */
        private static final int PAGE_BYTES = 4096;

        private final PartSize size;
        private Txn<ByteBuffer> txn = env.txnWrite();
        private long bytes;

        private Parts(PartSize size) {
            this.size = size;
        }

        /** The current one: valid until the next {@link #wrote}. */
        Txn<ByteBuffer> txn() {
            return txn;
        }

        /** So many records with so many bytes were changed in it: perhaps it was enough. */
        void wrote(int records, int recordBytes) {
            bytes += (long) records * PAGE_BYTES + recordBytes;
            if (bytes >= size.bytes()) {
                commit();
                txn = env.txnWrite();
                bytes = 0;
            }
        }

        private void commit() {
            txn.commit();
            txn.close();
            size.committed().run();
        }
    }

    /**
     * Carries out {@code work} in as many transactions as it takes; each is durable before the next begins.
     *
     * @param grow as for {@link #write}; what was committed stays, and {@code work} is done again from the start
     * @throws StorageFailure when not all of it became durable
     */
    void writeInParts(PartSize size, Consumer<Parts> work, Consumer<Runnable> grow) {
        while (true) {
            Parts parts = null;
            try {
                parts = new Parts(size);
                work.accept(parts);
                parts.commit();
                return;
            } catch (Env.MapFullException e) {
                if (mapBytes >= MAP_BYTES_MAX || parts == null) {
                    throw failure("is full", what, folder, e);
                }
            } catch (LmdbException e) {
                throw failure("cannot be written", what, folder, e);
            } finally {
                if (parts != null) {
                    parts.txn.close();
                }
            }
            grow.accept(this::enlarge);
        }
    }

    /** Sees to it that there is address space for {@code times} as much as there is now. */
    void reserve(int times, Consumer<Runnable> grow) {
        long used = (env.info().lastPageNumber + 1) * env.stat().pageSize;
        while (mapBytes < times * used && mapBytes < MAP_BYTES_MAX) {
            grow.accept(this::enlarge);
        }
    }

    private void enlarge() {
        try {
            long doubled = mapBytes * 2;
            env.setMapSize(doubled);
            mapBytes = doubled;
        } catch (LmdbException e) {
            throw failure("cannot grow beyond " + mapBytes + " bytes", what, folder, e);
        }
    }

    long mapBytes() {
        return mapBytes;
    }

    /** What reading found wrong. */
    StorageFailure damaged(String place, String how) {
        return damaged(data(), what, place + ": " + how);
    }

    private static StorageFailure damaged(Path file, String what, String how) {
        return StorageFailure.damaged(
                Part.STATE,
                what + " " + file.toAbsolutePath() + " is damaged at " + how
                        + ". Check the disk's health, then start this replica again: it gets " + what
                        + " from the others");
    }

    StorageFailure failed(String doing, LmdbException cause) {
        return failure(doing, what, folder, cause);
    }

    private static StorageFailure failure(String problem, String what, Path folder, Exception cause) {
        return new StorageFailure(
                what + " " + folder.toAbsolutePath() + " " + problem + " (" + cause.getMessage()
                        + "); check free space, permissions and health of the disk, then start again. "
                        + "What was reported durable before is not affected",
                cause);
    }

    /** May be called twice. All read transactions must have been closed. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            env.close();
            lock.close();
        }
    }

    /** A buffer that LMDB can read, with {@code bytes} in it; one thread's own. */
    static final class KeyBuffer {
        /** LMDB's default limit. */
        static final int KEY_BYTES_MAX = 511;

        private final ByteBuffer buffer = ByteBuffer.allocateDirect(KEY_BYTES_MAX);

        ByteBuffer of(Bytes bytes) {
            return buffer.clear().put(bytes.asReadOnlyBuffer()).flip();
        }

        ByteBuffer of(byte[] bytes) {
            return buffer.clear().put(bytes).flip();
        }
    }

    /** A copy of what LMDB shows, which is valid only during the transaction. */
    static Bytes copy(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return Bytes.wrap(bytes);
    }
}
