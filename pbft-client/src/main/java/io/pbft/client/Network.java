package io.pbft.client;

import io.pbft.crypto.Bytes;
import java.util.concurrent.ScheduledExecutorService;

/**
 * The way to the replicas: connections to all of them, made and kept by the network itself, each authenticated as that replica.
 * Thread-safe.
 */
interface Network extends AutoCloseable {
    /** What comes from the replicas. Called by any thread; returns at once. */
    interface Listener {
        void onFrame(int replica, Bytes frame);

        void onConnection(int replica, boolean up);
    }

    /** Begins to connect. Called once; until told otherwise the listener takes every connection for down. */
    void start(Listener listener);

    /** Queues a frame for a replica. It may be lost; false: it certainly is. */
    boolean send(int replica, Bytes frame);

    /**
     * Stops handing over what {@code replica} sends, after the frame that is being handed over where the listener calls. What it
     * goes on sending fills its own queue. Does nothing while nothing is heard from it.
     */
    void pause(int replica);

    /** Goes on; does nothing where nothing was paused. */
    void resume(int replica);

    /** One thread, of the network's: the client runs on it too, so that what comes is handled where it was read. */
    ScheduledExecutorService executor();

    /** Whether the caller is the thread of {@link #executor}. */
    boolean isOnExecutor();

    /**
     * Closes the connections; the listener hears nothing any more once this has returned. Waits until they are closed, unless
     * {@link #executor} calls. May be called twice.
     */
    @Override
    void close();
}
