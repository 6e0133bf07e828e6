package io.pbft.benchmarks;

import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** A client process's way to a service under comparison. Thread-safe. */
public interface Driver extends AutoCloseable {
    /**
     * Sees to it that {@link #put} has a key for every worker below {@code workers}, and lets them go round among so many of the
     * driver's identities. Not called while operations are under way.
     */
    void prepare(int workers, int identities) throws Exception;

    /** Sets the value of the worker's own key; completes when the service has confirmed it. */
    CompletableFuture<?> put(int worker, Bytes value);

    /** Reads the worker's own key as {@code mode} says. */
    default CompletableFuture<?> read(int worker, Mode mode) {
        throw new UnsupportedOperationException("this service is compared by its writes alone");
    }

    /** How a key is read. */
    enum Mode {
        FAST,
        ORDERED
    }

    @Override
    void close() throws IOException;

    /** The key of a worker. */
    static Bytes key(int worker) {
        return Bytes.utf8("bench/" + worker);
    }
}
