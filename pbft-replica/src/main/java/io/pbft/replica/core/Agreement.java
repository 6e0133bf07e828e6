package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Refusal;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Vote;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The normal case (TOCS'02, sections 2.3.1 and 2.3.2): requests are queued, the primary proposes batches, replicas PREPARE and
 * COMMIT, several sequence numbers at a time. NOT thread-safe.
 */
final class Agreement {
    private final ReplicaState state;
    private final PrimaryPace pace;
    private final Padding padding;

    /** The next sequence number that this replica assigns while it is primary. */
    private long nextSeq = 1;

    private long proposedTimeMillis;

    /** Operations in the batches that this primary has proposed and that are not executed yet, by sequence number. */
    private final TreeMap<Long, Integer> underWay = new TreeMap<>();

    /** Bytes of operations in what this primary has proposed and what is not durable here yet, by sequence number. */
    private final TreeMap<Long, Long> onTheWay = new TreeMap<>();

    private long bytesOnTheWay;

    Agreement(ReplicaState state, PrimaryPace pace, Padding padding) {
        this.state = state;
        this.pace = pace;
        this.padding = padding;
    }

    /** A request that is not settled, from its client or passed on by another replica. */
    void onRequest(NodeId from, Signed<Request> request, Effects out) {
        Request statement = request.statement();
        int source = from.isReplica() ? from.index() : RequestQueue.CLIENT;
        switch (state.queue.offer(request, source, state.tick)) {
            case KNOWN -> state.ignore("the request waits already");
            case REFUSED -> refuse(from, statement, Refusal.Reason.OVERLOADED, out);
            case TAKEN -> {
                // Whoever sends to a few replicas only is still served: they tell the primary (TOCS'02, section 2.3.1).
                if (from.isClient() && state.normal() && !state.isPrimary()) {
                    pace.told(statement);
                    out.add(new Effect.Send(ReplicaState.to(state.primary()), request));
                }
            }
        }
    }

    void refuse(NodeId from, Request request, Refusal.Reason reason, Effects out) {
        state.ignore("request refused: " + reason);
        if (from.isClient()) {
            out.add(new Effect.Send(from, new Refusal(request.epoch(), request.first(), reason)));
        }
    }

    /**
     * Proposes while the pipeline has room. A batch costs the same votes whatever its size, so a second one is worth its
     * cost only with enough in it: what waits goes when nothing is under way, when it fills a batch, when it is at least as
     * much as all that is under way, or when a tick finds it waiting. So batches grow with the load and nobody waits for
     * longer than a tick.
     */
    void propose(boolean ticked, Effects out) {
        underWay.headMap(state.lastExecuted, true).clear();
        while (hasRoom() && !isFull() && state.queue.hasUnproposed() && (ticked || worthABatch())) {
            List<Signed<Request>> requests = state.queue.take(
                    state.parameters.batchOperationsMax(), state.parameters.batchBytesMax(), state.clients);
            if (requests.isEmpty()) {
                break;
            }
            proposedTimeMillis = Math.max(state.wallMillis, Math.max(state.agreedTimeMillis, proposedTimeMillis));
            propose(new Batch(proposedTimeMillis, requests), out);
        }
        while (hasRoom() && isFull() && !awaitsCheckpoint()) {
            propose(Batch.NULL, out);
        }
        while (hasRoom() && padding.isDue(nextSeq)) {
            state.note(out, Event.NULL_REQUEST_PROPOSED, nextSeq, "up to a checkpoint that a replica waits for");
            propose(Batch.NULL, out);
        }
    }

    private void propose(Batch batch, Effects out) {
        long seq = nextSeq++;
        PrePrepare prePrepare = new PrePrepare(state.view(), seq, Codec.digest(batch), state.self);
        Slot slot = state.slot(seq);
        InvariantViolation.check(slot.agreedView < state.view(), "one PRE-PREPARE for each view and number");
        slot.agreedView = state.view();
        underWay.put(seq, batch.operations());
        onTheWay.put(seq, Checkpoints.bytes(batch));
        bytesOnTheWay += Checkpoints.bytes(batch);
        out.add(new Effect.Bind(new Promise.Propose(prePrepare, batch)));
    }

    private boolean worthABatch() {
        long running = 0;
        for (int operations : underWay.values()) {
            running += operations;
        }
        return state.queue.unproposedOperations() >= Math.min(running, state.parameters.batchOperationsMax())
                || state.queue.unproposedBytes() >= state.parameters.batchBytesMax();
    }

    private boolean isFull() {
        return state.logSize.isFull(bytesOnTheWay);
    }

    /** Whether all up to a checkpoint is proposed: it makes room, and null requests beyond it would not hasten it. */
    private boolean awaitsCheckpoint() {
        long last = nextSeq - 1;
        return last - last % state.parameters.checkpointInterval() > state.stable.seq();
    }

    /** What this primary proposed comes back to it, and goes into the log; or it does not, and lies behind it. */
    private void cameBack(PrePrepare prePrepare) {
        if (prePrepare.replica() == state.self && prePrepare.view() == state.view()) {
            Long bytes = onTheWay.remove(prePrepare.seq());
            bytesOnTheWay -= bytes == null ? 0 : bytes;
        }
    }

    private boolean hasRoom() {
        // The last checkpoint interval of the window is left free, so that a backup whose window moves a little later
        // than the primary's still has room for everything that is proposed.
        long end = state.stable.seq() + state.parameters.window() - state.parameters.checkpointInterval();
        return state.isPrimary()
                && state.installing == null
                && state.wallMillis > 0
                && nextSeq <= end
                && nextSeq - 1 - state.lastExecuted < state.parameters.pipelineDepth();
    }

    /** The numbers up to {@code seq} are taken. */
    void numbersTaken(long seq) {
        nextSeq = Math.max(nextSeq, seq + 1);
    }

    /** A view begins, and {@code seq} is the last number that it proposes again. */
    void viewBegins(long seq) {
        nextSeq = seq + 1;
        underWay.clear();
        onTheWay.clear();
        bytesOnTheWay = 0;
    }

    void onProposal(Proposal proposal, Effects out) {
        PrePrepare prePrepare = proposal.prePrepare().statement();
        cameBack(prePrepare);
        if (!state.normal() || prePrepare.view() != state.view()) {
            state.ignore("PRE-PREPARE of another view");
        } else if (!state.inWindow(prePrepare.seq())) {
            state.ignore("PRE-PREPARE outside of the window");
        } else {
            Slot slot = state.slot(prePrepare.seq());
            Proposal accepted = slot.acceptedIn(state.view());
            Signed<PrePrepare> carriedOver = state.carriedOver(prePrepare.seq());
            Signed<PrePrepare> earlier = accepted == null ? carriedOver : accepted.prePrepare();
            if (earlier != null && !earlier.statement().digest().equals(prePrepare.digest())) {
                state.accuse(earlier, proposal.prePrepare(), out);
            } else if (accepted != null) {
                state.ignore("PRE-PREPARE is known");
            } else if (carriedOver == null && !state.logSize.hasRoom(proposal.batch())) {
                state.ignore("PRE-PREPARE beyond what the log may hold");
            } else if (carriedOver != null || timely(proposal)) {
                // The time of what is carried over was vouched for when it prepared.
                accept(slot, proposal, out);
            } else {
                slot.keepSpare(prePrepare.digest(), proposal.batch());
                state.ignore("PRE-PREPARE with a time too far from this clock");
            }
        }
    }

    /** A backup vouches for the proposed time only within the skew that the operator allows. Its own proposal is its own. */
    private boolean timely(Proposal proposal) {
        long time = proposal.batch().timeMillis();
        return time == 0
                || proposal.prePrepare().statement().replica() == state.self
                || (state.wallMillis > 0 && Math.abs(time - state.wallMillis) <= state.parameters.clockSkewMillis());
    }

    /** Accepts a PRE-PREPARE of this view, and agrees to it where this replica is a backup. */
    void accept(Slot slot, Proposal proposal, Effects out) {
        slot.accept(proposal);
        pace.proposed(proposal.batch());
        PrePrepare prePrepare = proposal.prePrepare().statement();
        if (prePrepare.replica() != state.self && slot.agreedView < state.view()) {
            slot.agreedView = state.view();
            Prepare prepare = new Prepare(state.view(), slot.seq, prePrepare.digest(), state.self);
            out.add(new Effect.Bind(new Promise.AgreeTo(prepare, proposal)));
        }
        for (Vote vote : slot.votesIn(prePrepare.view())) {
            showPrePrepare(slot, vote, out);
        }
        checkPrepared(slot, out);
    }

    /**
     * Whoever votes for another digest than that of the PRE-PREPARE accepted here for the same view and number lies, or was
     * told of another batch by the primary. A vote carries the digest alone; so its signer is shown the PRE-PREPARE, without
     * the batch, and holds both if the primary lied to it. Once for each view and number, in answer to a vote that is as
     * long: a liar that votes for what nobody proposed gets no more out than it puts in.
     */
    private void showPrePrepare(Slot slot, Vote vote, Effects out) {
        Proposal accepted = slot.acceptedIn(vote.view());
        if (accepted == null) {
            return;
        }
        PrePrepare prePrepare = accepted.prePrepare().statement();
        boolean concerned = vote.replica() != prePrepare.replica()
                && vote.replica() != state.self
                && prePrepare.replica() != state.self;
        if (concerned && !vote.digest().equals(prePrepare.digest()) && slot.showsFirst(vote.replica(), vote.view())) {
            out.add(new Effect.Send(ReplicaState.to(vote.replica()), accepted.prePrepare()));
        }
    }

    /**
     * A PRE-PREPARE without its batch is no proposal: it is proof that the primary of its view said two things, or nothing
     * at all. Opens no slot and changes none.
     */
    void onShownPrePrepare(Signed<PrePrepare> shown, Effects out) {
        PrePrepare prePrepare = shown.statement();
        Slot slot = state.slots.get(prePrepare.seq());
        Signed<PrePrepare> held = slot == null ? null : slot.prePrepareIn(prePrepare.view());
        if (held != null && !held.statement().digest().equals(prePrepare.digest())) {
            state.accuse(held, shown, out);
        } else {
            state.ignore("PRE-PREPARE without its batch");
        }
    }

    void onPrepare(Signed<Prepare> vote, Effects out) {
        Prepare prepare = vote.statement();
        if (!state.inWindow(prepare.seq())) {
            state.ignore("PREPARE outside of the window");
        } else if (prepare.view() < state.view()) {
            state.ignore("PREPARE of an earlier view");
        } else {
            Slot slot = state.slot(prepare.seq());
            Signed<Prepare> earlier = slot.prepares.add(vote);
            if (earlier != null) {
                state.accuse(earlier, vote, out);
            } else {
                showPrePrepare(slot, prepare, out);
                checkPrepared(slot, out);
            }
        }
    }

    /** prepared(m, v, n, i): the PRE-PREPARE and matching PREPAREs of enough backups (TOCS'02, section 2.3.2). */
    void checkPrepared(Slot slot, Effects out) {
        Proposal accepted = slot.acceptedIn(state.view());
        if (!state.normal() || accepted == null || slot.commitView >= state.view()) {
            return;
        }
        Digest digest = accepted.prePrepare().statement().digest();
        List<Signed<Prepare>> prepares = slot.prepares.matching(state.view(), digest, state.quorum.prepares());
        if (prepares.size() < state.quorum.prepares()) {
            return;
        }
        PreparedCertificate certificate = new PreparedCertificate(accepted.prePrepare(), prepares);
        slot.prepared(certificate);
        slot.commitView = state.view();
        state.commitPromised = Math.max(state.commitPromised, slot.seq);
        Commit commit = new Commit(state.view(), slot.seq, digest, state.self);
        out.add(new Effect.Bind(new Promise.CommitTo(commit, certificate)));
    }

    /** A COMMIT counts whatever its view: a quorum of equal ones is final. */
    void onCommit(Signed<Commit> vote, Effects out) {
        Commit commit = vote.statement();
        if (!state.inWindow(commit.seq())) {
            state.ignore("COMMIT outside of the window");
            return;
        }
        Slot slot = state.slot(commit.seq());
        Signed<Commit> earlier = slot.commits.add(vote);
        if (earlier != null) {
            state.accuse(earlier, vote, out);
            return;
        }
        showPrePrepare(slot, commit, out);
        if (slot.committed() == null && slot.commits.count(commit.view(), commit.digest()) >= state.quorum.quorum()) {
            slot.committed(new CommitCertificate(
                    commit.view(),
                    commit.seq(),
                    commit.digest(),
                    slot.commits.matching(commit.view(), commit.digest(), state.quorum.quorum())));
        }
    }

    /** Says again what is open: own votes for the first numbers that wait, when nothing has moved for a while. */
    void repeatOpen(int max, Effects out) {
        int repeated = 0;
        for (Slot slot : state.slots.tailMap(state.lastExecuted, false).values()) {
            if (repeated++ == max) {
                return;
            }
            Proposal accepted = slot.acceptedIn(state.view());
            if (accepted != null && accepted.prePrepare().statement().replica() == state.self) {
                broadcast(accepted, out);
            }
            broadcast(slot.prepares.of(state.self, state.view()), out);
            if (slot.commitView != Slot.NEVER) {
                broadcast(slot.commits.of(state.self, slot.commitView), out);
            }
        }
    }

    private static void broadcast(io.pbft.protocol.@Nullable Message message, Effects out) {
        if (message != null) {
            out.add(new Effect.Broadcast(message));
        }
    }
}
