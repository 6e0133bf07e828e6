package io.pbft.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.NodeId;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One authenticated connection: cuts what arrives into frames, and writes what waits in its {@link Outbox} while the
 * network takes it. Lives on its channel's event loop; {@link #send}, {@link #closeSoon} and the methods of
 * {@link Inbound} may be called from any thread.
 *
 * <p>Writing: {@code send} puts a frame into the outbox and asks the event loop for one pass over it, unless one has
 * been asked for already. The pass packs small frames into buffers, writes until the channel is no longer writable, and
 * flushes once; when the channel becomes writable again the next pass begins. So at most the channel's high watermark
 * and one frame are beyond the reach of the outbox's bounds and lanes.
 *
 * <p>The side that accepted registers the connection and then sends an empty frame. The side that dialled counts as
 * connected when it sees it: in TLS 1.3 the client's handshake ends before the server has looked at the client's
 * certificate. So when the dialling side is up the accepting one has been up before.
 */
final class PeerConnection extends ByteToMessageDecoder implements Inbound {
    private static final Logger LOG = LoggerFactory.getLogger(PeerConnection.class);
    private static final int HEADER_BYTES = Integer.BYTES;

    /** Small frames are packed into buffers of this size: one TLS record then carries many of them. */
    private static final int PACK_BYTES = 16 << 10;

    private final NodeId peer;
    private final boolean dialled;
    private final int frameBytesMax;
    private final TransportConfig.Timing timing;
    private final Outbox outbox;
    private final Connections connections;
    private final Counters counters;
    private final FrameHandler handler;
    private final AtomicBoolean passAsked = new AtomicBoolean();

    private volatile @Nullable ChannelHandlerContext context;
    private volatile long lastReadNanos = System.nanoTime();

    private boolean up;
    private boolean closed;
    private boolean paused;
    private boolean wroteSinceTick;
    private @Nullable Future<?> ticks;

    PeerConnection(
            NodeId peer,
            boolean dialled,
            TransportConfig config,
            Connections connections,
            Counters counters,
            SharedRoom room,
            FrameHandler handler) {
        this.peer = peer;
        this.dialled = dialled;
        this.frameBytesMax = TransportConfig.frameBytesMaxFrom(peer);
        this.timing = config.timing();
        this.outbox = new Outbox(config.queueTo(peer), room);
        this.connections = connections;
        this.counters = counters;
        this.handler = handler;
    }

    @Override
    public NodeId peer() {
        return peer;
    }

    /** When something was last heard from the peer, by {@link System#nanoTime}. */
    long lastReadNanos() {
        return lastReadNanos;
    }

    // Writing

    /** Puts {@code frame} into its lane; false when the connection is closed. */
    boolean send(Lane lane, Bytes frame) {
        int dropped = outbox.offer(lane, frame);
        if (dropped < 0) {
            return false;
        }
        if (dropped > 0) {
            counters.count(
                    lane == Lane.PRIORITY ? Incident.DROPPED_PRIORITY_FULL : Incident.DROPPED_BULK_FULL, dropped);
        }
        askForPass();
        return true;
    }

    private void askForPass() {
        ChannelHandlerContext current = context;
        if (current != null && passAsked.compareAndSet(false, true)) {
            current.executor().execute(this::pass);
        }
    }

    private void pass() {
        // Cleared first: a frame that is offered from here on asks for another pass.
        passAsked.set(false);
        ChannelHandlerContext current = context;
        if (current == null || closed) {
            return;
        }
        boolean wrote = false;
        while (current.channel().isWritable()) {
            ByteBuf packed = pack(current);
            if (packed == null) {
                break;
            }
            current.write(packed);
            wrote = true;
        }
        if (wrote) {
            wroteSinceTick = true;
            current.flush();
        }
    }

    /** The next frames in one buffer: as many as fit into {@link #PACK_BYTES}, or one that is larger. */
    private @Nullable ByteBuf pack(ChannelHandlerContext current) {
        Bytes frame = outbox.poll(Integer.MAX_VALUE);
        if (frame == null) {
            return null;
        }
        ByteBuf packed = current.alloc().buffer(Math.max(PACK_BYTES, HEADER_BYTES + frame.size()));
        while (frame != null) {
            packed.writeInt(frame.size());
            packed.writeBytes(frame.asReadOnlyBuffer());
            counters.frameOut(frame.size());
            int room = PACK_BYTES - packed.readableBytes() - HEADER_BYTES;
            frame = room > 0 ? outbox.poll(room) : null;
        }
        return packed;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext current) {
        if (current.channel().isWritable() && !outbox.isEmpty()) {
            // Not from within the write that made it so.
            askForPass();
        }
        current.fireChannelWritabilityChanged();
    }

    // Life

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        lastReadNanos = System.nanoTime();
        ticks = added.executor()
                .scheduleAtFixedRate(this::tick, timing.pingMillis(), timing.pingMillis(), TimeUnit.MILLISECONDS);
        if (!dialled) {
            comeUp();
            if (!closed) {
                added.writeAndFlush(emptyFrame());
            }
        }
    }

    private void comeUp() {
        up = true;
        if (!connections.add(this)) {
            close(Incident.REFUSED_CONNECTIONS_FULL);
        }
    }

    /** Says "I am here" when nothing else was said, and closes the connection of a peer that says nothing. */
    private void tick() {
        ChannelHandlerContext current = context;
        if (current == null || closed) {
            return;
        }
        if (!wroteSinceTick && current.channel().isWritable()) {
            current.writeAndFlush(emptyFrame());
        }
        wroteSinceTick = false;
        long silentMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastReadNanos);
        if (!up && silentMillis > timing.handshakeMillisMax()) {
            close(Incident.HANDSHAKE_TIMEOUT);
        } else if (!paused && silentMillis > timing.readIdleMillisMax()) {
            close(Incident.CLOSED_READ_IDLE);
        }
    }

    private static ByteBuf emptyFrame() {
        return Unpooled.buffer(HEADER_BYTES).writeInt(0);
    }

    /** Closes from any thread. */
    void closeSoon(Incident incident) {
        onEventLoop(() -> close(incident));
    }

    private void close(Incident incident) {
        ChannelHandlerContext current = context;
        if (closed || current == null) {
            return;
        }
        forget(incident);
        current.close();
    }

    /** The connection is gone for all others from here on, even while its socket is still closing. */
    private void forget(Incident incident) {
        closed = true;
        counters.count(incident);
        int waiting = outbox.close();
        if (waiting > 0) {
            counters.count(Incident.DROPPED_CONNECTION_CLOSED, waiting);
        }
        if (ticks != null) {
            ticks.cancel(false);
        }
        connections.remove(this);
        LOG.debug("connection with {} closed: {}", peer, incident);
    }

    @Override
    public void channelInactive(ChannelHandlerContext current) throws Exception {
        // First what arrived whole before the end, then the news of the end.
        super.channelInactive(current);
        if (!closed) {
            forget(up ? Incident.CLOSED_BY_PEER : Incident.CLOSED_BEFORE_ACCEPTED);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext current, Throwable cause) {
        if (cause instanceof IOException || cause.getCause() instanceof IOException) {
            // Reset by the peer, or TLS that no longer decrypts; before we were accepted it is the peer's refusal.
            close(up ? Incident.CLOSED_IO_ERROR : Incident.CLOSED_BEFORE_ACCEPTED);
            return;
        }
        LOG.error("the handler of frames from {} failed; the connection is closed", peer, cause);
        close(Incident.CLOSED_HANDLER_FAILED);
    }

    // Reading

    @Override
    public void channelRead(ChannelHandlerContext current, Object message) throws Exception {
        lastReadNanos = System.nanoTime();
        super.channelRead(current, message);
    }

    /** Unlike the inherited one, asks for no further data when nothing came of this: reading may be paused. */
    @Override
    public void channelReadComplete(ChannelHandlerContext current) {
        discardSomeReadBytes();
        current.fireChannelReadComplete();
    }

    @Override
    protected void decode(ChannelHandlerContext current, ByteBuf in, List<Object> out) {
        if (closed) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (paused || in.readableBytes() < HEADER_BYTES) {
            return;
        }
        int size = in.getInt(in.readerIndex());
        if (size < 0 || size > frameBytesMax) {
            close(Incident.CLOSED_BAD_FRAME);
            return;
        }
        if (in.readableBytes() < HEADER_BYTES + size) {
            return;
        }
        in.skipBytes(HEADER_BYTES);
        if (!up) {
            comeUp();
        }
        if (size > 0 && !closed) {
            byte[] frame = new byte[size];
            in.readBytes(frame);
            counters.frameIn(size);
            handler.onFrame(this, Bytes.wrap(frame));
        }
    }

    @Override
    public void pauseReading() {
        onEventLoop(() -> {
            ChannelHandlerContext current = context;
            if (!paused && !closed && current != null) {
                paused = true;
                current.channel().config().setAutoRead(false);
            }
        });
    }

    @Override
    public void resumeReading() {
        ChannelHandlerContext current = context;
        if (current != null) {
            // Never from within the decoder's own loop: it goes on with what it holds, from the start.
            current.executor().execute(this::resume);
        }
    }

    private void resume() {
        ChannelHandlerContext current = context;
        if (!paused || closed || current == null) {
            return;
        }
        paused = false;
        lastReadNanos = System.nanoTime();
        try {
            super.channelRead(current, Unpooled.EMPTY_BUFFER);
        } catch (Exception e) {
            exceptionCaught(current, e);
        }
        if (!paused) {
            current.channel().config().setAutoRead(true);
        }
    }

    private void onEventLoop(Runnable action) {
        ChannelHandlerContext current = context;
        if (current == null) {
            return;
        }
        if (current.executor().inEventLoop()) {
            action.run();
        } else {
            current.executor().execute(action);
        }
    }

    @Override
    public String toString() {
        return "connection with " + peer;
    }
}
