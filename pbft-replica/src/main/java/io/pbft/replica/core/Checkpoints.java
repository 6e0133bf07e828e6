package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.NewView;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Checkpoints and garbage collection (TOCS'02, section 2.3.4), and what follows when a certified checkpoint is not the state
 * one has: state transfer (section 2.5). NOT thread-safe.
 *
 * <p>A certificate moves the watermarks of a replica that holds the state it speaks of. One that has not executed as far
 * first waits for the decisions that are on their way, and fetches the state when they do not come. One whose own state at
 * that number is different knows that its state is wrong, and replaces it.
 */
final class Checkpoints {
    /** Status intervals without progress after which a replica behind a stable checkpoint fetches the state. */
    private static final int PATIENCE_INTERVALS = 3;

    /** What the archive of decisions below the stable checkpoint may hold, in bytes of operations. */
    static final long ARCHIVE_BYTES_MAX = 16L << 20;

    private final ReplicaState state;
    private final Execution execution;
    private final CheckpointVotes votes = new CheckpointVotes();

    /** What CHECKPOINT was ever promised for above the stable one. */
    private final TreeMap<Long, Digest> vouched = new TreeMap<>();

    private long archiveBytes;

    /** The highest certificate whose state is not here yet, or null. */
    private @Nullable CheckpointCertificate ahead;

    private long aheadTick;

    private long installTick;

    /** A state transfer that begins as soon as nothing is executing. */
    private @Nullable CheckpointCertificate wanted;

    /** A stable checkpoint whose state is the executed one, while this replica's own checkpoint of it is not durable yet. */
    private @Nullable CheckpointCertificate settling;

    Checkpoints(ReplicaState state, Execution execution) {
        this.state = state;
        this.execution = execution;
    }

    /** The checkpoint at {@code seq} is durable here: say so. */
    void onSnapshotTaken(Input.SnapshotTaken taken, Effects out) {
        CheckpointCertificate begun = settling;
        if (begun != null && begun.seq() == taken.seq() && !isReplaced()) {
            settle(begun, taken.root(), out);
            return;
        }
        if (taken.seq() <= state.stable.seq() || isReplaced()) {
            state.ignore("checkpoint taken behind the stable one");
            return;
        }
        execution.roots.put(taken.seq(), taken.root());
        vouch(taken.seq(), taken.root(), out);
        CheckpointCertificate certificate = votes.certificate(taken.seq(), state.quorum.quorum());
        if (certificate == null && ahead != null && ahead.seq() == taken.seq()) {
            certificate = ahead;
        }
        if (certificate != null) {
            onCertificate(certificate, out);
        }
    }

    /** What the view began with is durable here at last: the same state, or a wrong one. */
    private void settle(CheckpointCertificate certificate, Digest root, Effects out) {
        settling = null;
        if (root.equals(certificate.state())) {
            execution.roots.put(certificate.seq(), root);
            stands(certificate, out);
        } else {
            diverged(certificate, root, out);
        }
    }

    /** Promises CHECKPOINT, once a number: also when the state turned out wrong and was replaced since. */
    private void vouch(long seq, Digest root, Effects out) {
        if (state.status() != ReplicaReport.Status.REJOINING
                && seq % state.parameters.checkpointInterval() == 0
                && vouched.putIfAbsent(seq, root) == null) {
            out.add(new Effect.Bind(new Promise.Vouch(new Checkpoint(seq, root, state.self))));
        }
    }

    /**
     * Vouches for what is durable here and open. Whoever died between its checkpoint and the CHECKPOINT that tells of it, or
     * may vote again after having lost its disk, may be the one that a quorum lacks, and without it the window stands still.
     */
    void vouchForOpen(Effects out) {
        execution.roots.tailMap(state.stable.seq(), false).forEach((seq, root) -> vouch(seq, root, out));
    }

    void onCheckpoint(Signed<Checkpoint> vote, Effects out) {
        Checkpoint checkpoint = vote.statement();
        if (checkpoint.seq() <= state.stable.seq()) {
            state.ignore("CHECKPOINT behind the stable one");
        } else if (checkpoint.seq() % state.parameters.checkpointInterval() != 0) {
            state.ignore("CHECKPOINT at a number that has none");
        } else {
            Signed<Checkpoint> earlier = votes.add(vote);
            if (earlier != null) {
                state.accuse(earlier, vote, out);
                return;
            }
            CheckpointCertificate certificate = votes.certificate(checkpoint.seq(), state.quorum.quorum());
            if (certificate != null) {
                onCertificate(certificate, out);
            }
        }
    }

    /** A checkpoint is proven stable. */
    void onCertificate(CheckpointCertificate certificate, Effects out) {
        if (certificate.seq() <= state.stable.seq()) {
            state.ignore("stable checkpoint is known");
            return;
        }
        Digest own = own(certificate.seq());
        if (own == null) {
            if (ahead == null || ahead.seq() < certificate.seq()) {
                ahead = certificate;
                aheadTick = state.tick;
            }
        } else if (own.equals(certificate.state())) {
            makeStable(certificate, out);
        } else {
            diverged(certificate, own, out);
        }
    }

    /** The root of one's own checkpoint at {@code seq}, if there is one and its state is to stay. */
    private @Nullable Digest own(long seq) {
        return isReplaced() ? null : execution.roots.get(seq);
    }

    /**
     * Whether the state is being replaced by that of an earlier or later number. Checkpoints of the one before prove nothing
     * meanwhile: were one at a later number believed, the window would begin above where execution goes on.
     */
    private boolean isReplaced() {
        return state.installing != null || wanted != null;
    }

    private void diverged(CheckpointCertificate certificate, Digest own, Effects out) {
        state.note(out, Event.CHECKPOINT_DIVERGED, certificate.seq(), "own state is " + own);
        wanted = certificate;
        if (certificate.seq() > state.stable.seq()) {
            moveWindowAhead(certificate, out);
        }
        beginInstall(out);
    }

    /**
     * What a new view begins with is stable, whether or not the state is here. A replica that has executed as far lacks nothing
     * but its own checkpoint, which a slow disk has yet to keep: the window moves, and nothing is fetched.
     */
    void adopt(CheckpointCertificate certificate, Effects out) {
        if (certificate.seq() <= state.stable.seq()) {
            return;
        }
        Digest own = own(certificate.seq());
        if (own != null && own.equals(certificate.state())) {
            makeStable(certificate, out);
        } else if (own == null && state.lastExecuted >= certificate.seq() && !isReplaced()) {
            moveWindowAhead(certificate, out);
            settling = certificate;
        } else {
            install(certificate, out);
        }
    }

    private void makeStable(CheckpointCertificate certificate, Effects out) {
        moveWindow(certificate);
        stands(certificate, out);
    }

    /** The state of the last stable checkpoint is durable here. */
    private void stands(CheckpointCertificate certificate, Effects out) {
        out.add(new Effect.Truncate(certificate));
        state.note(
                out,
                Event.CHECKPOINT_STABLE,
                certificate.seq(),
                certificate.state().toString());
    }

    /** The state is not here yet, but the next promises may lie beyond the old window, and outlive this process. */
    private void moveWindowAhead(CheckpointCertificate certificate, Effects out) {
        moveWindow(certificate);
        out.add(new Effect.KeepProof(certificate));
    }

    private void moveWindow(CheckpointCertificate certificate) {
        InvariantViolation.check(certificate.seq() > state.stable.seq(), "the low watermark only rises");
        state.stable = certificate;
        for (Slot slot : state.slots.headMap(certificate.seq(), true).values()) {
            archive(slot);
            slot.leavesLog();
        }
        state.slots.headMap(certificate.seq(), true).clear();
        long floor = certificate.seq() - state.parameters.checkpointInterval();
        while (!state.archive.isEmpty() && (state.archive.firstKey() <= floor || archiveBytes > ARCHIVE_BYTES_MAX)) {
            archiveBytes -= bytes(state.archive.pollFirstEntry().getValue().batch());
        }
        execution.roots.headMap(certificate.seq(), false).clear();
        votes.dropUpTo(certificate.seq());
        vouched.headMap(certificate.seq(), true).clear();
        if (settling != null && settling.seq() < certificate.seq()) {
            settling = null;
        }
        if (ahead != null && ahead.seq() <= certificate.seq()) {
            ahead = null;
        }
    }

    private void archive(Slot slot) {
        Batch batch = slot.executable();
        CommitCertificate committed = slot.committed();
        if (batch != null && committed != null) {
            state.archive.put(slot.seq, new Decision(committed, batch));
            archiveBytes += bytes(batch);
        }
    }

    static long bytes(Batch batch) {
        long bytes = 0;
        for (Signed<Request> request : batch.requests()) {
            bytes += bytes(request.statement());
        }
        return bytes;
    }

    static long bytes(Request request) {
        long bytes = 0;
        for (io.pbft.crypto.Bytes operation : request.operations()) {
            bytes += operation.size();
        }
        return bytes;
    }

    private void install(CheckpointCertificate certificate, Effects out) {
        wanted = certificate;
        moveWindowAhead(certificate, out);
        beginInstall(out);
    }

    /** Begins the state transfer that is wanted, once nothing runs on the state that it replaces. */
    void beginInstall(Effects out) {
        CheckpointCertificate target = wanted;
        if (target == null || execution.isRunning()) {
            return;
        }
        wanted = null;
        settling = null;
        state.installing = target;
        installTick = state.tick;
        state.note(
                out, Event.STATE_TRANSFER_STARTED, target.seq(), target.state().toString());
        out.add(new Effect.InstallState(target));
    }

    void onStateInstalled(Input.StateInstalled installed, Effects out) {
        CheckpointCertificate target = state.installing;
        if (target == null || target.seq() != installed.seq()) {
            state.ignore("a state that is not wanted any more");
            return;
        }
        InvariantViolation.check(target.state().equals(installed.root()), "an installed state is the certified one");
        state.installing = null;
        execution.restart(installed.seq(), installed.root(), installed.system());
        if (state.stable.seq() == target.seq()) {
            out.add(new Effect.Truncate(target));
        }
        state.note(
                out,
                Event.STATE_TRANSFER_FINISHED,
                installed.seq(),
                installed.root().toString());
    }

    /** A replica behind a stable checkpoint that nothing moves any more fetches the state. */
    void tick(Effects out) {
        CheckpointCertificate target = ahead;
        if (target == null || wanted != null) {
            return;
        }
        long patience = (long) PATIENCE_INTERVALS * state.ticks(state.parameters.statusIntervalMillis());
        if (state.installing != null) {
            // The others go on, and one day they no longer hold what is being fetched: then only the difference is new.
            if (state.tick - installTick >= patience) {
                install(target, out);
            }
            return;
        }
        if (state.lastExecuted >= target.seq()) {
            // Executed as far; the certificate waits for this replica's own checkpoint to become durable.
            return;
        }
        boolean outOfReach = target.seq() >= state.stable.seq() + state.parameters.window();
        boolean stuck = state.tick - Math.max(aheadTick, state.progressTick) >= patience;
        if (outOfReach || stuck) {
            install(target, out);
        }
    }

    /** Own CHECKPOINTs that are not stable yet: to be said again. */
    void repeatOwn(Effects out) {
        Signed<Checkpoint> last = votes.last(state.self);
        if (last != null) {
            out.add(new Effect.Broadcast(last));
        }
    }

    /** After {@link ViewChanger#recover}: what the view began with is stable too. */
    void recover(Recovered recovered, Effects out) {
        Signed<NewView> newView = state.newView;
        if (newView != null) {
            CheckpointCertificate begun = NewViewPlan.of(newView.statement().viewChanges(), ReplicaState.NULL_DIGEST)
                    .stable();
            if (begun.seq() > state.stable.seq()) {
                state.stable = begun;
                // The next NEW-VIEW takes this one's place in the journal, and may begin at an earlier checkpoint.
                out.add(new Effect.KeepProof(begun));
            }
        }
        for (Signed<Checkpoint> vote : recovered.checkpoints()) {
            if (vote.statement().seq() > state.stable.seq()) {
                Signed<Checkpoint> earlier = votes.add(vote);
                InvariantViolation.check(earlier == null, "the journal holds one CHECKPOINT for each number");
                vouched.put(vote.statement().seq(), vote.statement().state());
            }
        }
        boolean wrong = state.stable.seq() > 0
                && recovered.stateSeq() == state.stable.seq()
                && !recovered.stateRoot().equals(state.stable.state());
        if (state.stable.seq() > recovered.stateSeq() || wrong) {
            wanted = state.stable;
        }
        vouchForOpen(out);
    }
}
