package io.pbft.replica.core;

import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Runs what committed, in order, once, and answers clients. Every way in which a decision arrives ends here: there is one
 * {@code lastExecuted}, and it only moves by one, or to an installed checkpoint. NOT thread-safe.
 */
final class Execution {
    /** Fast reads that wait for what this replica committed to before they came. */
    static final int WAITING_READS_MAX = 4_096;

    /** Settled requests of one client that are answered again within one tick. */
    static final int ANSWERS_AGAIN_PER_TICK = 16;

    /** Request timeouts for which the null requests up to one checkpoint count as progress where the log is filling up. */
    static final int ROOM_TIMEOUTS = 8;

    /** A result no longer than its digest is sent by everyone. */
    private static final int SMALL_RESULT_BYTES = 2 * Digest.SIZE;

    private static final Bytes TIME_KEY = Bytes.utf8("T");

    /** A batch that runs now. */
    private record Running(long seq, Digest digest, Batch batch, List<ClientTable.Planned> planned) {}

    private record WaitingRead(long afterSeq, NodeId client, ReadRequest request) {}

    private final ReplicaState state;
    private @Nullable Running running;
    private final ArrayDeque<WaitingRead> reads = new ArrayDeque<>();
    private long executedOperations;

    /** The view and the checkpoint interval of the last null request that made room, and when they began to. */
    private long roomView = Slot.NEVER;

    private long roomInterval;
    private long roomSinceTick;

    private long answeredAgainTick;
    private final TreeMap<Integer, Integer> answeredAgain = new TreeMap<>();

    /** The roots of checkpoints taken here that are not below the stable one. */
    final TreeMap<Long, Digest> roots = new TreeMap<>();

    Execution(ReplicaState state) {
        this.state = state;
    }

    boolean isRunning() {
        return running != null;
    }

    long executedOperations() {
        return executedOperations;
    }

    /** Begins the next batch when it is there and nothing else runs. */
    void runNext(Effects out) {
        if (running != null || state.installing != null) {
            return;
        }
        Slot slot = state.slots.get(state.lastExecuted + 1);
        if (slot == null) {
            return;
        }
        Batch batch = slot.executable();
        CommitCertificate committed = slot.committed();
        if (batch == null || committed == null) {
            return;
        }
        // The null request leaves the agreed time alone; a time that would go back counts as the one before.
        long timeMillis = Math.max(state.agreedTimeMillis, batch.timeMillis());
        state.agreedTimeMillis = timeMillis;
        List<ClientTable.Planned> planned = new ArrayList<>();
        List<Effect.Call> calls = new ArrayList<>();
        TreeSet<Integer> clients = new TreeSet<>();
        for (Signed<Request> request : batch.requests()) {
            clients.add(request.statement().client());
            for (ClientTable.Planned operation : state.clients.admit(slot.seq, timeMillis, request.statement())) {
                planned.add(operation);
                if (operation.refused() == null) {
                    calls.add(new Effect.Call(request.statement().client(), operation.operation()));
                }
            }
        }
        running = new Running(slot.seq, committed.digest(), batch, planned);
        out.add(new Effect.Execute(slot.seq, timeMillis, committed.digest(), calls, state.clients.room(clients)));
    }

    /**
     * Where the log is filling up, null requests are how it gets empty: that is progress, for as long as a checkpoint
     * interval of them takes on a slow network, and no longer. A correct primary orders nothing between them, so a
     * request in their midst gives a lying one no more time.
     */
    private boolean makesRoom(long seq, Batch batch) {
        if (!batch.requests().isEmpty() || !state.logSize.fillsUp()) {
            return false;
        }
        long interval = (seq - 1) / state.parameters.checkpointInterval();
        if (roomView != state.view() || roomInterval != interval) {
            roomView = state.view();
            roomInterval = interval;
            roomSinceTick = state.tick;
        }
        long patience = (long) ROOM_TIMEOUTS * state.patienceTicks(state.parameters.requestTimeoutMillis());
        return state.tick - roomSinceTick < patience;
    }

    void onExecuted(Input.Executed executed, Effects out) {
        Running done = InvariantViolation.present(running, "what was executed was running");
        InvariantViolation.check(done.seq() == executed.seq(), "what was executed was to be executed");
        running = null;
        List<Effect.Answer> answers = new ArrayList<>(done.planned().size());
        int next = 0;
        int served = -1;
        for (ClientTable.Planned planned : done.planned()) {
            Outcome refused = planned.refused();
            if (refused != null) {
                answers.add(answer(planned, cached(done.seq(), planned, refused, Bytes.EMPTY)));
                continue;
            }
            Input.Result result = executed.results().get(next++);
            ClientTable.Cached reply = cached(done.seq(), planned, result.outcome(), result.content());
            state.clients.executed(planned, reply);
            answers.add(answer(planned, reply));
            if (planned.request().client() != served) {
                served = planned.request().client();
                state.queue.served(served, state.tick);
            }
        }
        InvariantViolation.check(next == executed.results().size(), "each call has one result");
        executedOperations += next;
        // A null request is no progress, nor is what was executed before, or never will be, and nobody here waits for:
        // a primary that orders nothing else would never run out of patience granted, and anybody can keep an old
        // request.
        boolean progress = next > 0;
        for (Signed<Request> request : done.batch().requests()) {
            progress |= state.queue.executed(request.statement(), state.tick);
        }
        state.lastExecuted = done.seq();
        if (progress || makesRoom(done.seq(), done.batch())) {
            state.progressTick = state.tick;
            if (state.normal()) {
                state.progressed = true;
                state.failedViews = 0;
            }
        }
        if (!answers.isEmpty()) {
            out.add(new Effect.Reply(state.view(), answers));
        }
        if (done.seq() % state.parameters.checkpointInterval() == 0) {
            Map<Bytes, Optional<Bytes>> changes = state.clients.checkpoint(state.agreedTimeMillis);
            changes.put(TIME_KEY, Optional.of(ClientTable.numbers(state.agreedTimeMillis)));
            out.add(new Effect.TakeSnapshot(done.seq(), changes));
        }
    }

    private ClientTable.Cached cached(long seq, ClientTable.Planned planned, Outcome outcome, Bytes result) {
        return new ClientTable.Cached(seq, state.agreedTimeMillis, Digest.of(planned.operation()), outcome, result);
    }

    private Effect.Answer answer(ClientTable.Planned planned, ClientTable.Cached reply) {
        Request request = planned.request();
        boolean full = request.replier() < 0
                || request.replier() == state.self
                || reply.result().size() <= SMALL_RESULT_BYTES;
        return answer(request.client(), request.epoch(), planned.number(), reply, full);
    }

    private static Effect.Answer answer(int client, long epoch, long number, ClientTable.Cached reply, boolean full) {
        return new Effect.Answer(
                client,
                epoch,
                number,
                reply.seq(),
                reply.timeMillis(),
                reply.operation(),
                reply.outcome(),
                reply.result(),
                full);
    }

    /**
     * Answers again what was executed of {@code request} and is still remembered (TOCS'02, section 2.3.1). A bounded number of
     * times a tick for each client: an answer costs a signature, and an old request costs its sender nothing.
     */
    void answerAgain(Request request, Effects out) {
        if (answeredAgainTick != state.tick) {
            answeredAgainTick = state.tick;
            answeredAgain.clear();
        }
        if (answeredAgain.merge(request.client(), 1, Integer::sum) > ANSWERS_AGAIN_PER_TICK) {
            state.ignore("a settled request is repeated too often");
            return;
        }
        List<Effect.Answer> answers = new ArrayList<>();
        for (long number = request.first(); number <= request.last(); number++) {
            ClientTable.Cached reply = state.clients.cached(request.client(), request.epoch(), number);
            if (reply != null) {
                boolean full = request.replier() < 0
                        || request.replier() == state.self
                        || reply.result().size() <= SMALL_RESULT_BYTES;
                answers.add(answer(request.client(), request.epoch(), number, reply, full));
            }
        }
        if (!answers.isEmpty()) {
            out.add(new Effect.Reply(state.view(), answers));
        }
    }

    /** A client has the digest of a result and wants the result. */
    void onReplyFetch(NodeId client, long epoch, long number, Effects out) {
        ClientTable.Cached reply = state.clients.cached(client.index(), epoch, number);
        if (reply == null) {
            state.ignore("REPLY-FETCH for what is not remembered");
            return;
        }
        out.add(new Effect.Reply(state.view(), List.of(answer(client.index(), epoch, number, reply, true))));
    }

    /**
     * A query outside of the order. One that must be up to date waits until everything is executed for which this replica had
     * promised COMMIT when it came: a quorum promised COMMIT for every write that a client was told of, so any quorum of such
     * answers has a correct one among them that has seen the write.
     */
    void onRead(NodeId client, ReadRequest request, Effects out) {
        if (state.status() == ReplicaReport.Status.REJOINING) {
            state.ignore("READ-REQUEST while rejoining");
        } else if (running == null
                && state.installing == null
                && (!request.upToDate() || state.lastExecuted >= state.commitPromised)) {
            query(client, request, out);
        } else if (reads.size() >= WAITING_READS_MAX) {
            state.ignore("READ-REQUEST while too many wait");
        } else {
            long running = this.running == null ? 0 : this.running.seq();
            long promised = request.upToDate() ? state.commitPromised : 0;
            CheckpointCertificate installing = state.installing;
            long installed = installing == null ? 0 : installing.seq();
            reads.add(new WaitingRead(Math.max(installed, Math.max(running, promised)), client, request));
        }
    }

    /**
     * Answers the reads whose time has come. They wait in the order of what they wait for. None is answered while the state is
     * being replaced: the one before may be known to be wrong, and which of the two is there the store alone knows.
     */
    void answerReads(Effects out) {
        if (state.installing != null) {
            return;
        }
        while (!reads.isEmpty() && reads.getFirst().afterSeq() <= state.lastExecuted) {
            WaitingRead read = reads.removeFirst();
            query(read.client(), read.request(), out);
        }
    }

    private void query(NodeId client, ReadRequest request, Effects out) {
        out.add(new Effect.Query(
                client.index(),
                request.nonce(),
                state.lastExecuted,
                state.agreedTimeMillis,
                request.full(),
                request.operation()));
    }

    int waitingReads() {
        return reads.size();
    }

    /** The state is now that of the checkpoint at {@code seq}, whatever was executed before. */
    void restart(long seq, Digest root, List<StateView.Entry> system) {
        InvariantViolation.check(running == null, "nothing runs while the state is replaced");
        state.lastExecuted = seq;
        state.progressTick = state.tick;
        state.clients.load(system);
        state.agreedTimeMillis = 0;
        for (StateView.Entry entry : system) {
            if (entry.key().equals(TIME_KEY)) {
                state.agreedTimeMillis = entry.value().asReadOnlyBuffer().getLong();
            }
        }
        roots.tailMap(seq, false).clear();
        roots.put(seq, root);
        state.queue.dropSettled(state.clients);
    }
}
