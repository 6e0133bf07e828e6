package io.pbft.transport;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads of one transport, or of many: event loops, one thread that looks names up, and one for the costly part of
 * handshakes. The latter two come when they are needed and go when they are not. Thread-safe.
 *
 * <p>A node has a transport to itself. A process that is a thousand clients would have thousands of threads that way, and
 * pay for each frame with a switch between them; sharing these it has a handful.
 */
public final class TransportThreads implements AutoCloseable {
    private static final long IDLE_SECONDS_MAX = 1;

    private final EventLoopGroup eventLoops;
    private final ExecutorService resolver;
    private final ExecutorService handshaker;

    /**
     * @param name what the threads' names begin with
     * @param eventLoops how many event loops, at least 1
     */
    public TransportThreads(String name, int eventLoops) {
        this.eventLoops = new MultiThreadIoEventLoopGroup(
                eventLoops, new DefaultThreadFactory(name + "-net", true), Sockets.ioHandler());
        this.resolver = onDemand(name + "-dns");
        this.handshaker = onDemand(name + "-tls");
    }

    private static ExecutorService onDemand(String name) {
        ThreadPoolExecutor one = new ThreadPoolExecutor(
                1,
                1,
                IDLE_SECONDS_MAX,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                new DefaultThreadFactory(name, true));
        one.allowCoreThreadTimeOut(true);
        return one;
    }

    EventLoopGroup eventLoops() {
        return eventLoops;
    }

    ExecutorService resolver() {
        return resolver;
    }

    ExecutorService handshaker() {
        return handshaker;
    }

    /**
     * Ends the threads, and waits for that, not longer than a few seconds, unless one of them calls. The transports that
     * use them are closed before. May be called twice.
     */
    @Override
    public void close() {
        resolver.shutdownNow();
        var ended = eventLoops.shutdownGracefully(0, 2, TimeUnit.SECONDS);
        if (!inEventLoop()) {
            ended.awaitUninterruptibly(3, TimeUnit.SECONDS);
        }
        handshaker.shutdownNow();
    }

    /** Whether the caller is one of the event loops. */
    boolean inEventLoop() {
        for (var eventLoop : eventLoops) {
            if (eventLoop.inEventLoop()) {
                return true;
            }
        }
        return false;
    }
}
