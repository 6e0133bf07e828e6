package io.pbft.replica;

import io.pbft.checkpoint.StateInstall;
import io.pbft.checkpoint.StateStore;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.replica.core.Event;
import io.pbft.replica.core.Input;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Fetches the state of a certified checkpoint from the others (TOCS'02, section 5.3, with a tree of its own).
 *
 * <p><b>Sources.</b> All others are asked at once, each for other nodes of the tree, with a few requests under way to each. The
 * store checks every node against the certified root (trap 47), so that a source can do no more harm than to waste its
 * turns:
 *
 * <ul>
 *   <li>one whose node is not what was certified is banned, and not asked again until the process ends, or nobody else is left;
 *   <li>one that takes far longer than the sources usually do is late: others may be asked for the same, and it rests; twice
 *       as long each time, until it answers. A late answer is as good as any other, ends the rest, and leaves the source one
 *       request at a time until it answers in time again. How long is too long follows from what is measured, late
 *       answers included: where all are far away nobody is late;
 *   <li>one that does not hold the checkpoint rests for a moment: it may come to it.
 * </ul>
 *
 * Bans and slowness are noted with the source's name.
 *
 * <p><b>Bounds.</b> A request is made for as many nodes as {@link #REQUEST_BYTES} are expected to hold, and an answer has
 * {@link StateServer#ANSWER_BYTES}, or one node more, at most. There are {@link #REQUESTS_MAX} under way.
 *
 * <p><b>A moving target</b> (trap 46). The core replaces the target when the others have gone on. What has arrived by then is not
 * fetched again; answers on their way are still taken where they fit. A target that comes while one is being installed
 * waits for the end of that: then only the difference between the two is left.
 *
 * <p>NOT thread-safe: the driver's thread calls it.
 */
final class StateSync {
    /** What a request is meant to bring. */
    static final int REQUEST_BYTES = 256 << 10;

    /** Nodes asked for in one request. */
    static final int PATHS_PER_REQUEST_MIN = 8;

    static final int PATHS_PER_REQUEST_MAX = 256;

    /** What a node is believed to have before one has come. */
    private static final int NODE_BYTES_FIRST = 1 << 10;

    /** Requests under way to one source, and to all together. */
    static final int REQUESTS_PER_SOURCE_MAX = 4;

    static final int REQUESTS_MAX = 24;

    /** A source is late after this, or after {@link #FAR_FACTOR} times the usual round trip where that is longer. */
    static final int PATIENCE_MILLIS = 500;

    static final int FAR_FACTOR = 2;

    /** A source is not called slow before this. */
    static final int LATE_MILLIS_MIN = 100;

    /** Where sources are near, one is late after so many times the usual round trip. */
    static final int LATE_FACTOR = 8;

    /** What a new round trip weighs in the mean of a source's: an eighth, as in RFC 6298. */
    private static final int MEAN_WEIGHT = 8;

    /** Late requests to one source whose answers are still waited for. */
    private static final int LATE_REQUESTS_MAX = 2 * REQUESTS_PER_SOURCE_MAX;

    /** How long one that does not hold the checkpoint is left alone. */
    static final int LACKS_MILLIS = 100;

    /** The longest rest is this power of two times the patience. */
    private static final int REST_DOUBLINGS_MAX = 6;

    /** Tells the outside what happened to a transfer. */
    interface Notes {
        void note(Event event, long seq, String detail);
    }

    private final int replicas;
    private final StateStore store;
    private final Outbox outbox;
    private final Notes notes;
    private final Consumer<Input.StateInstalled> installed;
    private final long patienceTicks;
    private final long lateTicksMin;
    private final long lacksTicks;

    private final List<Source> sources = new ArrayList<>();

    /** The paths of all requests under way. */
    private final TreeSet<Bytes> underWay = new TreeSet<>();

    private @Nullable StateInstall install;

    /** Whether the state is complete and on its way to the disk. */
    private boolean installing;

    /** The target that comes after the one that is being installed. */
    private @Nullable CheckpointCertificate next;

    private long nodesReceived;
    private long nodeBytesReceived;
    private long tick;

    /**
     * What a source was asked for, and when.
     *
     * @param again whether the same source was asked for some of it before, in vain so far: which of the two an answer is for
     *     cannot be told, and how long it took is not known (P. Karn and C. Partridge, SIGCOMM'87)
     */
    private record Asked(long seq, List<Bytes> paths, long tick, boolean again) {}

    private static final class Source {
        final int replica;
        final List<Asked> asked = new ArrayList<>();

        /** Requests that are not counted on any more; their answers are welcome. The oldest first. */
        final Deque<Asked> late = new ArrayDeque<>();

        boolean banned;

        /** Not asked before this tick, and why. */
        long restsUntil;

        boolean lacks;

        /** How often in a row it was late, or had nothing of what it was asked for. */
        int misses;

        /** Whether its last answer was late. */
        boolean answersLate;

        long bytes;

        /** The mean of its round trips, {@link #MEAN_WEIGHT} times; negative: none was measured. */
        long roundTrip = -1;

        Source(int replica) {
            this.replica = replica;
        }

        void measured(long ticks) {
            roundTrip = roundTrip < 0 ? MEAN_WEIGHT * ticks : roundTrip - roundTrip / MEAN_WEIGHT + ticks;
        }

        String state(long tick) {
            if (banned) {
                return "BANNED";
            }
            if (restsUntil > tick) {
                return lacks ? "LACKS_IT" : "SLOW";
            }
            return "ASKED";
        }
    }

    /** @param installed told when a state is complete, durable and current */
    StateSync(
            int self,
            int replicas,
            int tickMillis,
            StateStore store,
            Outbox outbox,
            Notes notes,
            Consumer<Input.StateInstalled> installed) {
        this.replicas = replicas;
        this.store = store;
        this.outbox = outbox;
        this.notes = notes;
        this.installed = installed;
        this.patienceTicks = ticks(PATIENCE_MILLIS, tickMillis);
        this.lateTicksMin = ticks(LATE_MILLIS_MIN, tickMillis);
        this.lacksTicks = ticks(LACKS_MILLIS, tickMillis);
        for (int i = 1; i < replicas; i++) {
            sources.add(new Source((self + i) % replicas));
        }
    }

    private static long ticks(int millis, int tickMillis) {
        return Math.max(2, millis / tickMillis);
    }

    /** Begins to fetch, in place of what was being fetched. */
    void start(CheckpointCertificate target) {
        if (installing) {
            next = target;
            return;
        }
        for (Source source : sources) {
            source.lacks = false;
            if (install == null) {
                source.bytes = 0;
                source.restsUntil = tick;
            }
        }
        install = store.install(target.seq(), target.state());
        proceed();
    }

    /** Whether a state is being fetched or installed. */
    boolean isAtWork() {
        return install != null;
    }

    /** Takes an answer. */
    void onNodes(int from, StateNodes answer) {
        StateInstall current = install;
        Optional<Source> known =
                sources.stream().filter(source -> source.replica == from).findFirst();
        if (current == null || installing || known.isEmpty()) {
            return;
        }
        Source source = known.get();
        Asked request = answered(source, answer);
        if (request == null || source.banned) {
            return;
        }
        if (!answer.nodes().isEmpty()) {
            judge(source, request);
        }
        if (!answer.available()) {
            if (answer.seq() == current.seq()) {
                source.lacks = true;
                source.restsUntil = tick + lacksTicks;
                forget(source);
            }
        } else if (answer.seq() == current.seq()) {
            take(source, answer, current);
        } else {
            // For the target before: what is part of this one too is welcome, and the rest is no lie.
            answer.nodes().forEach(current::offer);
        }
        proceed();
    }

    /** The request that {@code answer} is for: it is no longer under way. The late ones were asked earlier, and come first. */
    private @Nullable Asked answered(Source source, StateNodes answer) {
        Asked late = removeAnswered(source.late, answer);
        if (late != null) {
            return late;
        }
        Asked request = removeAnswered(source.asked, answer);
        if (request != null) {
            request.paths().forEach(underWay::remove);
        }
        return request;
    }

    private static @Nullable Asked removeAnswered(Iterable<Asked> requests, StateNodes answer) {
        for (Iterator<Asked> each = requests.iterator(); each.hasNext(); ) {
            Asked request = each.next();
            boolean matches = request.seq() == answer.seq()
                    && (answer.nodes().isEmpty()
                            || request.paths().contains(answer.nodes().get(0).path()));
            if (matches) {
                each.remove();
                return request;
            }
        }
        return null;
    }

    private void take(Source source, StateNodes answer, StateInstall current) {
        for (StateNodes.Node node : answer.nodes()) {
            if (!current.offer(node)) {
                source.banned = true;
                forget(source);
                notes.note(
                        Event.STATE_SOURCE_BANNED,
                        current.seq(),
                        "replica " + source.replica + " sent a node at path '" + node.path()
                                + "' that is not the certified one");
                return;
            }
            nodesReceived++;
            nodeBytesReceived += node.content().size();
            source.bytes += node.content().size();
        }
        if (answer.nodes().isEmpty()) {
            forget(source);
            slow(source, current, "has nothing of what it was asked for");
            return;
        }
    }

    /** It has answered: how far away it is, and whether that was in time. */
    private void judge(Source source, Asked request) {
        long took = tick - request.tick();
        if (!request.again()) {
            source.measured(took);
        }
        // By what is known now: where it was this answer that told how far away all are, it was not late.
        source.answersLate = request.again() || took >= lateTicks();
        source.misses = source.answersLate ? 1 : 0;
        source.restsUntil = tick;
        source.lacks = false;
    }

    void tick() {
        tick++;
        StateInstall current = install;
        if (current == null || installing) {
            return;
        }
        long patience = lateTicks();
        for (Source source : sources) {
            if (source.asked.stream().anyMatch(request -> tick - request.tick() >= patience)) {
                late(source, current, patience);
            }
        }
        // At most f lie: when all were banned, this replica misjudged, and starts over with everyone.
        if (sources.stream().allMatch(source -> source.banned)) {
            sources.forEach(source -> source.banned = false);
        }
        proceed();
    }

    /**
     * How long a source may take: by the median of what they take. At most a third of them lie, so that no liar can raise it
     * above what a correct one takes once all were measured.
     */
    private long lateTicks() {
        long[] means = sources.stream()
                .filter(source -> source.roundTrip >= 0)
                .mapToLong(source -> source.roundTrip)
                .sorted()
                .toArray();
        if (means.length == 0) {
            return patienceTicks;
        }
        long usual = means[(means.length - 1) / 2];
        long patience = Math.max(patienceTicks, FAR_FACTOR * usual / MEAN_WEIGHT);
        return Math.max(lateTicksMin, Math.min(patience, LATE_FACTOR * usual / MEAN_WEIGHT));
    }

    private void late(Source source, StateInstall current, long patience) {
        source.late.addAll(source.asked);
        while (source.late.size() > LATE_REQUESTS_MAX) {
            source.late.removeFirst();
        }
        release(source);
        if (source.answersLate && source.misses <= 1) {
            // It was said already: it is known to be slow, and alive.
            rest(source);
        } else {
            slow(source, current, "has not answered for " + patience + " ticks");
        }
    }

    /** @return for how many ticks */
    private long rest(Source source) {
        long rest = patienceTicks << Math.min(source.misses, REST_DOUBLINGS_MAX);
        source.misses++;
        source.restsUntil = tick + rest;
        source.lacks = false;
        return rest;
    }

    private void slow(Source source, StateInstall current, String how) {
        long rest = rest(source);
        notes.note(
                Event.STATE_SOURCE_SLOW,
                current.seq(),
                "replica " + source.replica + " " + how + "; it is left out for " + rest + " ticks");
    }

    /** Others may be asked for what it was asked for. */
    private void release(Source source) {
        source.asked.forEach(request -> request.paths().forEach(underWay::remove));
        source.asked.clear();
    }

    /** And no answer of it is waited for any more. */
    private void forget(Source source) {
        release(source);
        source.late.clear();
    }

    private void proceed() {
        StateInstall current = install;
        if (current == null) {
            return;
        }
        ask(current);
        if (current.complete()) {
            installing = true;
            sources.forEach(this::forget);
            current.commit(this::ended);
        }
    }

    /** Fetches nothing more, and says nothing of what is still being installed. */
    void stop() {
        install = null;
        next = null;
    }

    /** The install that was under way is over; {@code whole}: the state is there. */
    private void ended(boolean whole) {
        if (install == null) {
            return;
        }
        installing = false;
        CheckpointCertificate target = next;
        next = null;
        if (whole) {
            install = null;
            installed.accept(new Input.StateInstalled(store.seq(), store.root(), store.systemEntries()));
        }
        if (target != null) {
            start(target);
        } else {
            proceed();
        }
    }

    /** Asks every source that has room for nodes that no other was asked for. */
    private void ask(StateInstall current) {
        long nodeBytes = nodesReceived == 0 ? NODE_BYTES_FIRST : nodeBytesReceived / nodesReceived + 1;
        int perRequest =
                (int) Math.max(PATHS_PER_REQUEST_MIN, Math.min(PATHS_PER_REQUEST_MAX, REQUEST_BYTES / nodeBytes));
        List<Source> free = new ArrayList<>();
        int requests = 0;
        for (Source source : sources) {
            requests += source.asked.size();
            boolean rests = source.banned || source.restsUntil > tick;
            if (!rests && source.asked.size() < REQUESTS_PER_SOURCE_MAX) {
                free.add(source);
            }
        }
        // Who did worse is asked last, and only once at a time until it has done better.
        free.sort(Comparator.<Source>comparingInt(source -> source.misses).thenComparingInt(s -> s.asked.size()));
        int room = Math.min(free.size(), REQUESTS_MAX - requests);
        List<Bytes> wanted = current.missing(underWay, Math.max(0, room) * perRequest);
        int share = Math.min(
                perRequest, Math.max(PATHS_PER_REQUEST_MIN, -Math.floorDiv(-wanted.size(), Math.max(1, room))));
        int from = 0;
        for (Source source : free) {
            boolean onTrial = source.misses > 0 && !source.asked.isEmpty();
            if (from >= wanted.size() || onTrial) {
                continue;
            }
            List<Bytes> paths = List.copyOf(wanted.subList(from, Math.min(from + share, wanted.size())));
            from += paths.size();
            Set<Bytes> these = new TreeSet<>(paths);
            boolean again =
                    source.late.removeIf(request -> request.paths().stream().anyMatch(these::contains));
            source.asked.add(new Asked(current.seq(), paths, tick, again));
            underWay.addAll(paths);
            outbox.send(NodeId.replica(source.replica), new StateFetch(current.seq(), paths));
        }
    }

    /** How far it is; nothing when no state is being fetched. */
    Optional<TransferReport> report() {
        StateInstall current = install;
        if (current == null) {
            return Optional.empty();
        }
        StateInstall.Progress progress = current.progress();
        TransferReport.Source[] byReplica = new TransferReport.Source[replicas];
        for (Source source : sources) {
            byReplica[source.replica] = new TransferReport.Source(source.replica, source.state(tick), source.bytes);
        }
        return Optional.of(new TransferReport(
                current.seq(),
                installing ? "INSTALLING" : "FETCHING",
                progress.bytesReceived(),
                progress.bytesExpected(),
                progress.entriesMissing(),
                progress.entries(),
                Arrays.stream(byReplica).filter(Objects::nonNull).toList()));
    }
}
