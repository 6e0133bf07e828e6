package io.pbft.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.pbft.protocol.NodeId;
import java.net.InetSocketAddress;
import java.util.SplittableRandom;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one connection to one peer: dials, waits for its end, pauses ({@link Backoff}), dials again. A connection that
 * is refused each time, or breaks each time, does not count as a success and does not shorten the pauses. Lives on one
 * event loop.
 */
final class Dialer {
    private static final Logger LOG = LoggerFactory.getLogger(Dialer.class);

    private final NodeId peer;
    private final InetSocketAddress address;
    private final Bootstrap bootstrap;
    private final Backoff backoff;
    private final Counters counters;
    private final Executor resolver;
    private final Executor eventLoop;
    private volatile boolean stopped;

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
        this.counters = counters;
        this.resolver = resolver;
        this.eventLoop = eventLoop;
        this.backoff = new Backoff(timing.reconnectMillisMin(), timing.reconnectMillisMax(), new SplittableRandom());
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
            backoff.connectionLived(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since));
            again(channel);
        });
    }

    private void again(Channel channel) {
        if (stopped || channel.eventLoop().isShuttingDown()) {
            return;
        }
        channel.eventLoop().schedule(this::resolve, backoff.nextMillis(), TimeUnit.MILLISECONDS);
    }
}
