package io.pbft.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.pbft.protocol.NodeId;
import java.net.InetSocketAddress;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one connection to one peer: dials, waits for its end, dials again. The pause between two dials doubles, up to a
 * limit, and is drawn from its upper half at random, so that a cluster that lost a node does not come back to it in
 * step. It starts afresh after a connection that lived for a while: one that is refused each time, or breaks each time,
 * does not count as a success. Lives on one event loop.
 */
final class Dialer {
    private static final Logger LOG = LoggerFactory.getLogger(Dialer.class);

    private final NodeId peer;
    private final InetSocketAddress address;
    private final Bootstrap bootstrap;
    private final TransportConfig.Timing timing;
    private final Counters counters;
    private final Executor resolver;
    private final Executor eventLoop;
    private volatile boolean stopped;
    private int pauseMillis;

    /** @param resolver where host names are looked up, as that blocks */
    Dialer(
            NodeId peer,
            InetSocketAddress address,
            Bootstrap bootstrap,
            TransportConfig.Timing timing,
            Counters counters,
            Executor resolver,
            Executor eventLoop) {
        this.peer = peer;
        this.address = address;
        this.bootstrap = bootstrap;
        this.timing = timing;
        this.counters = counters;
        this.resolver = resolver;
        this.eventLoop = eventLoop;
        this.pauseMillis = timing.reconnectMillisMin();
    }

    void start() {
        resolve();
    }

    void stop() {
        stopped = true;
    }

    /** Looks the name up anew each time: a node that moved is found again. */
    private void resolve() {
        submit(resolver, () -> {
            InetSocketAddress resolved = new InetSocketAddress(address.getHostString(), address.getPort());
            submit(eventLoop, () -> dial(resolved));
        });
    }

    private void submit(Executor executor, Runnable task) {
        try {
            executor.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("no more dialling of {}: the transport is closing", peer);
        }
    }

    private void dial(InetSocketAddress resolved) {
        if (stopped) {
            return;
        }
        ChannelFuture connecting = bootstrap.connect(resolved);
        connecting.addListener(done -> {
            if (done.isSuccess()) {
                connected(connecting.channel());
            } else {
                counters.count(Incident.DIAL_FAILED);
                LOG.debug("cannot dial {} at {}: {}", peer, resolved, String.valueOf(done.cause()));
                again(connecting.channel());
            }
        });
    }

    private void connected(Channel channel) {
        if (stopped) {
            channel.close();
            return;
        }
        long since = System.nanoTime();
        channel.closeFuture().addListener(closed -> {
            long livedMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);
            if (livedMillis >= timing.reconnectMillisMax()) {
                pauseMillis = timing.reconnectMillisMin();
            }
            again(channel);
        });
    }

    private void again(Channel channel) {
        if (stopped || channel.eventLoop().isShuttingDown()) {
            return;
        }
        int millis = pauseMillis / 2 + ThreadLocalRandom.current().nextInt(pauseMillis / 2 + 1);
        pauseMillis = Math.min(2 * pauseMillis, timing.reconnectMillisMax());
        channel.eventLoop().schedule(this::resolve, millis, TimeUnit.MILLISECONDS);
    }
}
