package io.pbft.replica.core;

import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Request;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which operations of which sessions have been executed, with the results that clients may still ask for. It makes
 * execution exactly-once across retransmission, view change, restart and state transfer, and so it is part of the
 * replicated state: it changes only by executing, the same on every replica, and its entries go into every
 * checkpoint's digest.
 *
 * <p>A client has sessions, told apart by their epochs; a session has numbers. Everything below a session's low mark
 * was executed and acknowledged by the client and is forgotten; of what lies in the window above, the executed
 * numbers are those with a cached result. When a client opens more sessions than are remembered, its least recently
 * used one is forgotten, and from then on no epoch up to the forgotten one's can begin a session: a replayed request
 * of a forgotten session is refused, never executed anew. All these decisions depend on the order of operations and
 * on the agreed time alone.
 *
 * <h2>Bounds</h2>
 * A client that never acknowledges anything must not fill up every replica. Its sessions together hold twice {@link
 * ProtocolParameters#sessionWindow} answers at most, besides those of the batch that runs: for more, its least
 * recently used sessions are forgotten. How many bytes the results may have is {@link ResultRoom}'s to say, before an
 * operation takes effect. A session that ended leaves the results of its last operations unacknowledged, so idle
 * sessions are forgotten where their results are in the way: a client's own after {@link #IDLE_MILLIS}, when its next
 * request finds more than half of what it may keep taken, or more than half of the pool; others after {@link
 * #LONG_IDLE_MILLIS}, at a checkpoint that finds more than half of the pool taken by clients beyond their shares.
 *
 * <p>NOT thread-safe.
 */
final class ClientTable {
    /** Bits of an epoch below its milliseconds. */
    static final int EPOCH_RANDOM_BITS = 20;

    /** A client that had nothing outstanding for so long begins another session. */
    static final long IDLE_MILLIS = 1_000;

    /** Nobody waits so long for a result that is there. */
    static final long LONG_IDLE_MILLIS = 60_000;

    private static final byte FLOOR = 'F';
    private static final byte SESSION = 'S';
    private static final byte REPLY = 'R';

    /** What was answered to an executed operation. */
    record Cached(long seq, long timeMillis, Digest operation, Outcome outcome, Bytes result) {}

    /** An operation that execution looks at: either it is to be run, or its outcome is known without running it. */
    record Planned(
            Request request,
            long number,
            Bytes operation,
            @Nullable Outcome refused) {}

    private static final class Session {
        long low = 1;
        long lastUsedSeq;
        long lastUsedMillis;
        final TreeMap<Long, Cached> replies = new TreeMap<>();
        final TreeSet<Long> executing = new TreeSet<>();
        /** Numbers whose replies the last checkpoint holds. */
        final TreeSet<Long> persisted = new TreeSet<>();

        boolean holdsResults() {
            for (Cached reply : replies.values()) {
                if (ResultRoom.charge(reply.result().size()) > 0) {
                    return true;
                }
            }
            return false;
        }
    }

    private static final class Sessions {
        /** No epoch up to this one begins a session any more. */
        long floor = -1;

        /** Answers that are kept, and operations that run. */
        int answers;

        final TreeMap<Long, Session> byEpoch = new TreeMap<>();
    }

    private record SessionKey(int client, long epoch) implements Comparable<SessionKey> {
        @Override
        public int compareTo(SessionKey other) {
            int byClient = Integer.compare(client, other.client);
            return byClient != 0 ? byClient : Long.compare(epoch, other.epoch);
        }
    }

    private final ProtocolParameters parameters;
    private final TreeMap<Integer, Sessions> clients = new TreeMap<>();
    private final KeptResults results;

    /** Since the last checkpoint: sessions that changed or went, and clients whose floor rose. */
    private final TreeSet<SessionKey> changedSessions = new TreeSet<>();

    private final TreeMap<SessionKey, TreeSet<Long>> forgotten = new TreeMap<>();
    private final TreeSet<Integer> raisedFloors = new TreeSet<>();

    /** @param registered how many clients there are at most */
    ClientTable(ProtocolParameters parameters, int registered) {
        this.parameters = parameters;
        this.results = new KeptResults(parameters.resultBytesMax(), registered);
    }

    /** Whether there is nothing left to do for {@code request}: each of its operations was executed, or never will be. */
    boolean settled(Request request) {
        Sessions sessions = clients.get(request.client());
        if (sessions == null) {
            return false;
        }
        Session session = sessions.byEpoch.get(request.epoch());
        if (session == null) {
            return request.epoch() <= sessions.floor;
        }
        for (long number = request.first(); number <= request.last(); number++) {
            if (number >= session.low && !session.replies.containsKey(number)) {
                return false;
            }
        }
        return true;
    }

    /** Whether {@code request}'s session can never be served again. */
    boolean expired(Request request) {
        Sessions sessions = clients.get(request.client());
        return sessions != null && request.epoch() <= sessions.floor && !sessions.byEpoch.containsKey(request.epoch());
    }

    /** What was answered to an operation, while it is remembered. */
    @Nullable
    Cached cached(int client, long epoch, long number) {
        Session session = find(client, epoch);
        return session == null ? null : session.replies.get(number);
    }

    private @Nullable Session find(int client, long epoch) {
        Sessions sessions = clients.get(client);
        return sessions == null ? null : sessions.byEpoch.get(epoch);
    }

    /** Decides what executing {@code request} at {@code seq} means, and remembers that its operations run now. */
    List<Planned> admit(long seq, long timeMillis, Request request) {
        List<Planned> planned = new ArrayList<>(request.operations().size());
        Sessions sessions = clients.computeIfAbsent(request.client(), client -> new Sessions());
        Outcome refusal = open(sessions, request, timeMillis);
        if (refusal != null) {
            for (int i = 0; i < request.operations().size(); i++) {
                planned.add(new Planned(
                        request, request.first() + i, request.operations().get(i), refusal));
            }
            return planned;
        }
        Session session =
                InvariantViolation.present(sessions.byEpoch.get(request.epoch()), "an admitted request has a session");
        session.lastUsedSeq = seq;
        session.lastUsedMillis = timeMillis;
        acknowledge(request, sessions, session);
        makeRoom(request, sessions, timeMillis);
        changedSessions.add(new SessionKey(request.client(), request.epoch()));
        for (int i = 0; i < request.operations().size(); i++) {
            long number = request.first() + i;
            if (number < session.low || session.replies.containsKey(number) || session.executing.contains(number)) {
                continue;
            }
            boolean within = number - session.low < parameters.sessionWindow();
            if (within) {
                session.executing.add(number);
                sessions.answers++;
            }
            planned.add(
                    new Planned(request, number, request.operations().get(i), within ? null : Outcome.OUT_OF_WINDOW));
        }
        return planned;
    }

    /** Makes sure that the request's session exists; otherwise says why it cannot. */
    private @Nullable Outcome open(Sessions sessions, Request request, long timeMillis) {
        long epoch = request.epoch();
        if (sessions.byEpoch.containsKey(epoch)) {
            return null;
        }
        if (epoch <= sessions.floor) {
            return Outcome.SESSION_EXPIRED;
        }
        // Twice: a faulty primary may keep the agreed time as far behind the replicas' clocks as a client's may be
        // ahead.
        if (epoch >>> EPOCH_RANDOM_BITS > timeMillis + 2L * parameters.clockSkewMillis()) {
            return Outcome.SESSION_IN_FUTURE;
        }
        if (sessions.byEpoch.size() >= parameters.sessionsPerClient()) {
            OptionalLong oldest = leastRecentlyUsed(sessions, session -> true);
            if (oldest.isEmpty() || oldest.getAsLong() > epoch) {
                // For good: whoever was told so may ask again in another session, and this one must not run besides.
                raiseFloor(request.client(), sessions, epoch);
                return Outcome.SESSION_EXPIRED;
            }
            forget(request.client(), sessions, oldest.getAsLong());
        }
        sessions.byEpoch.put(epoch, new Session());
        return null;
    }

    /** Lets go of what the client says that it has. */
    private void acknowledge(Request request, Sessions sessions, Session session) {
        session.low = Math.max(session.low, request.lowest());
        SortedMap<Long, Cached> below = session.replies.headMap(session.low);
        release(request.client(), sessions, below.values());
        below.clear();
    }

    private void release(int client, Sessions sessions, Collection<Cached> replies) {
        for (Cached reply : replies) {
            results.remove(client, reply.result().size());
        }
        sessions.answers -= replies.size();
    }

    /** Forgets sessions of the same client whose answers are in the way of this request's. */
    private void makeRoom(Request request, Sessions sessions, long timeMillis) {
        Session own = sessions.byEpoch.get(request.epoch());
        int answersMax = 2 * parameters.sessionWindow();
        boolean more = true;
        while (more && sessions.answers + request.operations().size() > answersMax) {
            more = forgetOne(request.client(), sessions, session -> session != own);
        }
        more = true;
        while (more && results.isPressed(request.client())) {
            more = forgetOne(
                    request.client(),
                    sessions,
                    session -> session != own
                            && session.lastUsedMillis <= timeMillis - IDLE_MILLIS
                            && session.holdsResults());
        }
    }

    private boolean forgetOne(int client, Sessions sessions, Predicate<Session> which) {
        OptionalLong epoch = leastRecentlyUsed(sessions, which);
        epoch.ifPresent(oldest -> forget(client, sessions, oldest));
        return epoch.isPresent();
    }

    private void forget(int client, Sessions sessions, long epoch) {
        Session gone = InvariantViolation.present(sessions.byEpoch.remove(epoch), "what is forgotten was remembered");
        release(client, sessions, gone.replies.values());
        SessionKey key = new SessionKey(client, epoch);
        changedSessions.remove(key);
        forgotten.put(key, gone.persisted);
        raiseFloor(client, sessions, epoch);
    }

    private void raiseFloor(int client, Sessions sessions, long epoch) {
        sessions.floor = Math.max(sessions.floor, epoch);
        raisedFloors.add(client);
    }

    /** The session without operations that run, of those that {@code which} names, that was used longest ago. */
    private static OptionalLong leastRecentlyUsed(Sessions sessions, Predicate<Session> which) {
        OptionalLong epoch = OptionalLong.empty();
        long seq = Long.MAX_VALUE;
        for (Map.Entry<Long, Session> entry : sessions.byEpoch.entrySet()) {
            Session session = entry.getValue();
            if (session.executing.isEmpty() && session.lastUsedSeq < seq && which.test(session)) {
                seq = session.lastUsedSeq;
                epoch = OptionalLong.of(entry.getKey());
            }
        }
        return epoch;
    }

    /** What the operations admitted last, which are of these clients, may leave behind. */
    ResultRoom room(Set<Integer> clientsOfThem) {
        return results.room(clientsOfThem);
    }

    /** An admitted operation has run. */
    void executed(Planned planned, Cached reply) {
        Session session = InvariantViolation.present(
                find(planned.request().client(), planned.request().epoch()), "what was executed has a session");
        InvariantViolation.check(session.executing.remove(planned.number()), "what was executed was admitted");
        session.replies.put(planned.number(), reply);
        results.add(planned.request().client(), reply.result().size());
    }

    /** A checkpoint is taken: what changed in the table's entries since the last one. */
    Map<Bytes, Optional<Bytes>> checkpoint(long timeMillis) {
        for (int client : results.pressing()) {
            Sessions sessions = sessionsOf(client);
            boolean more = true;
            while (more) {
                more = forgetOne(
                        client,
                        sessions,
                        session -> session.lastUsedMillis <= timeMillis - LONG_IDLE_MILLIS && session.holdsResults());
            }
        }
        return drainChanges();
    }

    private Map<Bytes, Optional<Bytes>> drainChanges() {
        TreeMap<Bytes, Optional<Bytes>> changes = new TreeMap<>();
        for (Map.Entry<SessionKey, TreeSet<Long>> gone : forgotten.entrySet()) {
            SessionKey key = gone.getKey();
            changes.put(sessionKey(key.client(), key.epoch()), Optional.empty());
            for (long number : gone.getValue()) {
                changes.put(replyKey(key.client(), key.epoch(), number), Optional.empty());
            }
        }
        for (int client : raisedFloors) {
            changes.put(floorKey(client), Optional.of(numbers(sessionsOf(client).floor)));
        }
        for (SessionKey key : changedSessions) {
            drainSession(key, changes);
        }
        forgotten.clear();
        raisedFloors.clear();
        changedSessions.clear();
        return changes;
    }

    private void drainSession(SessionKey key, Map<Bytes, Optional<Bytes>> changes) {
        Session session =
                InvariantViolation.present(find(key.client(), key.epoch()), "a changed session is remembered");
        changes.put(
                sessionKey(key.client(), key.epoch()),
                Optional.of(numbers(session.low, session.lastUsedSeq, session.lastUsedMillis)));
        for (long number : session.persisted) {
            if (!session.replies.containsKey(number)) {
                changes.put(replyKey(key.client(), key.epoch(), number), Optional.empty());
            }
        }
        for (Map.Entry<Long, Cached> reply : session.replies.entrySet()) {
            if (!session.persisted.contains(reply.getKey())) {
                changes.put(replyKey(key.client(), key.epoch(), reply.getKey()), Optional.of(encode(reply.getValue())));
            }
        }
        session.persisted.clear();
        session.persisted.addAll(session.replies.keySet());
    }

    /** Replaces everything by what a checkpoint holds. Entries that are not this table's are passed over. */
    void load(List<StateView.Entry> entries) {
        clients.clear();
        results.clear();
        changedSessions.clear();
        forgotten.clear();
        raisedFloors.clear();
        for (StateView.Entry entry : entries) {
            ByteBuffer key = entry.key().asReadOnlyBuffer();
            ByteBuffer value = entry.value().asReadOnlyBuffer();
            byte kind = key.get();
            if (kind == FLOOR) {
                sessionsOf(key.getInt()).floor = value.getLong();
            } else if (kind == SESSION) {
                Session session = session(key.getInt(), key.getLong());
                session.low = value.getLong();
                session.lastUsedSeq = value.getLong();
                session.lastUsedMillis = value.getLong();
            } else if (kind == REPLY) {
                int client = key.getInt();
                Session session = session(client, key.getLong());
                long number = key.getLong();
                Cached reply = decode(entry.value());
                session.replies.put(number, reply);
                session.persisted.add(number);
                sessionsOf(client).answers++;
                results.addLoaded(client, reply.result().size());
            }
        }
    }

    private Sessions sessionsOf(int client) {
        return clients.computeIfAbsent(client, c -> new Sessions());
    }

    private Session session(int client, long epoch) {
        return sessionsOf(client).byEpoch.computeIfAbsent(epoch, e -> new Session());
    }

    private static Bytes floorKey(int client) {
        return Bytes.wrap(ByteBuffer.allocate(5).put(FLOOR).putInt(client).array());
    }

    private static Bytes sessionKey(int client, long epoch) {
        return Bytes.wrap(ByteBuffer.allocate(13)
                .put(SESSION)
                .putInt(client)
                .putLong(epoch)
                .array());
    }

    private static Bytes replyKey(int client, long epoch, long number) {
        return Bytes.wrap(ByteBuffer.allocate(21)
                .put(REPLY)
                .putInt(client)
                .putLong(epoch)
                .putLong(number)
                .array());
    }

    static Bytes numbers(long... numbers) {
        ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES * numbers.length);
        for (long number : numbers) {
            buffer.putLong(number);
        }
        return Bytes.wrap(buffer.array());
    }

    private static final int CACHED_HEADER_BYTES = 8 + 8 + Digest.SIZE + 1;

    private static Bytes encode(Cached reply) {
        ByteBuffer buffer =
                ByteBuffer.allocate(CACHED_HEADER_BYTES + reply.result().size());
        buffer.putLong(reply.seq()).putLong(reply.timeMillis());
        reply.operation().copyTo(buffer.array(), 16);
        buffer.position(16 + Digest.SIZE);
        buffer.put(reply.outcome().code());
        reply.result().copyTo(buffer.array(), CACHED_HEADER_BYTES);
        return Bytes.wrap(buffer.array());
    }

    private static Cached decode(Bytes entry) {
        ByteBuffer buffer = entry.asReadOnlyBuffer();
        long seq = buffer.getLong();
        long timeMillis = buffer.getLong();
        byte[] digest = new byte[Digest.SIZE];
        buffer.get(digest);
        byte code = buffer.get();
        for (Outcome outcome : Outcome.values()) {
            if (outcome.code() == code) {
                return new Cached(
                        seq,
                        timeMillis,
                        Digest.copyOf(digest, 0, digest.length),
                        outcome,
                        entry.slice(CACHED_HEADER_BYTES, entry.size()));
            }
        }
        throw new InvariantViolation("the client table holds an outcome with code " + code);
    }

    /** Bytes of results that are kept for all clients; those that count nothing left out. */
    long resultBytes() {
        return results.total();
    }

    /** Answers that are kept for all clients, and operations that run. */
    int answers() {
        int count = 0;
        for (Sessions sessions : clients.values()) {
            count += sessions.answers;
        }
        return count;
    }

    /** Sessions that are remembered, of all clients. */
    int sessions() {
        int count = 0;
        for (Sessions sessions : clients.values()) {
            count += sessions.byEpoch.size();
        }
        return count;
    }
}
