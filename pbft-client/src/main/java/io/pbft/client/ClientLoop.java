package io.pbft.client;

import io.pbft.client.core.Answer;
import io.pbft.client.core.ClientCore;
import io.pbft.client.core.ClientReport;
import io.pbft.client.core.Config;
import io.pbft.client.core.Effect;
import io.pbft.client.core.Effects;
import io.pbft.client.core.Failure;
import io.pbft.client.core.Input;
import io.pbft.client.core.ReadAnswer;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Codec;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verifier;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owns a {@link ClientCore}: feeds it with calls, frames and ticks, and carries its effects out, all on the one thread of
 * {@link Network#executor}, which other clients may share. Everybody else talks to it through its inbox. What is in the inbox is
 * bounded: calls by {@link Admission}, at most one cancellation for each; frames by {@link #FRAMES_QUEUED_MAX} and
 * {@link #FRAME_BYTES_QUEUED_MAX} for each replica, whose connection pauses then. So one that sends without end delays the
 * others' frames by so many of its own, and no more.
 *
 * <p>Work is done in passes. Whoever puts something into the inbox asks for one, unless one has been asked for already; so what
 * comes together is handled together, and clients that share the thread take turns. While nothing is outstanding there are no
 * ticks.
 */
final class ClientLoop implements Network.Listener {
    /** One replica's frames that wait to be looked at: some tens of milliseconds of work, if each costs a signature. */
    static final int FRAMES_QUEUED_MAX = 256;

    /** Their bytes, and those of one frame more. */
    static final long FRAME_BYTES_QUEUED_MAX = 4 << 20;

    /** Inputs taken from the inbox before effects are carried out. */
    private static final int DRAIN_MAX = 1_024;

    /**
     * After so long without anything outstanding the next operation begins a new session. The replicas forget the
     * session that was unused for longest when a client has begun too many: without this, other processes with the same
     * key, one after the other, could expire the session of one that pauses.
     */
    private static final long SESSION_PAUSE_NANOS_MAX = TimeUnit.SECONDS.toNanos(1);

    private static final Logger LOG = LoggerFactory.getLogger(ClientLoop.class);

    private sealed interface Event {
        record Begin(Call call) implements Event {}

        record Cancel(Call call) implements Event {}

        record Frame(int replica, Bytes frame) implements Event {}

        record Connection(int replica, boolean up) implements Event {}

        record Report(CompletableFuture<ClientReport> report) implements Event {}

        record Close(long deadlineNanos) implements Event {}

        /** The callbacks of answers have run that were given to their executor before. */
        record AnswersTaken() implements Event {}
    }

    private final ClientConfig config;
    private final Network network;
    private final Admission admission;
    private final SessionEpochs epochs;
    private final ClientCore core;
    private final Sealer sealer;
    private final Verifier verifier;
    private final long tickNanos;
    private final ConcurrentLinkedQueue<Event> inbox = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean passAsked = new AtomicBoolean();
    private final List<Backlog> backlogs = new ArrayList<>();
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private volatile boolean ended;

    // From here on: the thread's own.
    private final Effects effects = new Effects();
    private final Map<Long, Call> calls = new HashMap<>();
    private final Map<Long, Late> late = new HashMap<>();
    private final TreeSet<Call> deadlines = new TreeSet<>(
            Comparator.<Call>comparingLong(call -> call.deadlineNanos).thenComparingLong(call -> call.ticket));
    private final Map<Long, Bytes> signedRequests = new HashMap<>();
    /** Calls that the core does not know yet: see {@link #mayGather}. */
    private final List<Input> gathered = new ArrayList<>();

    /** Answers given to the callbacks' executor in this pass, and how often it was asked to say that it is through. */
    private int answersGiven;

    private int answersUntaken;

    private long tickets;
    private boolean tickAsked;
    private long idleSinceNanos = System.nanoTime();
    private long badFrames;
    private int unknownAtClose;
    private Optional<Long> closeByNanos = Optional.empty();

    /** An operation whose outcome may still become known. */
    private record Late(Bytes operation, CompletableFuture<Reply> future) {}

    ClientLoop(ClientConfig config, Network network, Verifier verifier, Admission admission) {
        this.config = config;
        this.network = network;
        this.admission = admission;
        this.epochs = new SessionEpochs();
        var cluster = config.cluster();
        NodeId self = NodeId.client(config.clientId());
        Config limits = Config.of(config.clientId(), cluster.quorum(), cluster.parameters());
        this.core = new ClientCore(limits, epochs.next());
        this.sealer = new Sealer(cluster.clusterId(), self, config.signer());
        this.verifier = verifier;
        this.tickNanos = TimeUnit.MILLISECONDS.toNanos(cluster.parameters().tickMillis());
        cluster.replicas().forEach(replica -> backlogs.add(new Backlog()));
    }

    void start() {
        for (int i = 0; i < backlogs.size(); i++) {
            core.step(new Input.Connection(i, false), effects);
        }
        network.start(this);
    }

    /** Takes a call that was admitted. */
    void begin(Call call) {
        put(new Event.Begin(call));
    }

    void cancel(Call call) {
        put(new Event.Cancel(call));
    }

    CompletableFuture<ClientReport> report() {
        CompletableFuture<ClientReport> report = new CompletableFuture<>();
        put(new Event.Report(report));
        return report;
    }

    /**
     * Ends the loop once nothing is outstanding, or when the time has passed; the result counts the unknown outcomes.
     */
    CompletableFuture<Integer> close(long deadlineNanos) {
        put(new Event.Close(deadlineNanos));
        return closed;
    }

    boolean isOwnThread() {
        return network.isOnExecutor();
    }

    /** One replica's frames in the inbox. Guarded by itself, so that its connection pauses and goes on in this order. */
    private static final class Backlog {
        private int frames;
        private long bytes;
        private boolean paused;

        /** Whether this frame leaves no room for another. */
        boolean put(Bytes frame) {
            frames++;
            bytes += frame.size();
            boolean full = frames >= FRAMES_QUEUED_MAX || bytes >= FRAME_BYTES_QUEUED_MAX;
            paused |= full;
            return full;
        }

        /** Whether there is room again where there was none. */
        boolean take(Bytes frame) {
            frames--;
            bytes -= frame.size();
            boolean room = paused && frames <= FRAMES_QUEUED_MAX / 2 && bytes <= FRAME_BYTES_QUEUED_MAX / 2;
            paused &= !room;
            return room;
        }
    }

    @Override
    public void onFrame(int replica, Bytes frame) {
        Backlog backlog = backlogs.get(replica);
        synchronized (backlog) {
            if (backlog.put(frame)) {
                network.pause(replica);
            }
        }
        put(new Event.Frame(replica, frame));
    }

    private void taken(int replica, Bytes frame) {
        Backlog backlog = backlogs.get(replica);
        synchronized (backlog) {
            if (backlog.take(frame)) {
                network.resume(replica);
            }
        }
    }

    @Override
    public void onConnection(int replica, boolean up) {
        put(new Event.Connection(replica, up));
    }

    private void put(Event event) {
        inbox.add(event);
        askForPass();
        if (ended && inbox.remove(event)) {
            discard(event);
        }
    }

    private void askForPass() {
        if (passAsked.compareAndSet(false, true)) {
            try {
                network.executor().execute(() -> guarded(this::pass));
            } catch (RejectedExecutionException e) {
                // The threads end after the loop has: whoever put something in takes it out again.
                LOG.debug("{}: no more passes, the client is closed", config);
            }
        }
    }

    // ---- the thread ----

    /** A defect in here ends the client, and not its thread, which may be that of others too. */
    private void guarded(Runnable work) {
        if (ended) {
            return;
        }
        boolean wasBusy = !isIdle();
        try {
            work.run();
            if (wasBusy || !isIdle()) {
                idleSinceNanos = System.nanoTime();
            }
            if (mayEnd()) {
                end(null);
            } else {
                askForTick();
            }
        } catch (RuntimeException | Error e) {
            LOG.error("{}: the client stops, as its own state is wrong", config, e);
            end(e);
        }
    }

    private void pass() {
        // Cleared first: what is put in from here on asks for another pass.
        passAsked.set(false);
        List<Event> events = new ArrayList<>();
        Event event = inbox.poll();
        while (event != null) {
            events.add(event);
            event = events.size() < DRAIN_MAX ? inbox.poll() : null;
        }
        take(events);
        if (!inbox.isEmpty()) {
            askForPass();
        }
    }

    /**
     * Ticks come at multiples of their length, so that clients that share the thread wake it up together. A tick that comes
     * late, as the process slept, is one tick all the same.
     */
    private void askForTick() {
        if (tickAsked || (isIdle() && closeByNanos.isEmpty())) {
            return;
        }
        tickAsked = true;
        long nanos = tickNanos - Math.floorMod(System.nanoTime(), tickNanos);
        var unused = network.executor().schedule(() -> guarded(this::tick), nanos, TimeUnit.NANOSECONDS);
    }

    private void tick() {
        tickAsked = false;
        begin();
        step(new Input.Tick());
        expireDeadlines(System.nanoTime());
    }

    /** Calls first and together, so that they share a signature. */
    private void take(List<Event> events) {
        boolean wasIdle = isIdle();
        for (Event event : events) {
            if (event instanceof Event.Begin begin) {
                onBegin(begin.call()).ifPresent(gathered::add);
            } else if (event instanceof Event.AnswersTaken) {
                answersUntaken--;
            }
        }
        if (wasIdle && !gathered.isEmpty()) {
            renewSessionAfterPause();
        }
        if (!mayGather()) {
            begin();
        }
        for (Event event : events) {
            onEvent(event);
        }
        askForAnswersTaken();
    }

    /**
     * Whoever got an answer often has the next call ready: while the callbacks of several answers run, calls gather, so
     * that they share a request instead of following each other in several. A tick ends the waiting in any case.
     */
    private boolean mayGather() {
        return answersUntaken > 0 && closeByNanos.isEmpty();
    }

    private void askForAnswersTaken() {
        if (answersGiven > 1) {
            try {
                config.callbacks().execute(() -> put(new Event.AnswersTaken()));
                answersUntaken++;
            } catch (RejectedExecutionException e) {
                LOG.debug("{}: the executor of callbacks is shut down", config);
            }
        }
        answersGiven = 0;
    }

    /** Tells the core of the calls that gathered. */
    private void begin() {
        if (!gathered.isEmpty()) {
            core.step(gathered, effects);
            gathered.clear();
            carryOut();
        }
    }

    private boolean isIdle() {
        return calls.isEmpty() && late.isEmpty();
    }

    private void renewSessionAfterPause() {
        boolean paused = System.nanoTime() - idleSinceNanos > SESSION_PAUSE_NANOS_MAX;
        if (paused && core.report().pending() == 0) {
            step(new Input.SessionBegan(epochs.next()));
        }
    }

    private void onEvent(Event event) {
        if (event instanceof Event.Frame frame) {
            taken(frame.replica(), frame.frame());
            onFrameTaken(frame.replica(), frame.frame());
        } else if (event instanceof Event.Connection connection) {
            LOG.debug("{}: replica {} is {}", config, connection.replica(), connection.up() ? "connected" : "gone");
            step(new Input.Connection(connection.replica(), connection.up()));
        } else if (event instanceof Event.Cancel cancel) {
            begin();
            if (calls.containsKey(cancel.call().ticket)) {
                step(new Input.Abandon(cancel.call().ticket));
            }
        } else if (event instanceof Event.Report report) {
            report.report().complete(core.report());
        } else if (event instanceof Event.Close close) {
            begin();
            closeByNanos = Optional.of(close.deadlineNanos());
        }
    }

    private Optional<Input> onBegin(Call call) {
        call.ticket = ++tickets;
        if (call.isDone()) {
            admission.leave(call.operation.size());
            return Optional.empty();
        }
        calls.put(call.ticket, call);
        deadlines.add(call);
        return Optional.of(
                switch (call.kind) {
                    case OPERATION -> new Input.Submit(call.ticket, call.operation);
                    case FAST_READ -> new Input.Read(call.ticket, call.operation, true);
                    case STALE_READ -> new Input.Read(call.ticket, call.operation, false);
                });
    }

    /** A reply that says nothing new is not verified: the signatures of f + 1 replicas are enough. */
    private void onFrameTaken(int replica, Bytes frame) {
        Message message;
        try {
            message = Codec.decode(frame);
        } catch (MalformedMessage e) {
            badFrame(replica, String.valueOf(e.getMessage()));
            return;
        }
        if (message instanceof io.pbft.protocol.Reply reply && !core.wants(reply)) {
            return;
        }
        Verdict verdict = verifier.verify(NodeId.replica(replica), message);
        if (verdict instanceof Verdict.Accepted accepted) {
            step(new Input.Received(accepted.message()));
        } else {
            badFrame(replica, verdict.toString());
        }
    }

    /** A replica that sends nonsense is faulty; it is said at powers of two, so that it cannot fill the log. */
    private void badFrame(int replica, String why) {
        badFrames++;
        if (Long.bitCount(badFrames) == 1) {
            LOG.warn(
                    "{}: replica {} sent what is not valid ({} such messages so far): {}",
                    config,
                    replica,
                    badFrames,
                    why);
        }
    }

    private void expireDeadlines(long nowNanos) {
        while (!deadlines.isEmpty() && deadlines.first().deadlineNanos - nowNanos <= 0) {
            Call call = deadlines.pollFirst();
            step(new Input.Abandon(call.ticket));
        }
    }

    private void step(Input input) {
        core.step(input, effects);
        carryOut();
    }

    // ---- effects ----

    private void carryOut() {
        List<Effect> drained = effects.drain();
        while (!drained.isEmpty()) {
            for (Effect effect : drained) {
                carryOut(effect);
            }
            drained = effects.drain();
        }
    }

    private void carryOut(Effect effect) {
        if (effect instanceof Effect.SendRequest send) {
            Bytes frame = signed(send.request());
            for (int replica : send.to()) {
                network.send(replica, frame);
            }
        } else if (effect instanceof Effect.Send send) {
            network.send(send.to(), Bytes.wrap(Codec.encode(send.message())));
        } else if (effect instanceof Effect.ForgetRequest forget) {
            signedRequests.remove(forget.first());
        } else if (effect instanceof Effect.Complete complete) {
            onComplete(complete.ticket(), complete.answer());
        } else if (effect instanceof Effect.CompleteRead complete) {
            onCompleteRead(complete.ticket(), complete.answer());
        } else if (effect instanceof Effect.Fail fail) {
            onFail(fail.ticket(), fail.failure());
        } else if (effect instanceof Effect.BeginSession begin) {
            LOG.warn("{}: the session is over ({}); a new one begins", config, begin.reason());
            core.step(new Input.SessionBegan(epochs.next()), effects);
        }
    }

    private Bytes signed(Request request) {
        return signedRequests.computeIfAbsent(
                request.first(),
                first -> Bytes.wrap(Codec.encode(sealer.seal(request).message())));
    }

    private void onComplete(long ticket, Answer answer) {
        Call call = remove(ticket);
        if (call != null) {
            complete(call, call.operation, answer);
            return;
        }
        Late operation = late.remove(ticket);
        if (operation != null) {
            complete(operation.future(), operation.operation(), answer);
        }
    }

    private void complete(CompletableFuture<Reply> future, Bytes operation, Answer answer) {
        Receipt receipt = Receipt.of(config.cluster().clusterId(), operation, answer);
        Optional<Receipt> proof = Optional.of(receipt);
        var leaf = answer.leaf();
        switch (leaf.outcome()) {
            case EXECUTED ->
                dispatch(
                        future,
                        () -> future.complete(new Reply(answer.result(), leaf.seq(), leaf.timeMillis(), proof)));
            case FAILED ->
                fail(future, new OperationFailedException(answer.result().toUtf8(), proof));
            case SESSION_EXPIRED ->
                fail(
                        future,
                        rejected(
                                RejectedException.Reason.SESSION_EXPIRED,
                                "the replicas have forgotten this client's session",
                                proof));
            case SESSION_IN_FUTURE ->
                fail(
                        future,
                        rejected(
                                RejectedException.Reason.SESSION_IN_FUTURE,
                                "this machine's clock is ahead of the cluster's agreed time, " + leaf.timeMillis(),
                                proof));
            case OUT_OF_WINDOW ->
                fail(
                        future,
                        rejected(
                                RejectedException.Reason.OUT_OF_WINDOW,
                                "operation " + leaf.number() + " lies beyond the session's window",
                                proof));
            case RESULTS_FULL ->
                fail(
                        future,
                        rejected(
                                RejectedException.Reason.RESULTS_FULL,
                                "its result finds no room beside those that this client has not acknowledged yet;"
                                        + " submit it again once others are answered",
                                proof));
        }
    }

    private static RejectedException rejected(RejectedException.Reason reason, String why, Optional<Receipt> proof) {
        return new RejectedException(reason, "the replicas rejected the operation (" + reason + "): " + why, proof);
    }

    private void onCompleteRead(long ticket, ReadAnswer answer) {
        Call call = remove(ticket);
        if (call == null) {
            return;
        }
        if (answer.outcome() == Outcome.EXECUTED) {
            Reply reply = new Reply(answer.result(), answer.seq(), answer.timeMillis(), Optional.empty());
            dispatch(call, () -> call.complete(reply));
        } else {
            fail(call, new OperationFailedException(answer.result().toUtf8(), Optional.empty()));
        }
    }

    private void onFail(long ticket, Failure failure) {
        if (failure == Failure.GIVEN_UP || (failure == Failure.SESSION_LOST && late.containsKey(ticket))) {
            Late operation = late.remove(ticket);
            if (operation != null) {
                fail(operation.future(), unknown("it was given up for good", operation.future()));
            }
            return;
        }
        Call call = remove(ticket);
        if (call == null) {
            return;
        }
        boolean closing = closeByNanos.isPresent();
        switch (failure) {
            case NOT_SENT ->
                fail(
                        call,
                        closing
                                ? new ClosedException("the client was closed before the operation could be sent")
                                : new NotSentException("the deadline passed before the operation could be sent: "
                                        + "no replica can be reached, or earlier operations are not answered"));
            case OVERLOADED -> fail(call, new OverloadedException("too many operations wait to be sent"));
            case READ_UNANSWERED ->
                fail(
                        call,
                        closing
                                ? new ClosedException("the client was closed before the read was answered")
                                : new ReadTimeoutException("the read was not answered before its deadline"));
            case UNKNOWN -> {
                Late operation = new Late(call.operation, new CompletableFuture<>());
                late.put(ticket, operation);
                unknownAtClose += closing ? 1 : 0;
                fail(call, unknown(closing ? "the client was closed" : "the deadline passed", operation.future()));
            }
            case SESSION_LOST -> fail(call, unknown("the replicas forgot the session", call));
            case GIVEN_UP -> throw new IllegalStateException("given up without having been abandoned: " + ticket);
        }
    }

    private static OutcomeUnknownException unknown(String why, CompletableFuture<Reply> later) {
        return new OutcomeUnknownException(
                "the operation was sent, and then " + why + ": it is executed once at most, and may not be at all",
                later);
    }

    private @Nullable Call remove(long ticket) {
        Call call = calls.remove(ticket);
        if (call != null) {
            deadlines.remove(call);
            admission.leave(call.operation.size());
        }
        return call;
    }

    private void fail(CompletableFuture<Reply> future, PbftException why) {
        dispatch(future, () -> future.completeExceptionally(why));
    }

    private void dispatch(CompletableFuture<Reply> future, Runnable completion) {
        if (future instanceof Call call && call.waitedFor) {
            completion.run();
            return;
        }
        Executor executor = config.callbacks();
        try {
            executor.execute(completion);
            answersGiven++;
        } catch (RejectedExecutionException e) {
            // The application shut its executor down before the client: better on this thread than never.
            completion.run();
        }
    }

    // ---- the end ----

    private boolean mayEnd() {
        return closeByNanos.isPresent() && (calls.isEmpty() || System.nanoTime() - closeByNanos.get() >= 0);
    }

    private void end(@Nullable Throwable cause) {
        network.close();
        admission.close();
        if (cause == null) {
            for (long ticket : List.copyOf(calls.keySet())) {
                step(new Input.Abandon(ticket));
            }
        }
        closeByNanos = Optional.of(System.nanoTime());
        for (Call call : List.copyOf(calls.values())) {
            if (remove(call.ticket) == call) {
                unknownAtClose++;
                fail(call, unknown("the client stopped: " + cause, call));
            }
        }
        for (Late operation : late.values()) {
            fail(operation.future(), unknown("the client was closed", operation.future()));
        }
        closed.complete(unknownAtClose);
        ended = true;
        for (Event event = inbox.poll(); event != null; event = inbox.poll()) {
            discard(event);
        }
    }

    /**
     * What came after the end. Whoever takes an event out of the inbox, the loop or who put it there too late, does
     * this.
     */
    private void discard(Event event) {
        if (event instanceof Event.Begin begin) {
            admission.leave(begin.call().operation.size());
            fail(begin.call(), new ClosedException("the client is closed"));
        } else if (event instanceof Event.Report report) {
            report.report().completeExceptionally(new ClosedException("the client is closed"));
        }
    }
}
