package io.pbft.client;

import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Message;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyFetch;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;

/**
 * Replicas in the same process that agree by construction: the first copy of a request that comes is executed, and every
 * replica answers each copy that it gets. Single replicas can be mute or lie.
 */
final class FakeNetwork implements Network {
    private final OneThread executor = new OneThread();
    final List<Bytes> requestFrames = new CopyOnWriteArrayList<>();
    final List<Request> requests = new CopyOnWriteArrayList<>();
    private final TestCluster cluster;
    private final boolean[] mute;
    private final boolean[] liar;
    private final boolean[] paused;
    /** By session and number. */
    private final Map<List<Long>, ReplyLeaf> leaves = new HashMap<>();

    private final Map<List<Long>, Bytes> results = new HashMap<>();
    private boolean executing = true;
    private boolean closed;
    private long seq;
    private Listener listener;

    FakeNetwork(TestCluster cluster) {
        this.cluster = cluster;
        this.mute = new boolean[cluster.quorum().replicas()];
        this.liar = new boolean[mute.length];
        this.paused = new boolean[mute.length];
    }

    synchronized FakeNetwork withMute(int replica) {
        mute[replica] = true;
        return this;
    }

    synchronized FakeNetwork withLiar(int replica) {
        liar[replica] = true;
        return this;
    }

    /** From now on requests are taken and answered, or taken and left alone. */
    synchronized void executing(boolean now) {
        executing = now;
    }

    void holdTicks() {
        executor.holdTicks();
    }

    @Override
    public void start(Listener to) {
        listener = to;
        for (int i = 0; i < mute.length; i++) {
            listener.onConnection(i, true);
        }
    }

    @Override
    public synchronized boolean send(int replica, Bytes frame) {
        if (closed) {
            return false;
        }
        Message message = Codec.decode(frame);
        if (message instanceof Signed<?> signed) {
            requestFrames.add(frame);
            requests.add(signed.as(Request.class).statement());
            if (executing && !mute[replica]) {
                onRequest(signed.as(Request.class).statement());
            }
        } else if (message instanceof ReadRequest read && !mute[replica]) {
            onRead(replica, read);
        } else if (message instanceof ReplyFetch fetch && !mute[replica]) {
            answer(replica, List.of(List.of(fetch.epoch(), fetch.number())), true);
        }
        return true;
    }

    private void onRequest(Request request) {
        List<List<Long>> numbers = new ArrayList<>();
        for (int i = 0; i < request.operations().size(); i++) {
            List<Long> number = List.of(request.epoch(), request.first() + i);
            numbers.add(number);
            if (!leaves.containsKey(number)) {
                Bytes operation = request.operations().get(i);
                boolean fails = operation.startsWith(Bytes.utf8("fail"));
                Outcome outcome = fails ? Outcome.FAILED : outcomeNamedBy(operation);
                Bytes result = fails ? Bytes.utf8("it cannot be") : TestCluster.reverse(operation);
                seq++;
                leaves.put(number, TestCluster.leaf(request, i, seq, outcome, result));
                results.put(number, result);
            }
        }
        for (int replica = 0; replica < mute.length; replica++) {
            if (!mute[replica]) {
                answer(replica, numbers, request.replier() < 0 || request.replier() == replica);
            }
        }
    }

    /** An operation that is the name of an outcome meets it. */
    private static Outcome outcomeNamedBy(Bytes operation) {
        for (Outcome outcome : Outcome.values()) {
            if (operation.equals(Bytes.utf8(outcome.name()))) {
                return outcome;
            }
        }
        return Outcome.EXECUTED;
    }

    private void answer(int replica, List<List<Long>> numbers, boolean full) {
        List<ReplyLeaf> said = new ArrayList<>();
        List<Optional<Bytes>> bytes = new ArrayList<>();
        for (List<Long> number : numbers) {
            ReplyLeaf leaf = leaves.get(number);
            Bytes lie = Bytes.utf8("a lie");
            said.add(
                    liar[replica]
                            ? new ReplyLeaf(
                                    leaf.client(),
                                    leaf.epoch(),
                                    leaf.number(),
                                    leaf.seq(),
                                    leaf.timeMillis(),
                                    leaf.operation(),
                                    leaf.outcome(),
                                    Digest.of(lie))
                            : leaf);
            bytes.add(full ? Optional.of(liar[replica] ? lie : results.get(number)) : Optional.empty());
        }
        Reply reply = cluster.reply(replica, 0, said, bytes);
        listener.onFrame(replica, Bytes.wrap(Codec.encode(reply)));
    }

    private void onRead(int replica, ReadRequest read) {
        Bytes result = liar[replica] ? Bytes.utf8("a lie") : TestCluster.reverse(read.operation());
        ReadReply reply = new ReadReply(
                read.nonce(),
                seq,
                TestCluster.TIME,
                Outcome.EXECUTED,
                Digest.of(result),
                read.full() ? Optional.of(result) : Optional.empty());
        listener.onFrame(replica, Bytes.wrap(Codec.encode(reply)));
    }

    @Override
    public synchronized void pause(int replica) {
        paused[replica] = true;
    }

    @Override
    public synchronized void resume(int replica) {
        paused[replica] = false;
    }

    synchronized boolean isPaused(int replica) {
        return paused[replica];
    }

    /** What anybody on the way could send. */
    void inject(int replica, Bytes frame) {
        listener.onFrame(replica, frame);
    }

    synchronized boolean isClosed() {
        return closed;
    }

    @Override
    public ScheduledExecutorService executor() {
        return executor;
    }

    @Override
    public boolean isOnExecutor() {
        return executor.isCurrent();
    }

    @Override
    public synchronized void close() {
        closed = true;
        executor.shutdown();
    }
}
