package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Decision;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of the core share: where the replica stands, and its log.
 *
 * <pre>
 *   stable.seq (h)      lastExecuted           h + L
 *       |--- executed ---|--- ordered, open ---|
 *       ^ slots begin above h                  ^ nothing is accepted beyond
 * </pre>
 *
 * NOT thread-safe.
 */
final class ReplicaState {
    static final Digest NULL_DIGEST = Codec.digest(Batch.NULL);

    final Config config;
    final int self;
    final Quorum quorum;
    final ProtocolParameters parameters;

    final ClientTable clients;
    final RequestQueue queue = new RequestQueue();
    final TreeMap<Long, Slot> slots = new TreeMap<>();
    final LogSize logSize = new LogSize();

    /** Decisions up to the stable checkpoint that may still help somebody who is a little behind. */
    final TreeMap<Long, Decision> archive = new TreeMap<>();

    private ReplicaReport.Status status;
    private long view;

    /** The NEW-VIEW that this view began with; none in view 0. */
    @Nullable
    Signed<NewView> newView;

    /** Ticks since the start: the only clock that timers know. */
    long tick;

    /** The wall clock at the last tick; 0 before the first. */
    long wallMillis;

    CheckpointCertificate stable;
    long lastExecuted;
    long agreedTimeMillis;

    /** The checkpoint whose state is being fetched, or null: nothing is executed meanwhile. */
    @Nullable
    CheckpointCertificate installing;

    /** The highest sequence number for which a COMMIT was ever promised. */
    long commitPromised;

    /** The tick of the last execution, or of the last change of view: what patience is counted from. */
    long progressTick;

    /** Whether something was executed in this view: a view that ends without has failed. */
    boolean progressed = true;

    /** Views that failed in a row: each doubles the patience with the next. */
    int failedViews;

    long viewChanges;

    /** Other replicas that said that they have executed more than this one. */
    int peersAhead;

    /** How far a stable checkpoint must lie for this replica to vote again after it lost its disk; -1 while unknown. */
    long rejoinBound = -1;

    /** Whose connection has not been open yet since this replica started. */
    final boolean[] absent;

    /** When the connection of one that was absent opened for the first time; 0 for all others. */
    final long[] arrivedTick;

    final boolean[] disconnected;
    final long[] disconnectedTick;
    private final TreeMap<String, Long> ignored = new TreeMap<>();

    /** For each replica and type of statement, the view in which it was accused last. */
    private final TreeMap<NodeId, EnumMap<MessageType, Long>> accused = new TreeMap<>();

    ReplicaState(Config config, Recovered recovered) {
        this.config = config;
        this.self = config.self();
        this.quorum = config.quorum();
        this.parameters = config.parameters();
        this.clients = new ClientTable(parameters, config.clients());
        this.status = recovered.rejoining() ? ReplicaReport.Status.REJOINING : ReplicaReport.Status.NORMAL;
        this.stable = recovered.stable();
        this.lastExecuted = recovered.stateSeq();
        this.absent = new boolean[quorum.replicas()];
        this.arrivedTick = new long[quorum.replicas()];
        this.disconnected = new boolean[quorum.replicas()];
        this.disconnectedTick = new long[quorum.replicas()];
    }

    long view() {
        return view;
    }

    ReplicaReport.Status status() {
        return status;
    }

    boolean normal() {
        return status == ReplicaReport.Status.NORMAL;
    }

    int primary() {
        return quorum.primary(view);
    }

    boolean isPrimary() {
        return normal() && primary() == self;
    }

    /**
     * What the NEW-VIEW of this view proposes for {@code seq}, or null where it says nothing. It binds the view's primary,
     * also towards a replica that entered the view, died before it had voted, and knows O from its journal alone.
     */
    @Nullable
    Signed<PrePrepare> carriedOver(long seq) {
        Signed<NewView> begun = newView;
        if (begun == null || begun.statement().view() != view) {
            return null;
        }
        for (Signed<PrePrepare> proposal : begun.statement().proposals()) {
            if (proposal.statement().seq() == seq) {
                return proposal;
            }
        }
        return null;
    }

    /** The one place where view and status change. */
    void enter(ReplicaReport.Status next, long nextView, String reason, Effects out) {
        InvariantViolation.check(nextView >= view, "views only grow");
        if (nextView > view) {
            failedViews = progressed ? 0 : failedViews + 1;
            progressed = false;
            logSize.viewBegins();
        }
        status = next;
        view = nextView;
        progressTick = tick;
        note(out, Event.STATUS_CHANGED, lastExecuted, next + ": " + reason);
    }

    boolean inWindow(long seq) {
        return seq > stable.seq() && seq <= stable.seq() + parameters.window();
    }

    /** The slot of a sequence number in the window. */
    Slot slot(long seq) {
        InvariantViolation.check(inWindow(seq), "a slot lies in the window");
        return slots.computeIfAbsent(seq, number -> new Slot(number, logSize));
    }

    /** A batch by its digest, wherever it lies: a faulty primary may have proposed the same at several numbers. */
    @Nullable
    Batch batch(Digest digest) {
        for (Slot slot : slots.values()) {
            Batch batch = slot.batch(digest);
            if (batch != null) {
                return batch;
            }
        }
        for (Decision decision : archive.values()) {
            if (decision.certificate().digest().equals(digest)) {
                return decision.batch();
            }
        }
        return null;
    }

    /** Takes away the digests of batches that lie somewhere in the log; goes through it once. */
    void forgetHeld(Set<Digest> digests) {
        slots.values().forEach(slot -> digests.removeAll(slot.digests()));
        archive.values()
                .forEach(decision -> digests.remove(decision.certificate().digest()));
    }

    void ignore(String reason) {
        ignored.merge(reason, 1L, Long::sum);
    }

    Map<String, Long> ignored() {
        return new TreeMap<>(ignored);
    }

    void note(Effects out, Event event, long seq, String detail) {
        out.add(new Effect.Note(event, view, seq, detail));
    }

    /**
     * Keeps the proof that one replica signed two statements that no correct one signs both: one proof for each type of
     * statement in a view, since one convicts, and who lies without end shall not keep others busy.
     */
    void accuse(Signed<? extends Statement> first, Signed<? extends Statement> second, Effects out) {
        ignore("contradicts an earlier statement of its sender");
        Long before = accused.computeIfAbsent(second.statement().signer(), node -> new EnumMap<>(MessageType.class))
                .put(second.type(), view);
        if (before != null && before == view) {
            return;
        }
        out.add(new Effect.Accuse(first, second));
        note(out, Event.EQUIVOCATION, lastExecuted, second.statement().signer() + ": " + second.type());
    }

    int ticks(int millis) {
        return Math.max(1, (millis + parameters.tickMillis() - 1) / parameters.tickMillis());
    }

    /** {@code millis} in ticks, doubled for each view that failed in a row, up to the configured end of doubling. */
    long patienceTicks(int millis) {
        long doubled = (long) ticks(millis) << Math.min(failedViews, 20);
        return Math.min(doubled, Math.max(ticks(millis), ticks(parameters.viewChangeTimeoutMaxMillis())));
    }

    /** Whether the connection to {@code replica} has been down for as long as it takes to start a timer early. */
    boolean longDisconnected(int replica) {
        return disconnected[replica]
                && tick - disconnectedTick[replica] >= ticks(parameters.disconnectedTimeoutMillis());
    }

    /** Whether what is sent to {@code replica} now has a connection to go by. */
    boolean isConnected(int replica) {
        return !absent[replica] && !disconnected[replica];
    }

    static NodeId to(int replica) {
        return NodeId.replica(replica);
    }
}
