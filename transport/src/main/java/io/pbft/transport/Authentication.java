package io.pbft.transport;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.pbft.protocol.NodeId;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the end of the TLS handshake and then gives its place in the pipeline to a {@link PeerConnection}; until
 * then there is nothing behind TLS that a stranger could talk to. NOT thread-safe: lives on its channel's event loop.
 */
final class Authentication extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(Authentication.class);

    private final SslHandler ssl;
    private final Tls tls;
    private final Counters counters;
    private final Predicate<NodeId> expected;
    private final Function<NodeId, PeerConnection> connection;
    private final Runnable finished;

    /**
     * @param expected who may be at the other end
     * @param connection makes what takes over
     * @param finished called when the handshake has ended well, before the connection takes over
     */
    Authentication(
            SslHandler ssl,
            Tls tls,
            Counters counters,
            Predicate<NodeId> expected,
            Function<NodeId, PeerConnection> connection,
            Runnable finished) {
        this.ssl = ssl;
        this.tls = tls;
        this.counters = counters;
        this.expected = expected;
        this.connection = connection;
        this.finished = finished;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent completion)) {
            return;
        }
        if (!completion.isSuccess()) {
            Incident incident = incidentOf(completion.cause());
            counters.count(incident);
            LOG.debug(
                    "{} with {}: {}", incident, context.channel().remoteAddress(), String.valueOf(completion.cause()));
            context.close();
            return;
        }
        // Read from the session rather than remembered from the trust manager: a resumed session has not asked it.
        NodeId peer = tls.peer(ssl.engine().getSession());
        if (peer == null || !expected.test(peer)) {
            counters.count(Incident.REFUSED_KEY);
            context.close();
            return;
        }
        finished.run();
        context.pipeline().replace(this, "peer", connection.apply(peer));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        throw new IllegalStateException("data before the end of the handshake");
    }

    /** TLS has reported, or will report, the failed handshake as an event; the connection is of no use in any case. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }

    private static Incident incidentOf(@Nullable Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof Tls.UnknownKeyException) {
                return Incident.REFUSED_KEY;
            }
            if (cause instanceof SslHandshakeTimeoutException) {
                return Incident.HANDSHAKE_TIMEOUT;
            }
        }
        return Incident.HANDSHAKE_FAILED;
    }
}
