package io.pbft.replica.core;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Requests that this replica knows of and that have not been executed. A client's requests wait in the order in which they
 * arrived, and clients take turns, so that a greedy one delays the others by no more than one request of its own a turn.
 * Each client has a quota: what lies beyond is refused. Where many fill theirs at the same time, whoever has most waiting gives
 * way to those who have less: its newest request is forgotten, and told again by a client that still waits for it.
 * NOT thread-safe.
 */
final class RequestQueue {
    /** Requests of one client that wait here; their bytes. */
    static final int CLIENT_REQUESTS_MAX = 4_096;

    static final long CLIENT_BYTES_MAX = 16L << 20;

    /** All that waits here, in bytes. */
    static final long BYTES_MAX = 96L << 20;

    /** What became of a request that was offered. */
    enum Offer {
        TAKEN,
        KNOWN,
        REFUSED
    }

    private record Key(int client, long epoch, long first) implements Comparable<Key> {
        static Key of(Request request) {
            return new Key(request.client(), request.epoch(), request.first());
        }

        @Override
        public int compareTo(Key other) {
            int order = Integer.compare(client, other.client);
            if (order == 0) {
                order = Long.compare(epoch, other.epoch);
            }
            return order != 0 ? order : Long.compare(first, other.first);
        }
    }

    private static final class Pending {
        final Signed<Request> request;
        /** Who brought it: a replica's number, or {@link #CLIENT}. */
        final int source;

        final long arrival;
        final long bytes;
        long sinceTick;
        /** What {@link PrimaryPace}'s clock said when this replica told the primary first; -1 before. */
        long toldAt = NEVER_TOLD;

        boolean proposed;

        Pending(Signed<Request> request, int source, long arrival, long bytes, long tick) {
            this.request = request;
            this.source = source;
            this.arrival = arrival;
            this.bytes = bytes;
            this.sinceTick = tick;
        }

        int operations() {
            return request.statement().operations().size();
        }
    }

    private static final class ClientQueue {
        final TreeMap<Long, Pending> byArrival = new TreeMap<>();
        /** Requests by who brought them. */
        final TreeMap<Integer, Integer> bySource = new TreeMap<>();

        long bytes;
        /** When something of this client was last executed: a client that is served is not left out. */
        long servedTick;
    }

    static final long NEVER_TOLD = -1;

    /** The source of what a client brought itself. */
    static final int CLIENT = -1;

    private final TreeMap<Key, Pending> byKey = new TreeMap<>();
    private final TreeMap<Integer, ClientQueue> clients = new TreeMap<>();
    private long arrivals;
    private long bytes;

    // What is not proposed yet: requests, operations in them, bytes.
    private int unproposed;
    private long unproposedOperations;
    private long unproposedBytes;

    /** The client whose turn it is. */
    private int turn;

    /**
     * The highest arrival number of what has been executed since the last view began. What was executed without ever having
     * arrived here counts as later than everything that waits.
     */
    private long executedArrival = -1;

    Offer offer(Signed<Request> request, long tick) {
        return offer(request, CLIENT, tick);
    }

    /** @param source the replica that passed it on, or {@link #CLIENT} */
    Offer offer(Signed<Request> request, int source, long tick) {
        Key key = Key.of(request.statement());
        if (byKey.containsKey(key)) {
            return Offer.KNOWN;
        }
        long size = size(request.statement());
        while (!fits(key.client(), size)) {
            if (!giveWay(key.client(), source)) {
                return Offer.REFUSED;
            }
        }
        // Not before it is sure that something waits there: no queue is ever empty.
        ClientQueue queue = clients.computeIfAbsent(key.client(), client -> new ClientQueue());
        Pending pending = new Pending(request, source, arrivals++, size, tick);
        byKey.put(key, pending);
        queue.byArrival.put(pending.arrival, pending);
        queue.bySource.merge(source, 1, Integer::sum);
        queue.bytes += size;
        bytes += size;
        count(pending, 1);
        return Offer.TAKEN;
    }

    private boolean fits(int client, long size) {
        ClientQueue known = clients.get(client);
        long own = known == null ? 0 : known.bytes;
        return own + size <= CLIENT_BYTES_MAX
                && (known == null || known.byArrival.size() < CLIENT_REQUESTS_MAX)
                && makeRoom(size, own + size);
    }

    /**
     * Where a client has its quota, and a replica passes on what it waits for, that replica would accuse a primary that refused:
     * so whoever brought most of the client's requests gives way to those who brought less. A client that fills the quota by
     * itself, with requests that come to nothing even, so has nobody accused.
     */
    private boolean giveWay(int client, int source) {
        ClientQueue queue = clients.get(client);
        if (queue == null) {
            return false;
        }
        int most = queue.bySource.getOrDefault(source, 0) + 1;
        // Who floods is refused at the price of a look at the counts: this is the core's thread.
        if (Collections.max(queue.bySource.values()) <= most) {
            return false;
        }
        TreeMap<Integer, Pending> newest = new TreeMap<>();
        for (Pending pending : queue.byArrival.values()) {
            if (!pending.proposed) {
                newest.put(pending.source, pending);
            }
        }
        Pending victim = null;
        for (Map.Entry<Integer, Pending> candidate : newest.entrySet()) {
            int count = queue.bySource.getOrDefault(candidate.getKey(), 0);
            if (count > most) {
                most = count;
                victim = candidate.getValue();
            }
        }
        if (victim == null) {
            return false;
        }
        remove(victim.request.statement());
        return true;
    }

    /** Forgets the newest of what waits unproposed of those who have most, as long as that is more than {@code own}. */
    private boolean makeRoom(long size, long own) {
        while (bytes + size > BYTES_MAX) {
            Pending victim = null;
            long most = own;
            for (ClientQueue queue : clients.values()) {
                Pending newest = queue.byArrival.lastEntry().getValue();
                if (queue.bytes > most && !newest.proposed) {
                    most = queue.bytes;
                    victim = newest;
                }
            }
            if (victim == null) {
                return false;
            }
            remove(victim.request.statement());
        }
        return true;
    }

    private static long size(Request request) {
        long size = 64 + io.pbft.crypto.Signature.SIZE;
        for (Bytes operation : request.operations()) {
            size += 4 + operation.size();
        }
        return size;
    }

    boolean isEmpty() {
        return byKey.isEmpty();
    }

    int size() {
        return byKey.size();
    }

    boolean hasUnproposed() {
        return unproposed > 0;
    }

    /** Operations in the requests that no proposal of the view carries, those that turn out to be settled included. */
    long unproposedOperations() {
        return unproposedOperations;
    }

    /** Their bytes. */
    long unproposedBytes() {
        return unproposedBytes;
    }

    /** Takes what goes into the next batch, clients in turn; never nothing while something is unproposed and unsettled. */
    List<Signed<Request>> take(int operationsMax, int bytesMax, ClientTable table) {
        List<Signed<Request>> taken = new ArrayList<>();
        long operations = 0;
        long size = 0;
        while (unproposed > 0 && taken.size() < Limits.BATCH_REQUESTS_MAX) {
            Pending next = nextInTurn(table);
            if (next == null) {
                break;
            }
            int count = next.operations();
            boolean fits = operations + count <= operationsMax && size + next.bytes <= bytesMax;
            if (!fits && !taken.isEmpty()) {
                break;
            }
            propose(next);
            turn = next.request.statement().client() + 1;
            operations += count;
            size += next.bytes;
            taken.add(next.request);
        }
        return taken;
    }

    private @Nullable Pending nextInTurn(ClientTable table) {
        Pending next = firstUnproposed(clients.tailMap(turn, true), table);
        return next != null ? next : firstUnproposed(clients.headMap(turn, false), table);
    }

    private @Nullable Pending firstUnproposed(Map<Integer, ClientQueue> queues, ClientTable table) {
        List<Request> settled = new ArrayList<>();
        Pending found = null;
        for (ClientQueue queue : queues.values()) {
            for (Pending pending : queue.byArrival.values()) {
                if (pending.proposed) {
                    continue;
                }
                if (table.settled(pending.request.statement())) {
                    settled.add(pending.request.statement());
                    continue;
                }
                found = pending;
                break;
            }
            if (found != null) {
                break;
            }
        }
        settled.forEach(this::remove);
        return found;
    }

    /**
     * A proposal of the current view carries {@code request}: when the primary was told of it, or {@link #NEVER_TOLD} where it
     * is unknown here or was proposed before.
     */
    long proposed(Request request) {
        Pending pending = byKey.get(Key.of(request));
        if (pending == null || pending.proposed) {
            return NEVER_TOLD;
        }
        propose(pending);
        return pending.toldAt;
    }

    /** This replica tells the primary of {@code request}; the first time counts. */
    void told(Request request, long now) {
        Pending pending = byKey.get(Key.of(request));
        if (pending != null && pending.toldAt == NEVER_TOLD) {
            pending.toldAt = now;
        }
    }

    private void propose(Pending pending) {
        pending.proposed = true;
        count(pending, -1);
    }

    private void count(Pending pending, int sign) {
        unproposed += sign;
        unproposedOperations += (long) sign * pending.operations();
        unproposedBytes += sign * pending.bytes;
    }

    /** An operation of {@code client} has been executed, whether or not its request waited here. */
    void served(int client, long tick) {
        ClientQueue queue = clients.get(client);
        if (queue != null) {
            queue.servedTick = tick;
        }
    }

    /**
     * {@code request} has been executed, though perhaps nothing of it was left to be done. Whether it waited here: then its
     * client is served, be it by a refusal.
     */
    boolean executed(Request request, long tick) {
        Pending pending = byKey.get(Key.of(request));
        executedArrival = Math.max(executedArrival, pending == null ? arrivals : pending.arrival);
        if (pending == null) {
            return false;
        }
        served(request.client(), tick);
        remove(request);
        return true;
    }

    private void remove(Request request) {
        Pending pending = byKey.remove(Key.of(request));
        if (pending == null) {
            return;
        }
        if (!pending.proposed) {
            count(pending, -1);
        }
        bytes -= pending.bytes;
        ClientQueue queue = InvariantViolation.present(
                clients.get(request.client()), "a waiting request stands in its client's queue");
        queue.byArrival.remove(pending.arrival);
        queue.bySource.computeIfPresent(pending.source, (who, count) -> count == 1 ? null : count - 1);
        queue.bytes -= pending.bytes;
        if (queue.byArrival.isEmpty()) {
            clients.remove(request.client());
        }
    }

    /** A new view begins: nothing is proposed in it yet, and nobody's patience has been tried. */
    void viewBegins(long tick) {
        executedArrival = -1;
        for (Pending pending : byKey.values()) {
            if (pending.proposed) {
                pending.proposed = false;
                count(pending, 1);
            }
            pending.toldAt = NEVER_TOLD;
            pending.sinceTick = tick;
        }
    }

    /** Forgets what has nothing left to be done: after a state transfer, say. */
    void dropSettled(ClientTable table) {
        List<Request> settled = new ArrayList<>();
        for (Pending pending : byKey.values()) {
            if (table.settled(pending.request.statement())) {
                settled.add(pending.request.statement());
            }
        }
        settled.forEach(this::remove);
    }

    /**
     * Whether some client has not been served for {@code ticksMax} although it waits, while a request that came later than its
     * first was executed: then the primary leaves it out (Aardvark, NSDI'09, section 4.3, on fairness).
     */
    boolean passedOver(long tick, long ticksMax, ClientTable table) {
        List<Request> settled = new ArrayList<>();
        boolean passedOver = false;
        for (ClientQueue queue : clients.values()) {
            Pending first = queue.byArrival.firstEntry().getValue();
            long since = Math.max(first.sinceTick, queue.servedTick);
            if (tick - since < ticksMax || first.arrival >= executedArrival) {
                continue;
            }
            if (table.settled(first.request.statement())) {
                settled.add(first.request.statement());
            } else {
                passedOver = true;
            }
        }
        settled.forEach(this::remove);
        return passedOver;
    }

    /** The first request of each client that has waited for {@code ticks} without being proposed: at most {@code max}. */
    List<Signed<Request>> overdue(long tick, long ticks, int max) {
        List<Signed<Request>> overdue = new ArrayList<>();
        for (ClientQueue queue : clients.values()) {
            Pending first = queue.byArrival.firstEntry().getValue();
            if (!first.proposed && tick - first.sinceTick >= ticks && overdue.size() < max) {
                overdue.add(first.request);
            }
        }
        return overdue;
    }

    /** What waits, in the order of its clients: to be handed to a new primary. */
    List<Signed<Request>> unproposed() {
        List<Signed<Request>> waiting = new ArrayList<>(unproposed);
        for (Pending pending : byKey.values()) {
            if (!pending.proposed) {
                waiting.add(pending.request);
            }
        }
        return waiting;
    }
}
