package io.pbft.client.core;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Limits;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Refusal;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyFetch;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verified;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The protocol of a client: a function of its inputs (TOCS'02, section 2.3.1). NOT thread-safe. The same state and input give
 * the same effects.
 *
 * <h2>Sessions and numbers</h2>
 * A session is named by an epoch that the driver never uses twice for one key; its operations are numbered from 1. At most
 * {@link Config#window} numbers are outstanding. {@code lowest} is the lowest number whose outcome is still of interest; every
 * request carries it, so that replicas forget what lies below. A number is never given to two operations, so an operation is
 * executed once at most, however often its request is sent.
 *
 * <h2>Bundles</h2>
 * Everything that waits is sent as one request: at once while fewer than {@link #FEW_OPERATIONS} are in flight, otherwise as soon
 * as it is more than what is in flight, and at the next tick at the latest; but not while {@link Config#bundlesMax} requests are
 * in flight. So an idle client adds no delay, and a busy one pays one signature for many operations.
 * Operations that wait at the same time may be executed in any order: who needs an order waits for the first result.
 *
 * <h2>Whom to ask</h2>
 * A request goes to the primary of the {@link ViewBelief}. When its answer is late, or the connection to the primary breaks, the
 * very same signed bytes go to all replicas, which makes the backups watch the primary. Late is four times what answers took of
 * late, within the bounds of {@link Config}, doubling each time. Once answers take as long as the lower of these bounds, one
 * request in {@link #TELL_ALL_EVERY} goes to all at once, so that the backups can tell whether it is the primary that is slow.
 *
 * <h2>What is believed</h2>
 * An outcome is believed once f + 1 replicas have signed the same leaf for it, about the very bytes that were submitted. The
 * result's bytes must have the digest in that leaf, whoever sent them. When results were large of late, a request names one
 * replica that sends them in full, in turn; if that one fails, the others are asked, one after the other.
 *
 * <h2>Operations given up</h2>
 * An operation that was given up before it was sent will never be executed. One that was sent stays outstanding, and its request
 * is sent again under the same number, until its outcome is known or somebody else needs its place: then it is dropped and
 * {@code lowest} passes it. It may be executed once all the same.
 *
 * <h2>Memory</h2>
 * For n replicas: {@link Config#queueMax} waiting operations; {@link Config#window} outstanding ones with n leaves and paths
 * each (about 200 + 32 log2(batch) bytes); {@link Config#bundlesMax} requests of at most {@link Limits#REQUEST_BYTES_MAX};
 * {@link Config#readsMax} reads with n answers each; n times {@link Config#heldBytesMax} of unproven results; and one proven
 * result for each outstanding operation that is handed out at once.
 */
public final class ClientCore {
    /** While fewer are in flight, none waits for others. */
    static final int FEW_OPERATIONS = 8;

    /** While answers take long, one in so many requests goes to all replicas at once. */
    static final int TELL_ALL_EVERY = 4;

    private final Config config;
    private final ViewBelief views;
    private final HeldBytes held;
    private final boolean[] up;

    /** What waits to be ordered, and what waits to be read, in the order of tickets. */
    private final TreeMap<Long, Waiting> queue = new TreeMap<>();

    /** Bytes of the operations in {@link #queue}. */
    private long queueBytes;

    /** Whether this step is a tick's: what waits goes then. */
    private boolean ticked;

    private final TreeMap<Long, WaitingRead> readQueue = new TreeMap<>();
    private final TreeMap<Long, PendingOperation> pending = new TreeMap<>();
    private final TreeMap<Long, Bundle> bundles = new TreeMap<>();
    private final TreeMap<Long, ReadInFlight> reads = new TreeMap<>();
    private final TreeMap<Long, Long> numberOfTicket = new TreeMap<>();
    private final TreeMap<Long, Long> nonceOfTicket = new TreeMap<>();

    /** Operations with an agreed leaf whose bytes are missing, by number. */
    private final TreeMap<Long, PendingOperation> withoutBytes = new TreeMap<>();

    private final EnumMap<Ignored, Long> ignored = new EnumMap<>(Ignored.class);

    private long epoch;
    private long next = 1;
    private long nonce;
    private long lastTicket = Long.MIN_VALUE;
    private long tick;
    /** Over, or ending: nothing more is sent in it. */
    private Optional<Outcome> sessionEnds = Optional.empty();

    private boolean sessionAsked;
    private int replier;
    /** Smoothed: eight times the ticks until an answer, eight times the bytes of a result. */
    private long latencyTicks8;

    private int sinceToldAll;
    private long resultBytes8;

    private long retransmissions;
    private long fetches;
    private long readFallbacks;

    /** An operation, or a read that could not be answered outside of the order. */
    private record Waiting(Bytes operation, boolean read) {}

    private record WaitingRead(Bytes operation, boolean upToDate) {}

    /**
     * @param epoch the session's: greater than any that this client's key was used with before. Its upper 44 bits are the
     *     milliseconds since 1970, its lower 20 random
     */
    public ClientCore(Config config, long epoch) {
        this.config = config;
        this.epoch = epoch;
        this.nonce = nonceBefore(epoch);
        this.views = new ViewBelief(config.quorum());
        this.held = new HeldBytes(config.quorum().replicas(), config.heldBytesMax());
        this.up = new boolean[config.quorum().replicas()];
        Arrays.fill(up, true);
        this.replier = (int) Math.floorMod(epoch, (long) config.quorum().replicas());
    }

    /**
     * Where the nonces of reads begin. Replicas answer a client on all of its connections, so processes that share a key must not
     * share nonces: they begin as far apart as their epochs' hashes (the finalizer of SplitMix64).
     */
    static long nonceBefore(long epoch) {
        long mixed = (epoch ^ epoch >>> 30) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
        return (mixed ^ mixed >>> 31) >>> 2;
    }

    /** Takes one input and appends what is to be done. */
    public void step(Input input, Effects out) {
        apply(input, out);
        settle(out);
    }

    /** Takes inputs that came together: operations among them share requests from the first one on. */
    public void step(List<? extends Input> inputs, Effects out) {
        for (Input input : inputs) {
            apply(input, out);
        }
        settle(out);
    }

    /**
     * Whether a reply says something that is not known yet. What is of no interest need not be verified: of the n replies to an
     * operation, f + 1 do.
     */
    public boolean wants(Reply reply) {
        for (Reply.Item item : reply.items()) {
            ReplyLeaf leaf = item.leaf();
            PendingOperation operation = leaf.epoch() == epoch ? pending.get(leaf.number()) : null;
            if (operation != null && (!operation.agreed() || item.result().isPresent())) {
                return true;
            }
        }
        return false;
    }

    private void settle(Effects out) {
        endSessionWhenDrained(out);
        sendWhatWaits(out);
        ticked = false;
        checkInvariants();
    }

    private void apply(Input input, Effects out) {
        if (input instanceof Input.Submit submit) {
            if (accept(submit.ticket(), submit.operation(), out)) {
                enqueue(submit.ticket(), new Waiting(submit.operation(), false));
            }
        } else if (input instanceof Input.Read read) {
            if (accept(read.ticket(), read.operation(), out)) {
                readQueue.put(read.ticket(), new WaitingRead(read.operation(), read.upToDate()));
            }
        } else if (input instanceof Input.Received received) {
            onMessage(received.message(), out);
        } else if (input instanceof Input.Tick) {
            onTick(out);
        } else if (input instanceof Input.Abandon abandon) {
            onAbandon(abandon.ticket(), out);
        } else if (input instanceof Input.Connection connection) {
            onConnection(connection.replica(), connection.up(), out);
        } else if (input instanceof Input.SessionBegan began) {
            onSessionBegan(began.epoch());
        }
    }

    public ClientReport report() {
        return new ClientReport(
                epoch,
                views.view(),
                lowest(),
                next,
                queue.size() + readQueue.size(),
                pending.size(),
                bundles.size(),
                reads.size(),
                held.total(),
                retransmissions,
                fetches,
                readFallbacks,
                Collections.unmodifiableMap(new EnumMap<>(ignored)));
    }

    // ---- what the application asks ----

    private boolean accept(long ticket, Bytes operation, Effects out) {
        if (ticket <= lastTicket) {
            throw new IllegalArgumentException("ticket " + ticket + " after " + lastTicket);
        }
        if (operation.size() > Limits.OPERATION_BYTES_MAX) {
            throw new IllegalArgumentException("an operation of " + operation.size() + " bytes; at most "
                    + Limits.OPERATION_BYTES_MAX + " are allowed");
        }
        lastTicket = ticket;
        if (queue.size() + readQueue.size() >= config.queueMax()) {
            out.add(new Effect.Fail(ticket, Failure.OVERLOADED));
            return false;
        }
        return true;
    }

    private void enqueue(long ticket, Waiting waiting) {
        queue.put(ticket, waiting);
        queueBytes += waiting.operation().size();
    }

    private void onAbandon(long ticket, Effects out) {
        Waiting waiting = queue.remove(ticket);
        if (waiting != null) {
            queueBytes -= waiting.operation().size();
            out.add(new Effect.Fail(ticket, waiting.read() ? Failure.READ_UNANSWERED : Failure.NOT_SENT));
            return;
        }
        Long readNonce = nonceOfTicket.get(ticket);
        if (readQueue.remove(ticket) != null || readNonce != null) {
            if (readNonce != null) {
                forgetRead(readNonce);
            }
            out.add(new Effect.Fail(ticket, Failure.READ_UNANSWERED));
            return;
        }
        Long number = numberOfTicket.get(ticket);
        PendingOperation operation = number == null ? null : pending.get(number);
        if (operation == null || operation.abandoned()) {
            return;
        }
        operation.abandon();
        if (!operation.agreed()) {
            operation.bundle.awaited--;
        }
        out.add(new Effect.Fail(ticket, operation.read ? Failure.READ_UNANSWERED : Failure.UNKNOWN));
    }

    // ---- sending ----

    private void sendWhatWaits(Effects out) {
        if (!anyUp()) {
            return;
        }
        sendReads(out);
        while (!queue.isEmpty() && sessionEnds.isEmpty() && (ticked || worthABundle()) && makeRoom(out)) {
            sendBundle(out);
        }
    }

    /**
     * A request costs everybody the same signatures whatever is in it. Few operations are for whoever waits for them, and
     * go at once; beyond that another request is worth its cost when it carries more than is in flight, or all that one may
     * carry. So two halves that follow each other become one.
     */
    private boolean worthABundle() {
        int inFlight = 0;
        for (Bundle bundle : bundles.values()) {
            inFlight += bundle.awaited;
        }
        return inFlight < FEW_OPERATIONS
                || queue.size() > Math.min(inFlight, Limits.REQUEST_OPERATIONS_MAX - 1)
                || queueBytes >= Limits.REQUEST_BYTES_MAX;
    }

    /** Whether one more request may be sent: operations that were given up make place where there is none. */
    private boolean makeRoom(Effects out) {
        while (next - lowest() >= config.window()) {
            PendingOperation first = pending.firstEntry().getValue();
            if (!first.abandoned()) {
                return false;
            }
            drop(first, out);
        }
        if (bundles.size() < config.bundlesMax()) {
            return true;
        }
        for (Bundle bundle : bundles.values()) {
            if (bundle.awaited == 0) {
                dropAll(bundle, out);
                return true;
            }
        }
        return false;
    }

    private void sendBundle(Effects out) {
        int room = (int) Math.min(Limits.REQUEST_OPERATIONS_MAX, config.window() - (next - lowest()));
        List<Long> tickets = new ArrayList<>();
        List<Waiting> taken = new ArrayList<>();
        List<Bytes> operations = new ArrayList<>();
        int bytes = 0;
        Iterator<Map.Entry<Long, Waiting>> waiting = queue.entrySet().iterator();
        while (waiting.hasNext() && operations.size() < room) {
            Map.Entry<Long, Waiting> entry = waiting.next();
            Bytes operation = entry.getValue().operation();
            if (bytes + operation.size() > Limits.REQUEST_BYTES_MAX) {
                break;
            }
            bytes += operation.size();
            queueBytes -= operation.size();
            tickets.add(entry.getKey());
            taken.add(entry.getValue());
            operations.add(operation);
            waiting.remove();
        }
        Request request = new Request(config.client(), epoch, lowest(), next, nextReplier(), operations);
        Bundle bundle = new Bundle(request, tick, retransmitTicks());
        bundles.put(request.first(), bundle);
        for (int i = 0; i < operations.size(); i++) {
            boolean read = taken.get(i).read();
            PendingOperation operation = new PendingOperation(
                    next, tickets.get(i), read, bundle, Digest.of(operations.get(i)), up.length, held);
            pending.put(next, operation);
            numberOfTicket.put(tickets.get(i), next);
            next++;
        }
        if (up[views.primary()] && !tellsAll()) {
            out.add(new Effect.SendRequest(List.of(views.primary()), request));
        } else {
            sendToAll(bundle, out);
        }
    }

    private boolean tellsAll() {
        if (latencyTicks8 / 8 < config.retransmitTicks() || ++sinceToldAll < TELL_ALL_EVERY) {
            return false;
        }
        sinceToldAll = 0;
        return true;
    }

    private void sendToAll(Bundle bundle, Effects out) {
        bundle.broadcast = true;
        List<Integer> to = allUp();
        if (!to.isEmpty()) {
            out.add(new Effect.SendRequest(to, bundle.request));
        }
    }

    private void sendReads(Effects out) {
        int reachable = allUp().size();
        while (!readQueue.isEmpty() && reads.size() < config.readsMax()) {
            Map.Entry<Long, WaitingRead> entry = readQueue.pollFirstEntry();
            WaitingRead read = entry.getValue();
            if (reachable
                    < (read.upToDate()
                            ? config.quorum().quorum()
                            : config.quorum().weak())) {
                readFallbacks++;
                enqueue(entry.getKey(), new Waiting(read.operation(), true));
                continue;
            }
            nonce++;
            ReadInFlight flight = new ReadInFlight(
                    nonce,
                    entry.getKey(),
                    read.operation(),
                    read.upToDate(),
                    nextReplier(),
                    tick,
                    config.quorum(),
                    held);
            reads.put(nonce, flight);
            nonceOfTicket.put(flight.ticket, nonce);
            for (int replica : allUp()) {
                sendRead(flight, replica, out);
            }
        }
    }

    private static void sendRead(ReadInFlight read, int replica, Effects out) {
        out.add(new Effect.Send(
                replica, new ReadRequest(read.nonce, read.upToDate, read.full(replica), read.operation)));
    }

    /** While results are small all replicas send them in full, which needs no second round; otherwise one, in turn. */
    private int nextReplier() {
        if (resultBytes8 < 8L * config.smallBytes()) {
            return -1;
        }
        for (int i = 0; i < up.length; i++) {
            replier = (replier + 1) % up.length;
            if (up[replier]) {
                break;
            }
        }
        return replier;
    }

    private long retransmitTicks() {
        return Math.min(config.retransmitTicksMax(), Math.max(config.retransmitTicks(), latencyTicks8 / 2));
    }

    // ---- what the replicas say ----

    private void onMessage(Verified<?> message, Effects out) {
        NodeId from = message.from();
        if (!from.isReplica() || from.index() >= up.length) {
            ignore(Ignored.NOT_A_REPLICA);
            return;
        }
        switch (message.type()) {
            case REPLY -> onReply(message.message(Reply.class), out);
            case READ_REPLY -> onReadReply(from.index(), message.message(ReadReply.class), out);
            case REFUSAL -> onRefusal(from.index(), message.message(Refusal.class), out);
            case REQUEST,
                    PRE_PREPARE,
                    PREPARE,
                    COMMIT,
                    CHECKPOINT,
                    VIEW_CHANGE,
                    NEW_VIEW,
                    REPLY_ROOT,
                    PROPOSAL,
                    REPLY_FETCH,
                    READ_REQUEST,
                    STATUS,
                    DECISION,
                    STABLE_PROOF,
                    BATCH_FETCH,
                    BATCH_BODY,
                    STATE_FETCH,
                    STATE_NODES -> ignore(Ignored.WRONG_TYPE);
        }
    }

    /** The signature under the root says whose word this is, not the connection that it came over. */
    private void onReply(Reply reply, Effects out) {
        Signed<ReplyRoot> root = reply.root();
        boolean viewChanged =
                views.learn(root.statement().replica(), root.statement().view());
        for (Reply.Item item : reply.items()) {
            onLeaf(root, item, out);
        }
        if (viewChanged) {
            onNewPrimary(out);
        }
    }

    private void onLeaf(Signed<ReplyRoot> root, Reply.Item item, Effects out) {
        ReplyLeaf leaf = item.leaf();
        if (leaf.client() != config.client()) {
            ignore(Ignored.WRONG_CLIENT);
            return;
        }
        if (leaf.epoch() != epoch) {
            ignore(Ignored.WRONG_SESSION);
            return;
        }
        PendingOperation operation = pending.get(leaf.number());
        if (operation == null) {
            ignore(leaf.number() >= 1 && leaf.number() < next ? Ignored.ALREADY_DONE : Ignored.NEVER_SENT);
            return;
        }
        operation.offer(root, item).ifPresent(this::ignore);
        if (operation.agree(config.quorum())) {
            onAgreed(operation, out);
        }
        Optional<Answer> answer = operation.answer(config.quorum());
        if (answer.isPresent()) {
            complete(operation, answer.get(), out);
        } else if (operation.agreed() && operation.fetchAtTick <= tick) {
            fetch(operation, out);
        }
    }

    /** f + 1 replicas agree: the request need not be sent again for this operation's sake. */
    private void onAgreed(PendingOperation operation, Effects out) {
        Bundle bundle = operation.bundle;
        bundle.open--;
        if (!operation.abandoned()) {
            bundle.awaited--;
        }
        if (bundle.open == 0) {
            closeBundle(bundle, out);
        }
        withoutBytes.put(operation.number, operation);
        int named = bundle.request.replier();
        boolean worthWaiting = named >= 0 && up[named] && !operation.heardFrom(named);
        operation.fetchAtTick = worthWaiting ? tick + config.fetchTicks() : tick;
    }

    private void complete(PendingOperation operation, Answer answer, Effects out) {
        forget(operation);
        resultBytes8 += answer.result().size() - resultBytes8 / 8;
        Outcome outcome = answer.leaf().outcome();
        if (outcome == Outcome.SESSION_EXPIRED || outcome == Outcome.SESSION_IN_FUTURE) {
            sessionEnds = Optional.of(outcome);
        }
        if (!operation.read || !operation.abandoned()) {
            out.add(new Effect.Complete(operation.ticket, answer));
        }
    }

    private void closeBundle(Bundle bundle, Effects out) {
        if (bundles.remove(bundle.request.first()) != null) {
            long sample = Math.min(tick - bundle.sentAtTick, config.retransmitTicksMax());
            latencyTicks8 += sample - latencyTicks8 / 8;
            out.add(new Effect.ForgetRequest(bundle.request.first()));
        }
    }

    /** Asks the next replica for a result: first those that vouch for it, the named one last, then any. */
    private void fetch(PendingOperation operation, Effects out) {
        List<Integer> order = new ArrayList<>();
        int named = operation.bundle.request.replier();
        for (int i = 1; i <= up.length; i++) {
            int replica = Math.floorMod(named + i, up.length);
            if (up[replica] && operation.vouches(replica) && replica != named) {
                order.add(replica);
            }
        }
        for (int i = 0; i < up.length; i++) {
            if (up[i] && !order.contains(i)) {
                order.add(i);
            }
        }
        int round = order.isEmpty() ? 0 : operation.fetches / order.size();
        long delay = (long) config.fetchTicks() << Math.min(round, 20);
        operation.fetchAtTick = tick + Math.min(delay, config.retransmitTicksMax());
        if (!order.isEmpty()) {
            int replica = order.get(operation.fetches % order.size());
            out.add(new Effect.Send(replica, new ReplyFetch(epoch, operation.number)));
            operation.fetches++;
            fetches++;
        }
    }

    private void onReadReply(int from, ReadReply answer, Effects out) {
        ReadInFlight read = reads.get(answer.nonce());
        if (read == null) {
            ignore(Ignored.UNKNOWN_READ);
            return;
        }
        read.offer(from, answer).ifPresent(this::ignore);
        Optional<ReadAnswer> agreed = read.answer(config.quorum());
        if (agreed.isPresent()) {
            forgetRead(read.nonce);
            resultBytes8 += agreed.get().result().size() - resultBytes8 / 8;
            out.add(new Effect.CompleteRead(read.ticket, agreed.get()));
        } else if (read.hopeless(up)) {
            orderInstead(read);
        }
    }

    private void orderInstead(ReadInFlight read) {
        forgetRead(read.nonce);
        readFallbacks++;
        enqueue(read.ticket, new Waiting(read.operation, true));
    }

    /** Hints that nobody signs: what f + 1 replicas say, one correct replica says. */
    private void onRefusal(int from, Refusal refusal, Effects out) {
        if (refusal.epoch() != epoch) {
            ignore(Ignored.WRONG_SESSION);
            return;
        }
        var entry = bundles.floorEntry(refusal.number());
        if (entry == null || refusal.number() > entry.getValue().request.last()) {
            ignore(refusal.number() >= 1 && refusal.number() < next ? Ignored.ALREADY_DONE : Ignored.NEVER_SENT);
            return;
        }
        Bundle bundle = entry.getValue();
        switch (refusal.reason()) {
            case OVERLOADED -> {
                bundle.overloaded |= 1 << from;
                if (Integer.bitCount(bundle.overloaded) == config.quorum().weak()) {
                    bundle.retransmitTicks = Math.min(2 * bundle.retransmitTicks, config.retransmitTicksMax());
                    bundle.retransmitAtTick = tick + bundle.retransmitTicks;
                }
            }
            case SESSION_EXPIRED -> {
                bundle.expired |= 1 << from;
                if (Integer.bitCount(bundle.expired) >= config.quorum().weak()) {
                    loseSession(out);
                }
            }
        }
    }

    // ---- time and connections ----

    private void onTick(Effects out) {
        tick++;
        ticked = true;
        for (Bundle bundle : bundles.values()) {
            if (bundle.retransmitAtTick <= tick) {
                bundle.retransmitTicks = Math.min(2 * bundle.retransmitTicks, config.retransmitTicksMax());
                bundle.retransmitAtTick = tick + bundle.retransmitTicks;
                bundle.overloaded = 0;
                retransmissions++;
                sendToAll(bundle, out);
            }
        }
        for (PendingOperation operation : withoutBytes.values()) {
            if (operation.fetchAtTick <= tick) {
                fetch(operation, out);
            }
        }
        // Reads are sent in the order of their nonces and all wait equally long, so the first that is not late ends the
        // search.
        while (!reads.isEmpty() && reads.firstEntry().getValue().sentAtTick + config.readTicks() <= tick) {
            orderInstead(reads.firstEntry().getValue());
        }
    }

    private void onConnection(int replica, boolean nowUp, Effects out) {
        if (up[replica] == nowUp) {
            return;
        }
        up[replica] = nowUp;
        if (nowUp) {
            onUp(replica, out);
        } else {
            onDown(replica, out);
        }
    }

    /** What was sent while the replica was away, or was lost with its connection, is sent to it again. */
    private void onUp(int replica, Effects out) {
        for (Bundle bundle : bundles.values()) {
            if (bundle.broadcast || replica == views.primary()) {
                out.add(new Effect.SendRequest(List.of(replica), bundle.request));
            }
        }
        for (ReadInFlight read : reads.values()) {
            if (!read.heardFrom(replica)) {
                sendRead(read, replica, out);
            }
        }
    }

    private void onDown(int replica, Effects out) {
        if (replica == views.primary()) {
            for (Bundle bundle : bundles.values()) {
                if (!bundle.broadcast) {
                    retransmissions++;
                    sendToAll(bundle, out);
                }
            }
        }
        for (PendingOperation operation : withoutBytes.values()) {
            if (operation.bundle.request.replier() == replica && operation.fetches == 0) {
                operation.fetchAtTick = tick;
                fetch(operation, out);
            }
        }
        for (ReadInFlight read : List.copyOf(reads.values())) {
            if (read.hopeless(up)) {
                orderInstead(read);
            }
        }
    }

    /** What only the old primary knows of goes to the new one; what all know of, the backups pass on. */
    private void onNewPrimary(Effects out) {
        int primary = views.primary();
        for (Bundle bundle : bundles.values()) {
            if (!bundle.broadcast) {
                retransmissions++;
                if (up[primary]) {
                    out.add(new Effect.SendRequest(List.of(primary), bundle.request));
                } else {
                    sendToAll(bundle, out);
                }
            }
        }
    }

    // ---- the session's end ----

    /** The replicas have forgotten the session: what became of its operations cannot be learned any more. */
    private void loseSession(Effects out) {
        sessionEnds = Optional.of(Outcome.SESSION_EXPIRED);
        for (PendingOperation operation : List.copyOf(pending.values())) {
            if (operation.abandoned()) {
                drop(operation, out);
            } else {
                Failure failure = operation.read ? Failure.READ_UNANSWERED : Failure.SESSION_LOST;
                out.add(new Effect.Fail(operation.ticket, failure));
                remove(operation, out);
            }
        }
    }

    /** A session that ends waits for the answers to what is outstanding, but not to what was given up. */
    private void endSessionWhenDrained(Effects out) {
        if (sessionEnds.isEmpty() || sessionAsked) {
            return;
        }
        for (PendingOperation operation : List.copyOf(pending.values())) {
            if (operation.abandoned()) {
                drop(operation, out);
            }
        }
        if (pending.isEmpty()) {
            sessionAsked = true;
            out.add(new Effect.BeginSession(sessionEnds.get()));
        }
    }

    private void onSessionBegan(long newEpoch) {
        if (!pending.isEmpty() || newEpoch <= epoch) {
            throw new IllegalArgumentException(
                    "session " + newEpoch + " after " + epoch + " with " + pending.size() + " operations outstanding");
        }
        epoch = newEpoch;
        next = 1;
        sessionEnds = Optional.empty();
        sessionAsked = false;
    }

    // ---- bookkeeping ----

    private long lowest() {
        return pending.isEmpty() ? next : pending.firstKey();
    }

    /** Lets go of an operation that was given up. */
    private void drop(PendingOperation operation, Effects out) {
        if (!operation.read) {
            out.add(new Effect.Fail(operation.ticket, Failure.GIVEN_UP));
        }
        remove(operation, out);
    }

    private void remove(PendingOperation operation, Effects out) {
        Bundle bundle = operation.bundle;
        if (!operation.agreed()) {
            bundle.open--;
            if (!operation.abandoned()) {
                bundle.awaited--;
            }
        }
        forget(operation);
        if (bundle.open == 0 && bundles.remove(bundle.request.first()) != null) {
            out.add(new Effect.ForgetRequest(bundle.request.first()));
        }
    }

    private void dropAll(Bundle bundle, Effects out) {
        for (PendingOperation operation : List.copyOf(pending.subMap(bundle.request.first(), bundle.request.last() + 1)
                .values())) {
            if (operation.abandoned()) {
                drop(operation, out);
            }
        }
    }

    private void forget(PendingOperation operation) {
        operation.releaseHeld();
        pending.remove(operation.number);
        withoutBytes.remove(operation.number);
        numberOfTicket.remove(operation.ticket);
    }

    private void forgetRead(long readNonce) {
        ReadInFlight read = reads.remove(readNonce);
        if (read != null) {
            read.releaseHeld();
            nonceOfTicket.remove(read.ticket);
        }
    }

    private boolean anyUp() {
        for (boolean one : up) {
            if (one) {
                return true;
            }
        }
        return false;
    }

    private List<Integer> allUp() {
        List<Integer> replicas = new ArrayList<>(up.length);
        for (int i = 0; i < up.length; i++) {
            if (up[i]) {
                replicas.add(i);
            }
        }
        return replicas;
    }

    private void ignore(Ignored reason) {
        ignored.merge(reason, 1L, Long::sum);
    }

    private void checkInvariants() {
        invariant(next - lowest() <= config.window(), "more numbers outstanding than the window allows");
        invariant(bundles.size() <= config.bundlesMax(), "too many requests in flight");
        invariant(reads.size() <= config.readsMax(), "too many reads in flight");
        invariant(pending.size() == numberOfTicket.size(), "a ticket without an operation");
        invariant(reads.size() == nonceOfTicket.size(), "a ticket without a read");
        invariant(!pending.isEmpty() || bundles.isEmpty(), "a request in flight without an operation");
        invariant(!pending.isEmpty() || !reads.isEmpty() || held.total() == 0, "bytes held for nobody");
    }

    private static void invariant(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("the client's own state is wrong: " + what);
        }
    }
}
