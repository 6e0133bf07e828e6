package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Limits;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Changing views (OSDI'99, section 4.4; TOCS'02, section 2.3.5): leaving one, collecting what others show, computing what the
 * next begins with, and entering it. NOT thread-safe.
 *
 * <p>Timers. In a view, a backup is patient as long as something is executed; patience runs out when a request is known and
 * nothing at all is executed for the configured time, or when one request is passed over again and again. During a view change
 * no request timer runs; the wait for the NEW-VIEW is timed from the moment at which a quorum is known to want the view. Each
 * failed view doubles the patience, up to the configured end; progress resets it. A primary that has not been there since
 * this replica started is given more time, and all of it from when it arrives.
 *
 * <p>Bodies. Certificates carry digests. A view is entered only with every batch that it proposes again at hand, so that what a
 * replica prepares it can show and execute; missing ones are fetched from replicas whose VIEW-CHANGE says they had prepared.
 */
final class ViewChanger {
    /**
     * Request timeouts that a primary is given which has not been there since this replica started: the processes of a
     * cluster do not start at the same moment, and connections take their time. One that never comes is replaced.
     */
    static final int ABSENT_PATIENCE = 2;

    private record Waiting(Signed<NewView> newView, NewViewPlan plan) {}

    /** V, where nothing is missing; else the VIEW-CHANGEs that show what is. */
    private record Choice(List<Signed<ViewChange>> viewChanges, Map<Digest, Long> missing) {}

    private final ReplicaState state;
    private final Agreement agreement;
    private final Checkpoints checkpoints;

    /** The VIEW-CHANGE for the highest view of each sender, oneself included. */
    private final TreeMap<Integer, Signed<ViewChange>> latest = new TreeMap<>();

    /** A NEW-VIEW that waits for batches, or null. */
    private @Nullable Waiting waiting;

    /** Batches that came for a view that is not entered yet. */
    private final TreeMap<Digest, Batch> fetched = new TreeMap<>();

    /** When a quorum for the wanted view was first known; -1 while there is none. */
    private long quorumTick = -1;

    private final PrimaryPace pace;
    private boolean leading;
    private long idleSinceTick;
    private int fetchRounds;

    /** Batches that were asked for and have not come; bytes that have come since they were asked for. */
    private final TreeSet<Digest> asked = new TreeSet<>();

    private long bytesSinceAsked;

    ViewChanger(ReplicaState state, Agreement agreement, Checkpoints checkpoints, PrimaryPace pace) {
        this.state = state;
        this.agreement = agreement;
        this.checkpoints = checkpoints;
        this.pace = pace;
    }

    void onViewChange(Signed<ViewChange> vote, Effects out) {
        ViewChange viewChange = vote.statement();
        int sender = viewChange.replica();
        boolean current = viewChange.view() == state.view() && !state.normal();
        if (viewChange.view() <= state.view() && !current) {
            state.ignore("VIEW-CHANGE for a view that is past");
            return;
        }
        Signed<ViewChange> earlier = latest.get(sender);
        if (earlier != null && earlier.statement().view() >= viewChange.view()) {
            if (earlier.statement().view() == viewChange.view()
                    && !earlier.statement().equals(viewChange)) {
                state.accuse(earlier, vote, out);
            } else {
                state.ignore("VIEW-CHANGE is known");
            }
            return;
        }
        latest.put(sender, vote);
        joinOthers(out);
        advance(viewChange.view(), out);
    }

    /** f + 1 replicas want later views: one of them is correct, so go with the smallest (OSDI'99, section 4.5.2). */
    private void joinOthers(Effects out) {
        int count = 0;
        long smallest = Long.MAX_VALUE;
        for (Signed<ViewChange> vote : latest.values()) {
            if (vote.statement().view() > state.view() && vote.statement().replica() != state.self) {
                count++;
                smallest = Math.min(smallest, vote.statement().view());
            }
        }
        if (count >= state.quorum.weak() && state.status() != ReplicaReport.Status.REJOINING) {
            state.note(out, Event.JOINED_VIEW_CHANGE, state.lastExecuted, "view " + smallest);
            leaveView(smallest, "f + 1 replicas want a later view", out);
        }
    }

    /** Leaves the current view for {@code target}: from here on no vote in a lower one. */
    void leaveView(long target, String reason, Effects out) {
        InvariantViolation.check(target > state.view(), "a view is left for a higher one");
        state.enter(ReplicaReport.Status.VIEW_CHANGE, target, reason, out);
        waiting = null;
        quorumTick = -1;
        leading = false;
        nothingAsked();
        out.add(new Effect.Bind(leaving(target)));
    }

    private Promise.LeaveView leaving(long target) {
        List<PreparedCertificate> prepared = new ArrayList<>();
        for (Slot slot : state.slots.values()) {
            PreparedCertificate certificate = slot.prepared();
            if (certificate != null) {
                prepared.add(certificate);
            }
        }
        return new Promise.LeaveView(new ViewChange(target, state.stable, prepared, state.self));
    }

    /**
     * After a VIEW-CHANGE for {@code view}: starts the timer at a quorum, and leads the view where it is one's turn.
     * One for a later view adds nothing to V: a liar that sends many of them shall not have the same batches asked for
     * again each time.
     */
    private void advance(long view, Effects out) {
        if (state.status() != ReplicaReport.Status.VIEW_CHANGE) {
            return;
        }
        // Also while a NEW-VIEW waits for its batches: they may never come.
        if (quorumTick < 0 && quorumLeft()) {
            quorumTick = state.tick;
        }
        if (waiting == null && view == state.view()) {
            lead(out);
        }
    }

    /**
     * Whether a quorum wants this view or a later one. A replica whose wait for this view has ended already shows only its
     * VIEW-CHANGE for the next; were it not counted, those behind it could wait without a timer, and never follow.
     */
    private boolean quorumLeft() {
        int count = 0;
        for (Signed<ViewChange> vote : latest.values()) {
            if (vote.statement().view() >= state.view()) {
                count++;
            }
        }
        return count >= state.quorum.quorum();
    }

    /**
     * V for the view that is one's own to lead, or null where there is none yet: a quorum of VIEW-CHANGEs for it, one's own
     * among them, in ascending order of sender. If possible one whose batches are all here: a certificate may be of a batch
     * that one liar alone still holds, and hands to nobody (trap 17). What was committed every quorum shows, so nothing of
     * it can be avoided. Where each quorum lacks something, all that they lack is missing: what the correct ones
     * among them show can be had, and a quorum of them comes up once the others are left out.
     */
    private @Nullable Choice choice() {
        if (state.status() != ReplicaReport.Status.VIEW_CHANGE || state.primary() != state.self || leading) {
            return null;
        }
        List<Signed<ViewChange>> matching = new ArrayList<>();
        for (Signed<ViewChange> vote : latest.values()) {
            if (vote.statement().view() == state.view()) {
                matching.add(vote);
            }
        }
        List<Signed<ViewChange>> all = List.copyOf(matching);
        TreeMap<Digest, Long> missing = new TreeMap<>();
        List<Signed<ViewChange>> quorum = firstQuorum(matching);
        while (!quorum.isEmpty()) {
            NewViewPlan plan = NewViewPlan.of(quorum, ReplicaState.NULL_DIGEST);
            Map<Digest, Long> lacking = missing(plan, plan.minSeq());
            if (lacking.isEmpty()) {
                return new Choice(quorum, lacking);
            }
            missing.putAll(lacking);
            matching.removeIf(vote -> vote.statement().prepared().stream()
                    .anyMatch(certificate -> lacking.containsKey(certificate.digest())));
            quorum = firstQuorum(matching);
        }
        return missing.isEmpty() ? null : new Choice(all, missing);
    }

    /** The first of {@code matching} and one's own; nothing where they are too few, or one's own is not there. */
    private List<Signed<ViewChange>> firstQuorum(List<Signed<ViewChange>> matching) {
        List<Signed<ViewChange>> quorum = new ArrayList<>(matching);
        int surplus = quorum.size() - state.quorum.quorum();
        boolean own = quorum.stream().anyMatch(vote -> vote.statement().replica() == state.self);
        if (surplus < 0 || !own) {
            return List.of();
        }
        for (int i = quorum.size() - 1; surplus > 0; i--) {
            if (quorum.get(i).statement().replica() != state.self) {
                quorum.remove(i);
                surplus--;
            }
        }
        return quorum;
    }

    /** Leads the view where it is one's turn, or asks for the batches that this needs. */
    private void lead(Effects out) {
        Choice choice = choice();
        if (choice == null) {
            return;
        }
        List<Signed<ViewChange>> viewChanges = choice.viewChanges();
        if (!choice.missing().isEmpty()) {
            fetch(choice.missing(), viewChanges, out);
            return;
        }
        NewViewPlan plan = NewViewPlan.of(viewChanges, ReplicaState.NULL_DIGEST);
        List<PrePrepare> proposals = new ArrayList<>();
        List<Batch> batches = new ArrayList<>();
        for (long seq = plan.minSeq() + 1; seq <= plan.maxSeq(); seq++) {
            Digest digest = plan.digest(seq);
            proposals.add(new PrePrepare(state.view(), seq, digest, state.self));
            batches.add(held(seq, digest));
            if (digest.equals(ReplicaState.NULL_DIGEST)) {
                state.note(out, Event.NULL_REQUEST_PROPOSED, seq, "nothing prepared here");
            }
        }
        leading = true;
        out.add(new Effect.Bind(new Promise.LeadView(state.view(), viewChanges, proposals, batches)));
    }

    void onNewView(Signed<NewView> message, Effects out) {
        NewView newView = message.statement();
        boolean wanted = newView.view() > state.view()
                || (newView.view() == state.view() && state.status() == ReplicaReport.Status.VIEW_CHANGE);
        Signed<NewView> accepted = accepted(newView.view());
        if (accepted != null && !accepted.statement().equals(newView)) {
            state.accuse(accepted, message, out);
            return;
        }
        if (!wanted) {
            state.ignore("NEW-VIEW for a view that is past");
            return;
        }
        if (waiting != null && waiting.newView().statement().view() >= newView.view()) {
            state.ignore("NEW-VIEW is known");
            return;
        }
        NewViewPlan plan = NewViewPlan.of(newView.viewChanges(), ReplicaState.NULL_DIGEST);
        if (!proposes(newView, plan)) {
            state.ignore("NEW-VIEW that does not follow from its VIEW-CHANGEs");
            state.note(out, Event.PRIMARY_SUSPECTED, state.lastExecuted, "wrong NEW-VIEW for view " + newView.view());
            if (state.status() != ReplicaReport.Status.REJOINING) {
                leaveView(newView.view() + 1, "the NEW-VIEW does not follow from its VIEW-CHANGEs", out);
            }
            return;
        }
        waiting = new Waiting(message, plan);
        enterWhenComplete(out);
    }

    /** The NEW-VIEW that began {@code view} here, or will once its batches are here. */
    private @Nullable Signed<NewView> accepted(long view) {
        if (waiting != null && waiting.newView().statement().view() == view) {
            return waiting.newView();
        }
        Signed<NewView> begun = state.newView;
        return begun != null && begun.statement().view() == view ? begun : null;
    }

    /** Whether O is what V demands: everyone computes it anew (OSDI'99, section 4.4). */
    private static boolean proposes(NewView newView, NewViewPlan plan) {
        if (newView.proposals().size() != plan.digests().size()) {
            return false;
        }
        long seq = plan.minSeq();
        for (Signed<PrePrepare> proposal : newView.proposals()) {
            PrePrepare prePrepare = proposal.statement();
            seq++;
            if (prePrepare.seq() != seq
                    || prePrepare.view() != newView.view()
                    || !prePrepare.digest().equals(plan.digest(seq))) {
                return false;
            }
        }
        return true;
    }

    private void enterWhenComplete(Effects out) {
        Waiting candidate = waiting;
        if (candidate == null) {
            return;
        }
        Map<Digest, Long> missing = missing(candidate.plan(), state.stable.seq());
        if (!missing.isEmpty()) {
            fetch(missing, candidate.newView().statement().viewChanges(), out);
            return;
        }
        waiting = null;
        enterView(candidate, out);
    }

    private void enterView(Waiting entered, Effects out) {
        NewView newView = entered.newView().statement();
        NewViewPlan plan = entered.plan();
        TreeMap<Long, Batch> batches = new TreeMap<>();
        for (long seq = plan.minSeq() + 1; seq <= plan.maxSeq(); seq++) {
            batches.put(seq, held(seq, plan.digest(seq)));
        }
        boolean rejoining = state.status() == ReplicaReport.Status.REJOINING;
        state.enter(
                rejoining ? ReplicaReport.Status.REJOINING : ReplicaReport.Status.NORMAL,
                newView.view(),
                "NEW-VIEW",
                out);
        state.newView = entered.newView();
        state.viewChanges++;
        state.note(out, Event.VIEW_ENTERED, plan.maxSeq(), "from " + plan.minSeq());
        if (newView.replica() != state.self) {
            out.add(new Effect.Bind(new Promise.EnterView(entered.newView())));
        }
        checkpoints.adopt(plan.stable(), out);
        state.queue.viewBegins(state.tick);
        requeueDropped(plan);
        agreement.viewBegins(Math.max(plan.maxSeq(), state.stable.seq()));
        for (Signed<PrePrepare> prePrepare : newView.proposals()) {
            long seq = prePrepare.statement().seq();
            Batch batch = batches.get(seq);
            if (batch != null && state.inWindow(seq) && !rejoining) {
                agreement.accept(state.slot(seq), new Proposal(prePrepare, batch), out);
            }
        }
        state.slots.values().forEach(slot -> slot.viewBegan(newView.view()));
        latest.values().removeIf(vote -> vote.statement().view() <= state.view());
        fetched.clear();
        nothingAsked();
        leading = false;
        quorumTick = -1;
        idleSinceTick = state.tick;
        pace.viewBegins();
        handOver(out);
    }

    /** What an earlier view proposed and this one does not propose again waits once more. */
    private void requeueDropped(NewViewPlan plan) {
        for (Slot slot : state.slots.values()) {
            Proposal accepted = slot.accepted();
            boolean planned = slot.seq > plan.minSeq() && slot.seq <= plan.maxSeq();
            if (accepted == null
                    || (planned
                            && plan.digest(slot.seq)
                                    .equals(accepted.prePrepare().statement().digest()))) {
                continue;
            }
            for (Signed<Request> request : accepted.batch().requests()) {
                if (!state.clients.settled(request.statement())) {
                    state.queue.offer(request, state.tick);
                }
            }
        }
    }

    /** Tells the new primary what waits here: the old one may have been the only other that knew. */
    private void handOver(Effects out) {
        if (state.normal() && !state.isPrimary()) {
            for (Signed<Request> request : state.queue.unproposed()) {
                pace.told(request.statement());
                out.add(new Effect.Send(ReplicaState.to(state.primary()), request));
            }
        }
    }

    /** The batch, where it was fetched, or is known for this number. */
    private @Nullable Batch near(long seq, Digest digest) {
        if (digest.equals(ReplicaState.NULL_DIGEST)) {
            return Batch.NULL;
        }
        Slot slot = state.slots.get(seq);
        Batch batch = slot == null ? null : slot.batch(digest);
        return batch != null ? batch : fetched.get(digest);
    }

    private Batch held(long seq, Digest digest) {
        Batch near = near(seq, digest);
        Batch batch = near != null ? near : state.batch(digest);
        if (batch == null && seq <= state.stable.seq()) {
            // Behind the own stable checkpoint: executed by everyone who matters, and never voted on here again.
            return Batch.NULL;
        }
        return InvariantViolation.present(batch, "a view is entered with all its batches");
    }

    /**
     * The digests of batches that {@code plan} proposes again above {@code floor} and that are not here. A backup needs none
     * behind its own stable checkpoint; a new primary proposes everything itself, with its batch.
     */
    private Map<Digest, Long> missing(NewViewPlan plan, long floor) {
        TreeMap<Digest, Long> missing = new TreeMap<>();
        for (long seq = Math.max(plan.minSeq(), floor) + 1; seq <= plan.maxSeq(); seq++) {
            if (near(seq, plan.digest(seq)) == null) {
                missing.put(plan.digest(seq), seq);
            }
        }
        if (!missing.isEmpty()) {
            // Once for all of them: a window of batches that are missing is looked at anew with each that comes.
            state.forgetHeld(missing.keySet());
        }
        return missing;
    }

    /** Asks f + 1 replicas that have prepared it for each missing batch: one of them is correct. */
    private void fetch(Map<Digest, Long> missing, List<Signed<ViewChange>> viewChanges, Effects out) {
        TreeMap<Integer, List<Digest>> questions = new TreeMap<>();
        for (Digest digest : missing.keySet()) {
            List<Integer> holders = new ArrayList<>();
            for (Signed<ViewChange> vote : viewChanges) {
                boolean holds = vote.statement().prepared().stream()
                        .anyMatch(certificate -> certificate.digest().equals(digest));
                if (holds && vote.statement().replica() != state.self) {
                    holders.add(vote.statement().replica());
                }
            }
            if (holders.isEmpty() || fetchRounds > 0) {
                holders.clear();
                for (int replica = 0; replica < state.quorum.replicas(); replica++) {
                    if (replica != state.self) {
                        holders.add(replica);
                    }
                }
            }
            for (int i = 0; i < Math.min(state.quorum.weak(), holders.size()); i++) {
                int holder = holders.get((i + fetchRounds) % holders.size());
                questions.computeIfAbsent(holder, h -> new ArrayList<>()).add(digest);
            }
        }
        asked.clear();
        bytesSinceAsked = 0;
        for (Map.Entry<Integer, List<Digest>> question : questions.entrySet()) {
            List<Digest> digests = question.getValue();
            // Each round begins where the one before ended: what nobody hands out shall not keep the rest from being
            // asked.
            List<Digest> next = new ArrayList<>();
            for (int i = 0; i < Math.min(digests.size(), Limits.FETCH_BATCHES_MAX); i++) {
                next.add(digests.get((int) (((long) fetchRounds * Limits.FETCH_BATCHES_MAX + i) % digests.size())));
            }
            asked.addAll(next);
            out.add(new Effect.Send(ReplicaState.to(question.getKey()), new BatchFetch(next)));
        }
    }

    /**
     * Whether what was asked for last has come, or as much of it as an answer may hold: then the next question goes out at once,
     * and a window of batches takes round trips, not status intervals. There are never more than one question to each replica
     * under way, of {@link Limits#FETCH_BATCHES_MAX} batches at most.
     */
    private boolean answered(Digest digest, Batch batch) {
        asked.remove(digest);
        bytesSinceAsked += Checkpoints.bytes(batch);
        return asked.isEmpty() || bytesSinceAsked >= CatchUp.ANSWER_BYTES_MAX;
    }

    /** What the view that is to be entered, or led, still lacks. */
    private Map<Digest, Long> missing() {
        if (waiting != null) {
            return missing(waiting.plan(), state.stable.seq());
        }
        Choice choice = choice();
        return choice == null ? new TreeMap<>() : choice.missing();
    }

    /** A batch came that may be one that a view waits for. */
    boolean offer(Digest digest, Batch batch, Effects out) {
        if (!missing().containsKey(digest)) {
            return false;
        }
        fetched.put(digest, batch);
        state.note(out, Event.BATCH_FETCHED, state.lastExecuted, digest.toString());
        if (answered(digest, batch) || missing().isEmpty()) {
            // Those who answer are asked on.
            goOn(out);
        }
        return true;
    }

    private void nothingAsked() {
        asked.clear();
        fetchRounds = 0;
    }

    /** Enters the view, or leads it; where batches are missing still, asks for them. */
    private void goOn(Effects out) {
        if (waiting != null) {
            enterWhenComplete(out);
        } else {
            lead(out);
        }
    }

    void tick(Effects out) {
        switch (state.status()) {
            case NORMAL -> watchPrimary(out);
            case VIEW_CHANGE -> watchViewChange(out);
            case REJOINING -> {
                // Who has no vote accuses nobody.
            }
        }
    }

    private void watchPrimary(Effects out) {
        if (state.isPrimary() || state.installing != null) {
            idleSinceTick = state.tick;
            return;
        }
        if (pace.tick()) {
            state.note(out, Event.REQUEST_TIMED_OUT, state.lastExecuted, "the primary is slow to all");
            leaveView(state.view() + 1, "the primary is slow to all", out);
            return;
        }
        if (!waitsForPrimary()) {
            idleSinceTick = state.tick;
            return;
        }
        int primary = state.primary();
        long waited = state.tick - requestTimerSince();
        // Where f + 1 others have executed more, a correct one has: then this replica is late, not the primary, and
        // gets
        // what it lacks from them first.
        boolean late = state.peersAhead >= state.quorum.weak();
        boolean silent = !late && waited >= requestTimerTicks();
        boolean gone =
                state.longDisconnected(primary) && waited >= state.ticks(state.parameters.disconnectedTimeoutMillis());
        boolean unfair = !late
                && state.queue.passedOver(
                        state.tick, state.patienceTicks(state.parameters.fairnessTimeoutMillis()), state.clients);
        if (silent || gone) {
            // What others brought to execution under another request is no reason to accuse anybody.
            state.queue.dropSettled(state.clients);
        }
        if ((silent || gone || unfair) && waitsForPrimary()) {
            String reason = unfair ? "a request is passed over" : gone ? "disconnected" : "no request is executed";
            state.note(out, Event.REQUEST_TIMED_OUT, state.lastExecuted, reason);
            leaveView(state.view() + 1, reason, out);
        }
    }

    private long requestTimerSince() {
        // Nothing reaches a primary before its connection opens. A liar gains that once in the life of this replica.
        long arrived = state.arrivedTick[state.primary()];
        return Math.max(arrived, Math.max(idleSinceTick, state.progressTick));
    }

    private long requestTimerTicks() {
        int patience = state.absent[state.primary()] ? ABSENT_PATIENCE : 1;
        return patience * state.patienceTicks(state.parameters.requestTimeoutMillis());
    }

    private long newViewTimerTicks() {
        return state.patienceTicks(state.parameters.viewChangeTimeoutMillis());
    }

    /** The timer that runs, for observers. */
    Optional<ReplicaReport.Timer> timer() {
        return switch (state.status()) {
            case NORMAL -> {
                boolean watches = !state.isPrimary() && state.installing == null && waitsForPrimary();
                yield watches
                        ? Optional.of(new ReplicaReport.Timer(
                                ReplicaReport.Awaited.REQUEST, requestTimerSince(), requestTimerTicks()))
                        : Optional.empty();
            }
            case VIEW_CHANGE ->
                quorumTick < 0
                        ? Optional.empty()
                        : Optional.of(new ReplicaReport.Timer(
                                ReplicaReport.Awaited.NEW_VIEW, quorumTick, newViewTimerTicks()));
            case REJOINING -> Optional.empty();
        };
    }

    /** Whether something is known that the primary should have brought to execution. */
    private boolean waitsForPrimary() {
        if (!state.queue.isEmpty()) {
            return true;
        }
        for (Slot slot : state.slots.tailMap(state.lastExecuted, false).values()) {
            if (slot.acceptedIn(state.view()) != null) {
                return true;
            }
        }
        return false;
    }

    private void watchViewChange(Effects out) {
        if (quorumTick < 0) {
            return;
        }
        long waited = state.tick - quorumTick;
        boolean silent = waited >= newViewTimerTicks();
        boolean gone = state.primary() != state.self
                && state.longDisconnected(state.primary())
                && waited >= state.ticks(state.parameters.disconnectedTimeoutMillis());
        if (silent || gone) {
            state.note(out, Event.VIEW_CHANGE_TIMED_OUT, state.lastExecuted, "view " + state.view());
            leaveView(state.view() + 1, gone ? "the next primary is disconnected" : "no NEW-VIEW", out);
        }
    }

    /** Says and asks again what the change of view still needs: a lost VIEW-CHANGE must not stall it. */
    void repeatOpen(Effects out) {
        Signed<ViewChange> own = latest.get(state.self);
        if (own != null && state.status() == ReplicaReport.Status.VIEW_CHANGE) {
            out.add(new Effect.Broadcast(own));
        }
        // Whoever has not answered for so long is passed over.
        fetchRounds += asked.isEmpty() ? 0 : 1;
        goOn(out);
    }

    /** Batches held for a view that is not entered yet, by digest. */
    @Nullable
    Batch fetched(Digest digest) {
        return fetched.get(digest);
    }

    void recover(Recovered recovered, Effects out) {
        Signed<NewView> newView = recovered.newView().orElse(null);
        if (newView != null) {
            state.enter(state.status(), newView.statement().view(), "as the journal says", out);
            state.newView = newView;
        }
        Signed<ViewChange> viewChange = recovered.viewChange().orElse(null);
        if (viewChange != null && viewChange.statement().view() > state.view()) {
            latest.put(state.self, viewChange);
            // A journal that may lack promises gives nobody back its vote: not the one in a change of view either.
            if (state.status() != ReplicaReport.Status.REJOINING) {
                state.enter(
                        ReplicaReport.Status.VIEW_CHANGE, viewChange.statement().view(), "as the journal says", out);
            }
        }
    }

    /** One that lost its disk may vote again: in the view that it knows of, unless it is known to have left that one. */
    void voteAgain(Effects out) {
        String reason = "beyond every number voted for before";
        Signed<ViewChange> own = latest.get(state.self);
        if (own != null && own.statement().view() > state.view()) {
            long view = own.statement().view();
            if (state.quorum.primary(view) == state.self) {
                // It may have led that view already, and does not know with what. Said before its status changes:
                // once the mark of the lost disk is gone, the journal alone keeps it from leading that view again.
                view++;
                out.add(new Effect.Bind(leaving(view)));
            }
            if (waiting != null && waiting.newView().statement().view() < view) {
                waiting = null;
                nothingAsked();
            }
            state.enter(ReplicaReport.Status.VIEW_CHANGE, view, reason, out);
        } else {
            state.enter(ReplicaReport.Status.NORMAL, state.view(), reason, out);
        }
        // The others said what they want while this one had no vote, and what is known is not looked at again.
        joinOthers(out);
        advance(state.view(), out);
    }
}
