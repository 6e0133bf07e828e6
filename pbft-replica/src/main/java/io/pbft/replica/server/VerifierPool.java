package io.pbft.replica.server;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Codec;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes and verifies frames off the core's thread: on threads of its own, or, with none, on the thread that brings
 * the frame. All frames of one sender go to one worker, so that they keep their order. A frame that is not believed is
 * counted under its sender and a reason, logged the first time, and forgotten: it is data, and no frame whatever stops
 * a worker. An {@link Error}, such as no memory, is not about the frame: it goes to {@code failed}.
 *
 * <p>Thread-safe. The queues in here are bounded by {@link Admission}.
 */
final class VerifierPool implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VerifierPool.class);

    private final Verifier verifier;
    private final Admission admission;
    private final Inbox inbox;
    private final Counters counters;
    private final Consumer<Throwable> failed;
    private final List<Worker> workers = new ArrayList<>();
    private volatile boolean closed;

    /** A frame and the node at the other end of the connection that it came over. */
    private record Frame(NodeId from, Bytes bytes) {}

    VerifierPool(
            int threads,
            Verifier verifier,
            Admission admission,
            Inbox inbox,
            Counters counters,
            Consumer<Throwable> failed,
            String name) {
        this.verifier = verifier;
        this.admission = admission;
        this.inbox = inbox;
        this.counters = counters;
        this.failed = failed;
        for (int i = 0; i < threads; i++) {
            Worker worker = new Worker(name + "-verify-" + i);
            workers.add(worker);
            worker.start();
        }
    }

    /** Takes a frame; never blocks. The frames of one sender come one after the other. */
    void submit(NodeId from, Bytes bytes, Admission.Flow flow) {
        if (closed) {
            return;
        }
        if (!admission.admit(from, bytes.size(), flow)) {
            refuse(from, Counters.NO_ROOM, "it sends faster than it is served");
            return;
        }
        Frame frame = new Frame(from, bytes);
        if (workers.isEmpty()) {
            take(frame);
            return;
        }
        int lane = from.isReplica() ? from.index() : from.index() + 1;
        workers.get(lane % workers.size()).frames.add(frame);
    }

    @Override
    public void close() {
        closed = true;
        workers.forEach(Thread::interrupt);
    }

    private void refuse(NodeId from, String reason, String detail) {
        if (counters.refused(from, reason)) {
            LOG.warn(
                    "a message of {} was refused: {} ({}); the next ones of this kind are only counted",
                    from,
                    reason,
                    detail);
        }
    }

    private void take(Frame frame) {
        boolean taken = false;
        try {
            taken = believed(frame);
        } catch (Error e) {
            failed.accept(e);
        } finally {
            if (!taken) {
                admission.release(frame.from(), frame.bytes().size());
            }
        }
    }

    private boolean believed(Frame frame) {
        try {
            Verdict verdict = verifier.verify(frame.from(), Codec.decode(frame.bytes()));
            if (verdict instanceof Verdict.Accepted accepted) {
                counters.accepted();
                inbox.put(new Inbox.Admitted(accepted.message(), frame.bytes().size()));
                return true;
            }
            Verdict.Rejected rejected = (Verdict.Rejected) verdict;
            refuse(frame.from(), rejected.reason().name(), rejected.detail());
        } catch (MalformedMessage e) {
            refuse(frame.from(), Counters.MALFORMED, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            // A defect of ours, but one that a peer can reach: to stop for it would let that peer stop us.
            refuse(frame.from(), Counters.NOT_VERIFIABLE, e.toString());
            LOG.error("the verifier failed on a message of {}", frame.from(), e);
        }
        return false;
    }

    private final class Worker extends Thread {
        private final BlockingQueue<Frame> frames = new LinkedBlockingQueue<>();

        Worker(String name) {
            super(name);
            setDaemon(true);
        }

        @Override
        public void run() {
            try {
                while (!closed) {
                    take(frames.take());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
