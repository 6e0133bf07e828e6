package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.BatchBody;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Decision;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Refusal;
import io.pbft.protocol.ReplyFetch;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.Status;
import io.pbft.protocol.Verified;
import io.pbft.protocol.ViewChange;
import java.util.Map;

/**
 * The protocol of one replica: PBFT in its signed form (Castro and Liskov, OSDI'99; TOCS'02), as a function of its inputs.
 * NOT thread-safe.
 *
 * <p>Each step takes one input: a handler checks it (what does not fit is ignored, with a reason that is counted), changes the
 * state and emits effects. After it, whatever became possible is done: execution goes on, the primary proposes, reads are
 * answered. The parts and what they own:
 *
 * <ul>
 *   <li>{@link Agreement}: the normal case, PRE-PREPARE, PREPARE, COMMIT;
 *   <li>{@link Execution}: running what committed, replies, reads, the client table;
 *   <li>{@link Checkpoints}: checkpoints, the window, state transfer;
 *   <li>{@link ViewChanger}: timers, VIEW-CHANGE, NEW-VIEW;
 *   <li>{@link CatchUp}: status, decisions for those who lag, repetition of what is open;
 *   <li>{@link PrimaryPace}: whether the primary is slow to everybody;
 *   <li>{@link Padding}: null requests up to a checkpoint that somebody waits for.
 * </ul>
 */
public final class Replica implements Core {
    private final ReplicaState state;
    private final Agreement agreement;
    private final Execution execution;
    private final Checkpoints checkpoints;
    private final ViewChanger viewChanger;
    private final CatchUp catchUp;

    /** What recovery has to say; it leaves with the first step. */
    private final Effects pending = new Effects();

    public Replica(Config config, Recovered recovered) {
        state = new ReplicaState(config, recovered);
        PrimaryPace pace = new PrimaryPace(state);
        Padding padding = new Padding(state);
        agreement = new Agreement(state, pace, padding);
        execution = new Execution(state);
        checkpoints = new Checkpoints(state, execution);
        viewChanger = new ViewChanger(state, agreement, checkpoints, pace);
        catchUp = new CatchUp(state, agreement, checkpoints, viewChanger, pace, padding);
        recover(recovered);
    }

    /** Puts everything back to where the journal and the state say that it was: the same view, the same promises. */
    private void recover(Recovered recovered) {
        execution.restart(recovered.stateSeq(), recovered.stateRoot(), recovered.system());
        viewChanger.recover(recovered, pending);
        checkpoints.recover(recovered, pending);
        agreement.numbersTaken(Math.max(state.stable.seq(), state.lastExecuted));
        for (Proposal proposal : recovered.proposals()) {
            long seq = proposal.prePrepare().statement().seq();
            if (!state.inWindow(seq)) {
                continue;
            }
            Slot slot = state.slot(seq);
            Proposal known = slot.accepted();
            long view = proposal.prePrepare().statement().view();
            if (known == null || known.prePrepare().statement().view() < view) {
                slot.accept(proposal);
            }
            if (proposal.prePrepare().statement().replica() == state.self) {
                slot.agreedView = Math.max(slot.agreedView, view);
            }
            if (view == state.view()) {
                agreement.numbersTaken(seq);
            }
        }
        for (PreparedCertificate certificate : recovered.prepared()) {
            if (state.inWindow(certificate.seq())) {
                state.slot(certificate.seq()).prepared(certificate);
            }
        }
        for (Proposal proposal : recovered.proposals()) {
            if (state.inWindow(proposal.prePrepare().statement().seq())) {
                state.slot(proposal.prePrepare().statement().seq())
                        .offer(proposal.prePrepare().statement().digest(), proposal.batch());
            }
        }
        for (Signed<Prepare> vote : recovered.prepares()) {
            if (state.inWindow(vote.statement().seq())) {
                Slot slot = state.slot(vote.statement().seq());
                slot.prepares.add(vote);
                slot.agreedView = Math.max(slot.agreedView, vote.statement().view());
            }
        }
        // A NEW-VIEW's checkpoint may have passed what was promised while the state is still the one before it: a fast
        // read waits for the promise all the same. Of what the journal's own checkpoint passed, the promises are gone.
        state.commitPromised = state.stable.seq();
        for (Signed<Commit> vote : recovered.commits()) {
            state.commitPromised =
                    Math.max(state.commitPromised, vote.statement().seq());
            if (state.inWindow(vote.statement().seq())) {
                Slot slot = state.slot(vote.statement().seq());
                slot.commits.add(vote);
                slot.commitView = Math.max(slot.commitView, vote.statement().view());
            }
        }
        if (state.normal()) {
            state.slots.values().forEach(slot -> slot.viewBegan(state.view()));
        }
        state.logSize.recovered();
    }

    @Override
    public void step(Input input, Effects out) {
        for (Effect effect : pending.drain()) {
            out.add(effect);
        }
        if (input instanceof Input.Received received) {
            onReceived(received.message(), out);
        } else if (input instanceof Input.Tick tick) {
            onTick(tick, out);
        } else if (input instanceof Input.Executed executed) {
            execution.onExecuted(executed, out);
        } else if (input instanceof Input.SnapshotTaken taken) {
            checkpoints.onSnapshotTaken(taken, out);
        } else if (input instanceof Input.StateInstalled installed) {
            checkpoints.onStateInstalled(installed, out);
        } else if (input instanceof Input.Connection connection) {
            catchUp.onConnection(connection.replica(), connection.up(), out);
        } else if (input instanceof Input.Absent absent) {
            state.absent[absent.replica()] = true;
        }
        settle(input instanceof Input.Tick, out);
    }

    /** Does whatever the input made possible. */
    private void settle(boolean ticked, Effects out) {
        checkpoints.beginInstall(out);
        // Reads first: they are answered from the state as it is after the last executed number, before the next one
        // runs.
        execution.answerReads(out);
        execution.runNext(out);
        catchUp.afterStep(out);
        rejoin(out);
        agreement.numbersTaken(Math.max(state.stable.seq(), state.lastExecuted));
        agreement.propose(ticked, out);
        InvariantViolation.check(
                state.slots.isEmpty() || state.slots.firstKey() > state.stable.seq(),
                "slots lie above the window's low end");
        InvariantViolation.check(state.slots.size() <= state.parameters.window(), "the log fits the window");
    }

    private void onTick(Input.Tick tick, Effects out) {
        state.tick++;
        state.wallMillis = tick.wallMillis();
        viewChanger.tick(out);
        checkpoints.tick(out);
        catchUp.tick(out);
    }

    private void onReceived(Verified<?> message, Effects out) {
        int from = message.from().index();
        MessageType type = message.type();
        switch (type) {
            case REQUEST -> onRequest(message, out);
            case PROPOSAL -> agreement.onProposal(message.message(Proposal.class), out);
            case PREPARE -> agreement.onPrepare(message.signed(Prepare.class), out);
            case COMMIT -> agreement.onCommit(message.signed(Commit.class), out);
            case CHECKPOINT -> checkpoints.onCheckpoint(message.signed(Checkpoint.class), out);
            case VIEW_CHANGE -> viewChanger.onViewChange(message.signed(ViewChange.class), out);
            case NEW_VIEW -> viewChanger.onNewView(message.signed(NewView.class), out);
            case STATUS -> catchUp.onStatus(from, message.message(Status.class), out);
            case DECISION -> catchUp.onDecision(from, message.message(Decision.class), out);
            case STABLE_PROOF ->
                catchUp.onStableProof(from, message.message(StableProof.class).certificate(), out);
            case BATCH_FETCH -> catchUp.onBatchFetch(from, message.message(BatchFetch.class), out);
            case BATCH_BODY ->
                catchUp.onBatchBody(message.message(BatchBody.class).batch(), out);
            case READ_REQUEST -> execution.onRead(message.from(), message.message(ReadRequest.class), out);
            case REPLY_FETCH -> {
                ReplyFetch fetch = message.message(ReplyFetch.class);
                execution.onReplyFetch(message.from(), fetch.epoch(), fetch.number(), out);
            }
            case PRE_PREPARE -> agreement.onShownPrePrepare(message.signed(PrePrepare.class), out);
            case REPLY_ROOT, REPLY, READ_REPLY, REFUSAL, STATE_FETCH, STATE_NODES ->
                state.ignore(type + " is not for the core");
        }
    }

    private void onRequest(Verified<?> message, Effects out) {
        Signed<Request> request = message.signed(Request.class);
        if (state.clients.expired(request.statement())) {
            agreement.refuse(message.from(), request.statement(), Refusal.Reason.SESSION_EXPIRED, out);
        } else if (state.clients.settled(request.statement())) {
            execution.answerAgain(request.statement(), out);
        } else {
            agreement.onRequest(message.from(), request, out);
        }
    }

    /** A replica that lost its disk votes again beyond everything that it could have voted for. */
    private void rejoin(Effects out) {
        if (state.status() != ReplicaReport.Status.REJOINING) {
            return;
        }
        if (state.rejoinBound < 0) {
            state.rejoinBound = catchUp.rejoinBound();
        }
        if (state.rejoinBound >= 0
                && state.stable.seq() >= state.rejoinBound
                && state.lastExecuted >= state.rejoinBound) {
            viewChanger.voteAgain(out);
            checkpoints.vouchForOpen(out);
        }
    }

    @Override
    public ReplicaReport report() {
        Map.Entry<Long, Digest> root = execution.roots.lastEntry();
        return new ReplicaReport(
                state.self,
                state.status(),
                state.view(),
                state.isPrimary(),
                state.lastExecuted,
                state.stable.seq(),
                root == null ? Digest.ZERO : root.getValue(),
                execution.executedOperations(),
                state.slots.size(),
                state.queue.size(),
                state.clients.answers(),
                state.clients.resultBytes(),
                state.viewChanges,
                state.ignored(),
                viewChanger.timer());
    }
}
