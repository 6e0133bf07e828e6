package io.pbft.transport;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** Records what a transport reports; a test takes it from here, waiting for it where it has to. */
class Recorder implements FrameHandler {
    /** How long a test waits for what must happen before it fails. */
    static final int PATIENCE_SECONDS = 60;

    record Frame(NodeId from, Bytes content) {}

    record PeerNews(NodeId peer, boolean up) {}

    final BlockingQueue<Frame> frames = new LinkedBlockingQueue<>();
    final BlockingQueue<PeerNews> news = new LinkedBlockingQueue<>();
    final AtomicReference<Inbound> lastInbound = new AtomicReference<>();

    @Override
    public void onFrame(Inbound from, Bytes frame) {
        lastInbound.set(from);
        frames.add(new Frame(from.peer(), frame));
    }

    @Override
    public void onPeer(NodeId peer, boolean up) {
        news.add(new PeerNews(peer, up));
    }

    Frame takeFrame() throws InterruptedException {
        return present(frames.poll(PATIENCE_SECONDS, TimeUnit.SECONDS), "a frame");
    }

    PeerNews takeNews() throws InterruptedException {
        return present(news.poll(PATIENCE_SECONDS, TimeUnit.SECONDS), "news of a peer");
    }

    /** Waits until this very news has come; other news before it is returned. */
    List<PeerNews> await(NodeId peer, boolean up) throws InterruptedException {
        List<PeerNews> others = new ArrayList<>();
        PeerNews wanted = new PeerNews(peer, up);
        for (PeerNews next = takeNews(); !next.equals(wanted); next = takeNews()) {
            others.add(next);
        }
        return others;
    }

    void awaitUp(NodeId... peers) throws InterruptedException {
        List<NodeId> missing = new ArrayList<>(List.of(peers));
        while (!missing.isEmpty()) {
            PeerNews next = takeNews();
            if (next.up()) {
                missing.remove(next.peer());
            }
        }
    }

    private static <T> T present(T value, String what) {
        if (value == null) {
            throw new AssertionError(what + " did not come within " + PATIENCE_SECONDS + " s");
        }
        return value;
    }
}
