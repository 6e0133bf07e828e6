package io.pbft.transport;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.ChannelGroupFuture;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.protocol.NodeId;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A node's connections with all others: moves frames, knows nothing of what is in them. Thread-safe.
 *
 * <p><b>Who dials.</b> Of two nodes the greater in the order of {@link NodeId} dials the lesser: replica 3 dials 0, 1
 * and 2, and a client dials every replica. So there is one connection for each pair, used in both directions, no race
 * between two that cross, and one side whose duty it is to restore it. A connection from a lesser node is refused, as
 * is one from a client to a client.
 *
 * <p><b>Who gets in.</b> TLS 1.3 on every connection, both sides authenticated, keys pinned ({@link Tls}). A stranger
 * can hold one of a bounded number of places for the time of a handshake, and gets no byte beyond it. The costly part
 * of handshakes runs on a thread of its own, so that a flood of strangers slows newcomers down and not those who are
 * in.
 *
 * <p><b>What is bounded.</b> Frames by {@link Limits#FRAME_BYTES_MAX}, from clients by less; queues by
 * {@link TransportConfig.Queue}; connections and handshakes by {@link TransportConfig.Admission}; what the network
 * layer buffers for one connection by {@value #WRITE_BYTES_HIGH} bytes and one frame. A full lane drops its oldest
 * frame.
 */
public final class Transport implements AutoCloseable {
    private static final int WRITE_BYTES_LOW = 128 << 10;
    private static final int WRITE_BYTES_HIGH = 512 << 10;
    private static final int CONNECT_MILLIS_MAX = 5_000;
    private static final int CLOSE_NOTIFY_MILLIS_MAX = 500;
    private static final int ACCEPT_BACKLOG = 1_024;

    private enum State {
        NEW,
        STARTED,
        CLOSED
    }

    private final TransportConfig config;
    private final FrameHandler handler;
    private final Tls tls;
    private final Counters counters = new Counters();
    private final SharedRoom toClients = new SharedRoom(TransportConfig.TO_CLIENTS_BYTES_MAX);
    private final Connections connections;
    private final Handshakes handshakes;
    private final TransportThreads threads;
    private final boolean ownThreads;
    private final EventLoop home;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);

    private final Object lifecycle = new Object();

    @GuardedBy("lifecycle")
    private State state = State.NEW;

    @GuardedBy("lifecycle")
    private final List<Dialer> dialers = new ArrayList<>();

    @GuardedBy("lifecycle")
    private @Nullable Channel listener;

    /** With threads of its own. Touches no network: {@link #start} does. */
    public Transport(TransportConfig config, FrameHandler handler) {
        this(config, handler, new TransportThreads("pbft-" + config.self(), config.threads()), true);
    }

    /**
     * On threads that are shared and closed by whoever made them; {@link TransportConfig#threads} does not matter then. All
     * connections that this node dials live on one of the event loops.
     */
    public Transport(TransportConfig config, FrameHandler handler, TransportThreads threads) {
        this(config, handler, threads, false);
    }

    private Transport(TransportConfig config, FrameHandler handler, TransportThreads threads, boolean ownThreads) {
        this.config = config;
        this.handler = handler;
        this.tls = new Tls(config.self(), config.privateKey(), config.keys());
        this.connections = new Connections(config.admission(), handler);
        this.handshakes = new Handshakes(config.admission());
        this.threads = threads;
        this.ownThreads = ownThreads;
        this.home = threads.eventLoops().next();
    }

    /**
     * The event loop that dialled peers' frames are handed over on: one thread. Whoever handles frames there as well needs no
     * lock and no switch of threads for it. It ends with the threads of this transport.
     */
    public ScheduledExecutorService executor() {
        return home;
    }

    /** Whether the caller is the thread of {@link #executor}. */
    public boolean isOnExecutor() {
        return home.inEventLoop();
    }

    /**
     * Listens, when configured to, and begins to dial. Frames and peers may be reported before this returns.
     *
     * @throws TransportException when the address cannot be listened on; the transport is closed then
     */
    public void start() {
        synchronized (lifecycle) {
            if (state != State.NEW) {
                throw new IllegalStateException("a transport starts once; this one is " + state);
            }
            state = State.STARTED;
            config.listen().ifPresent(this::listen);
            config.replicas().forEach((replica, address) -> {
                if (replica.compareTo(config.self()) < 0) {
                    dialers.add(dialer(replica, address));
                }
            });
            dialers.forEach(Dialer::start);
        }
    }

    /**
     * Queues {@code frame} on every connection with {@code to}; never blocks. That it was queued does not say that it
     * arrives.
     *
     * @return false when there is no connection with {@code to}: the frame is dropped and counted
     * @throws IllegalArgumentException when the frame is empty, or larger than the peer accepts from this node
     */
    public boolean send(NodeId to, Lane lane, Bytes frame) {
        int most = TransportConfig.frameBytesMaxFrom(config.self());
        if (frame.isEmpty() || frame.size() > most) {
            throw new IllegalArgumentException(
                    "a frame to " + to + " has 1 to " + most + " bytes, not " + frame.size());
        }
        boolean queued = false;
        for (PeerConnection connection : connections.of(to)) {
            queued |= connection.send(lane, frame);
        }
        if (!queued) {
            counters.count(Incident.DROPPED_NOT_CONNECTED);
        }
        return queued;
    }

    /** Whether there is a connection with {@code peer} right now. */
    public boolean isUp(NodeId peer) {
        return !connections.of(peer).isEmpty();
    }

    /** The address that is listened on, with the port that was chosen where 0 was configured. */
    public InetSocketAddress listenAddress() {
        synchronized (lifecycle) {
            if (listener == null) {
                throw new IllegalStateException(config.self() + " does not listen");
            }
            return (InetSocketAddress) listener.localAddress();
        }
    }

    public TransportStats stats() {
        return counters.snapshot(connections.size(), handshakes.size());
    }

    /**
     * Closes all connections and ends the threads that are its own; waits for that, not longer than a few seconds, unless an
     * event loop calls. To call it again is to wait again.
     */
    @Override
    public void close() {
        boolean first;
        synchronized (lifecycle) {
            first = state != State.CLOSED;
            state = State.CLOSED;
            dialers.forEach(Dialer::stop);
        }
        if (first) {
            connections.closeAll(Incident.CLOSED_HERE);
        }
        ChannelGroupFuture closed = channels.close();
        if (!threads.inEventLoop()) {
            closed.awaitUninterruptibly(2 * CLOSE_NOTIFY_MILLIS_MAX, TimeUnit.MILLISECONDS);
        }
        if (ownThreads) {
            threads.close();
        }
    }

    // Accepting

    private void listen(InetSocketAddress address) {
        SslContext context = tls.server();
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(threads.eventLoops())
                .channelFactory(Sockets::server)
                .option(ChannelOption.SO_BACKLOG, ACCEPT_BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(WRITE_BYTES_LOW, WRITE_BYTES_HIGH))
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel, context);
                    }
                });
        ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            close();
            throw cannotListen(address, bound.cause());
        }
        synchronized (lifecycle) {
            listener = bound.channel();
        }
        channels.add(bound.channel());
    }

    private TransportException cannotListen(InetSocketAddress address, Throwable cause) {
        // By its text: the JDK's sockets and epoll's throw different types.
        String advice = String.valueOf(cause.getMessage()).contains("in use")
                ? "Another process, perhaps an earlier " + config.self() + ", holds this port: stop it, or give "
                        + config.self() + " another port in the cluster's configuration."
                : "The address must be one of this machine, and the port one that this user may open: correct it in the"
                        + " cluster's configuration.";
        String reason = cause instanceof UnresolvedAddressException
                ? "the host name cannot be resolved"
                : String.valueOf(cause.getMessage());
        return new TransportException(
                config.self() + " cannot listen on " + address.getHostString() + ":" + address.getPort() + ": " + reason
                        + ". " + advice,
                cause);
    }

    private void accept(SocketChannel channel, SslContext context) {
        InetAddress address = channel.remoteAddress().getAddress();
        Incident refused = handshakes.enter(address);
        if (refused != null) {
            counters.count(refused);
            channel.close();
            return;
        }
        AtomicBoolean inside = new AtomicBoolean(true);
        Runnable leave = () -> {
            if (inside.compareAndSet(true, false)) {
                handshakes.leave(address);
            }
        };
        channel.closeFuture().addListener(closed -> leave.run());
        channels.add(channel);
        install(channel, context, tls::mayDialUs, false, leave);
    }

    // Dialling

    private Dialer dialer(NodeId peer, InetSocketAddress address) {
        SslContext context = tls.client(peer);
        EventLoop eventLoop = config.listen().isPresent() ? threads.eventLoops().next() : home;
        Bootstrap bootstrap = new Bootstrap()
                .group(eventLoop)
                .channelFactory(Sockets::client)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS_MAX)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(WRITE_BYTES_LOW, WRITE_BYTES_HIGH))
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channels.add(channel);
                        install(channel, context, peer::equals, true, () -> {});
                    }
                });
        return new Dialer(peer, address, bootstrap, config.timing(), counters, threads.resolver(), eventLoop);
    }

    private void install(
            SocketChannel channel,
            SslContext context,
            Predicate<NodeId> expected,
            boolean dialled,
            Runnable authenticated) {
        SslHandler ssl = new Tls.Handler(context.newEngine(channel.alloc()), threads.handshaker());
        ssl.setHandshakeTimeoutMillis(config.timing().handshakeMillisMax());
        ssl.setCloseNotifyFlushTimeoutMillis(CLOSE_NOTIFY_MILLIS_MAX);
        channel.pipeline()
                .addLast("tls", ssl)
                .addLast(
                        "authentication",
                        new Authentication(
                                ssl,
                                tls,
                                counters,
                                expected,
                                peer -> new PeerConnection(
                                        peer, dialled, config, connections, counters, roomTo(peer), handler),
                                authenticated));
    }

    private SharedRoom roomTo(NodeId peer) {
        return peer.isClient() ? toClients : SharedRoom.unlimited();
    }
}
