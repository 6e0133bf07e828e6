package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchBody;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Nobody is left behind (TOCS'02, section 5.2, on status messages). Replicas tell each other now and then where they stand. Who
 * sees that others have executed more asks one of them, in turn, and gets decisions with their proofs, or the proof of a stable
 * checkpoint when the decisions are gone. Who sees that another is in a lower view sends it the NEW-VIEW. When nothing moves,
 * everyone says its open votes again. NOT thread-safe.
 */
final class CatchUp {
    /** Decisions in answer to one question, and their bytes. */
    static final int DECISIONS_PER_ANSWER = 64;

    static final long ANSWER_BYTES_MAX = 4L << 20;

    /** Open numbers whose votes are said again at a time. */
    static final int REPEATED_SLOTS_MAX = 16;

    /** Waiting requests that are passed on to the primary again at a time. */
    static final int REPEATED_REQUESTS_MAX = 16;

    private static final class Peer {
        @Nullable
        Status status;

        long newViewSentTick = Long.MIN_VALUE / 2;
        long proofSentTick = Long.MIN_VALUE / 2;
        long answeredTick = Long.MIN_VALUE / 2;
        int answersThisTick;
        /** The sequence number that its stable checkpoint was last proven to have, for one that rejoins. */
        long provenStable = -1;
    }

    /** Questions of one replica that are answered within one tick. */
    private static final int ANSWERS_PER_TICK = 4;

    private final ReplicaState state;
    private final Agreement agreement;
    private final Checkpoints checkpoints;
    private final ViewChanger viewChanger;
    private final PrimaryPace pace;
    private final Padding padding;
    private final Peer[] peers;
    private final int intervalTicks;

    private long executedAtLastInterval;
    private int nextHelper;

    /** Of its own: were it shared with {@link #nextHelper}, the two could step past the same replica for ever. */
    private int fetchRounds;

    private int decisionsSinceQuestion;

    /** Once executed as far, asks on. */
    private long askAgainAfter = Long.MAX_VALUE;

    CatchUp(
            ReplicaState state,
            Agreement agreement,
            Checkpoints checkpoints,
            ViewChanger viewChanger,
            PrimaryPace pace,
            Padding padding) {
        this.state = state;
        this.agreement = agreement;
        this.checkpoints = checkpoints;
        this.viewChanger = viewChanger;
        this.pace = pace;
        this.padding = padding;
        this.intervalTicks = state.ticks(state.parameters.statusIntervalMillis());
        this.peers = new Peer[state.quorum.replicas()];
        for (int i = 0; i < peers.length; i++) {
            peers[i] = new Peer();
        }
    }

    void tick(Effects out) {
        countPeersAhead();
        padding.tick();
        // Replicas do not all speak in the same tick.
        if ((state.tick + state.self) % intervalTicks != 0) {
            return;
        }
        out.add(new Effect.Broadcast(own(true)));
        boolean stuck = state.lastExecuted == executedAtLastInterval;
        executedAtLastInterval = state.lastExecuted;
        if (stuck) {
            agreement.repeatOpen(REPEATED_SLOTS_MAX, out);
            checkpoints.repeatOwn(out);
            fetchCommitted(out);
            ask(out);
        }
        viewChanger.repeatOpen(out);
        if (state.normal() && !state.isPrimary()) {
            for (Signed<Request> request : state.queue.overdue(state.tick, 2L * intervalTicks, REPEATED_REQUESTS_MAX)) {
                pace.told(request.statement());
                out.add(new Effect.Send(ReplicaState.to(state.primary()), request));
            }
        }
    }

    private void countPeersAhead() {
        int count = 0;
        for (Peer peer : peers) {
            if (peer.status != null && peer.status.lastExecuted() > state.lastExecuted) {
                count++;
            }
        }
        state.peersAhead = count;
    }

    private Status own(boolean answer) {
        // Who rejoins needs everybody's proof of where they stand, so it says that it has none.
        boolean rejoining = state.status() == ReplicaReport.Status.REJOINING;
        boolean asksForProofs = rejoining && state.rejoinBound < 0;
        return new Status(
                state.view(),
                state.status() == ReplicaReport.Status.VIEW_CHANGE,
                state.lastExecuted,
                asksForProofs ? 0 : state.stable.seq(),
                answer,
                rejoining ? Math.max(0, state.rejoinBound) : 0);
    }

    /** Asks the next one of those that have executed more. */
    private void ask(Effects out) {
        for (int i = 0; i < peers.length; i++) {
            int candidate = (nextHelper + i) % peers.length;
            Status status = peers[candidate].status;
            boolean ahead = status != null
                    && (status.lastExecuted() > state.lastExecuted || status.stable() > state.stable.seq());
            if (candidate != state.self && ahead) {
                nextHelper = candidate + 1;
                decisionsSinceQuestion = 0;
                out.add(new Effect.Send(ReplicaState.to(candidate), own(false)));
                return;
            }
        }
    }

    void onConnection(int replica, boolean up, Effects out) {
        if (replica == state.self) {
            return;
        }
        if (up) {
            state.disconnected[replica] = false;
            if (state.absent[replica]) {
                state.absent[replica] = false;
                state.arrivedTick[replica] = state.tick;
            }
            out.add(new Effect.Send(ReplicaState.to(replica), own(true)));
        } else if (!state.disconnected[replica]) {
            state.disconnected[replica] = true;
            state.disconnectedTick[replica] = state.tick;
        }
    }

    void onStatus(int from, Status status, Effects out) {
        Peer peer = peers[from];
        peer.status = status;
        padding.awaits(from, status.awaited());
        if (status.stable() == 0) {
            // The beginning needs no proof.
            peer.provenStable = Math.max(peer.provenStable, 0);
        }
        boolean missesView = status.view() < state.view() || (status.view() == state.view() && status.changingView());
        if (state.normal()
                && state.newView != null
                && missesView
                && state.tick - peer.newViewSentTick >= intervalTicks) {
            peer.newViewSentTick = state.tick;
            out.add(new Effect.Send(ReplicaState.to(from), state.newView));
        }
        if (status.stable() < state.stable.seq() && state.tick - peer.proofSentTick >= intervalTicks) {
            peer.proofSentTick = state.tick;
            out.add(new Effect.Send(ReplicaState.to(from), new StableProof(state.stable)));
        }
        if (!status.answer()) {
            answer(from, status, out);
        }
    }

    /** Sends decisions to one that asked, a bounded number of times a tick. */
    private void answer(int from, Status status, Effects out) {
        Peer peer = peers[from];
        if (peer.answeredTick != state.tick) {
            peer.answeredTick = state.tick;
            peer.answersThisTick = 0;
        }
        if (peer.answersThisTick++ >= ANSWERS_PER_TICK) {
            state.ignore("STATUS asks too often");
            return;
        }
        long bytes = 0;
        long seq = status.lastExecuted() + 1;
        for (int i = 0; i < DECISIONS_PER_ANSWER && bytes < ANSWER_BYTES_MAX; i++, seq++) {
            Decision decision = decision(seq);
            Signed<Commit> own = decision == null ? ownCommit(seq) : null;
            if (decision != null) {
                bytes += Checkpoints.bytes(decision.batch());
                out.add(new Effect.Send(ReplicaState.to(from), decision));
            } else if (own != null) {
                out.add(new Effect.Send(ReplicaState.to(from), own));
            } else {
                return;
            }
        }
    }

    /**
     * One's own COMMIT. A replica that started again has executed what its state says, but holds no certificates for it: who asks
     * one after the other puts the certificate together anew.
     */
    private @Nullable Signed<Commit> ownCommit(long seq) {
        Slot slot = state.slots.get(seq);
        return slot == null ? null : slot.commits.of(state.self, slot.commitView);
    }

    private @Nullable Decision decision(long seq) {
        Slot slot = state.slots.get(seq);
        Batch batch = slot == null ? null : slot.executable();
        CommitCertificate committed = slot == null ? null : slot.committed();
        return batch != null && committed != null ? new Decision(committed, batch) : state.archive.get(seq);
    }

    void onDecision(int from, Decision decision, Effects out) {
        CommitCertificate certificate = decision.certificate();
        if (certificate.seq() <= state.lastExecuted || !state.inWindow(certificate.seq())) {
            state.ignore("DECISION outside of what is open");
            return;
        }
        Slot slot = state.slot(certificate.seq());
        if (slot.committed() == null) {
            slot.committed(certificate);
            state.note(out, Event.DECISION_LEARNED, certificate.seq(), "from replica " + from);
        }
        slot.offer(certificate.digest(), decision.batch());
        if (++decisionsSinceQuestion == DECISIONS_PER_ANSWER) {
            decisionsSinceQuestion = 0;
            nextHelper = from;
            // Asked again once these are executed: see afterStep.
            askAgainAfter = certificate.seq();
        }
    }

    /** Goes on asking without waiting for the next interval while answers keep coming. */
    void afterStep(Effects out) {
        if (state.lastExecuted >= askAgainAfter) {
            askAgainAfter = Long.MAX_VALUE;
            ask(out);
        }
    }

    void onStableProof(int from, CheckpointCertificate certificate, Effects out) {
        peers[from].provenStable = Math.max(peers[from].provenStable, certificate.seq());
        checkpoints.onCertificate(certificate, out);
    }

    /** Committed batches whose content is not here: asked of those whose COMMIT says that they had it. */
    private void fetchCommitted(Effects out) {
        TreeMap<Integer, List<Digest>> questions = new TreeMap<>();
        for (Slot slot : state.slots.tailMap(state.lastExecuted, false).values()) {
            CommitCertificate committed = slot.committed();
            if (committed == null || slot.executable() != null) {
                continue;
            }
            Batch elsewhere = batch(committed.digest());
            if (elsewhere != null) {
                slot.offer(committed.digest(), elsewhere);
                continue;
            }
            List<Integer> holders = new ArrayList<>();
            for (Signed<Commit> vote : committed.commits()) {
                if (vote.statement().replica() != state.self) {
                    holders.add(vote.statement().replica());
                }
            }
            for (int i = 0; i < Math.min(state.quorum.weak(), holders.size()); i++) {
                int holder = holders.get((i + fetchRounds) % holders.size());
                List<Digest> digests = questions.computeIfAbsent(holder, h -> new ArrayList<>());
                if (digests.size() < REPEATED_SLOTS_MAX) {
                    digests.add(committed.digest());
                }
            }
        }
        fetchRounds++;
        questions.forEach(
                (holder, digests) -> out.add(new Effect.Send(ReplicaState.to(holder), new BatchFetch(digests))));
    }

    void onBatchFetch(int from, BatchFetch fetch, Effects out) {
        Peer peer = peers[from];
        if (peer.answeredTick != state.tick) {
            peer.answeredTick = state.tick;
            peer.answersThisTick = 0;
        }
        if (peer.answersThisTick++ >= ANSWERS_PER_TICK) {
            state.ignore("BATCH-FETCH asks too often");
            return;
        }
        long bytes = 0;
        for (Digest digest : fetch.digests()) {
            Batch batch = batch(digest);
            if (batch != null && bytes < ANSWER_BYTES_MAX) {
                bytes += Checkpoints.bytes(batch);
                out.add(new Effect.Send(ReplicaState.to(from), new BatchBody(batch)));
            }
        }
    }

    private @Nullable Batch batch(Digest digest) {
        Batch batch = state.batch(digest);
        return batch != null ? batch : viewChanger.fetched(digest);
    }

    void onBatchBody(Batch batch, Effects out) {
        Digest digest = Codec.digest(batch);
        boolean wanted = viewChanger.offer(digest, batch, out);
        for (Slot slot : state.slots.tailMap(state.lastExecuted, false).values()) {
            CommitCertificate committed = slot.committed();
            if (committed != null && committed.digest().equals(digest) && slot.executable() == null) {
                wanted |= slot.offer(digest, batch);
                state.note(out, Event.BATCH_FETCHED, slot.seq, digest.toString());
            }
        }
        if (!wanted) {
            state.ignore("BATCH-BODY that nobody waits for");
        }
    }

    /**
     * How far a stable checkpoint must lie for a replica that lost its disk to vote again, once a quorum of others has proven
     * where they stand; -1 before. What it may have voted for lies at most a window above a checkpoint that a correct replica
     * had executed, which lies at most a window above that replica's stable one.
     */
    long rejoinBound() {
        int proven = 0;
        long highest = 0;
        for (Peer peer : peers) {
            if (peer.provenStable >= 0) {
                proven++;
                highest = Math.max(highest, peer.provenStable);
            }
        }
        return proven >= state.quorum.quorum() ? highest + 2L * state.parameters.window() : -1;
    }
}
