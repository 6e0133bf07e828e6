package io.pbft.simulator.world;

import io.pbft.protocol.Codec;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.Message;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NodeId;
import io.pbft.simulator.SimOptions;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The network between endpoints. An endpoint is a place that messages can be sent to: a replica, a client, or the second half of
 * a pair of twins, which has the same {@link NodeId} as the first.
 *
 * <p>Links keep their order, as connections do, but for what the option {@code reorder} takes out of it. Before the global
 * stabilization time (Dwork, Lynch and Stockmeyer, JACM 1988) messages may be lost, delayed and cut off as the options say; from
 * then on every message arrives within the latency. NOT thread-safe.
 */
public final class Network {
    /** How much longer than its latency a message of the heavy tail takes, at most. */
    private static final int TAIL_FACTOR_MAX = 40;

    /** A reordered message is late by up to so many latencies. */
    private static final int REORDER_FACTOR_MAX = 8;

    /** Where messages arrive. */
    public interface Endpoint {
        NodeId node();

        /** For traces: r0, c1, r0' for the second half of twins. */
        String name();

        /** Chooses among endpoints that share a {@link NodeId}: whether {@code from}'s messages come here now. */
        boolean reachableFrom(int from, long now);

        void deliver(Parcel parcel);

        /** A message that was changed on the way: to be looked at and thrown away. */
        void deliverSpoilt(Parcel parcel);

        boolean faulty();
    }

    private final EventQueue events;
    private final Keyed keyed;
    private final Trace trace;
    private final SimOptions.Net options;
    private final boolean codec;
    private final double flip;
    private final List<Endpoint> endpoints = new ArrayList<>();

    /** Where each node is to be found: one endpoint, or two for twins, in the order in which they were added. */
    private final Map<NodeId, List<Integer>> places = new HashMap<>();

    /** Messages and bytes of each type. */
    private final Map<MessageType, long[]> counts = new EnumMap<>(MessageType.class);

    private final Occurrences occurrences = new Occurrences();
    private long[] lastArrival = new long[0];
    private long sent;
    private @Nullable Parcel lastParcel;

    public Network(EventQueue events, Keyed keyed, Trace trace, SimOptions options) {
        this.events = events;
        this.keyed = keyed;
        this.trace = trace;
        this.options = options.net();
        this.codec = options.codec();
        this.flip = options.flip();
    }

    /** Puts an endpoint on the network; its number is what it sends under. */
    public int add(Endpoint endpoint) {
        endpoints.add(endpoint);
        places.computeIfAbsent(endpoint.node(), node -> new ArrayList<>()).add(endpoints.size() - 1);
        lastArrival = new long[endpoints.size() * endpoints.size()];
        return endpoints.size() - 1;
    }

    /** Messages sent so far, one for each receiver. */
    public long sent() {
        return sent;
    }

    /** What was sent, by type: messages, one for each receiver, and with the option {@code codec} their bytes. */
    public SortedMap<MessageType, Traffic> traffic() {
        SortedMap<MessageType, Traffic> traffic = new TreeMap<>();
        counts.forEach((type, count) -> traffic.put(type, new Traffic(count[0], count[1])));
        return traffic;
    }

    private long[] count(MessageType type) {
        return counts.computeIfAbsent(type, first -> new long[2]);
    }

    /** Sends to every endpoint that is {@code to}, {@code extraMicros} later than now. */
    public void send(int from, NodeId to, Message message, long extraMicros) {
        Parcel parcel = parcel(from, message);
        for (int place : places.getOrDefault(to, List.of())) {
            if (place != from && endpoints.get(place).reachableFrom(from, events.now())) {
                send(from, place, parcel, extraMicros);
            }
        }
    }

    /** One parcel for all receivers of a broadcast: it is keyed once, and verified once. */
    private Parcel parcel(int from, Message message) {
        NodeId sender = endpoints.get(from).node();
        Parcel last = lastParcel;
        if (last == null || last.message() != message || !last.from().equals(sender)) {
            last = new Parcel(sender, message, MessageKey.of(message));
            lastParcel = last;
        }
        return last;
    }

    private void send(int from, int to, Parcel parcel, long extraMicros) {
        Message message = parcel.message();
        long contentKey = parcel.key();
        long id = ++sent;
        count(message.type())[0]++;
        String fromName = endpoints.get(from).name();
        String toName = endpoints.get(to).name();
        long key = Mix.mix(contentKey, (long) from << 32 | to);
        long occurrence = occurrences.next(key);
        long now = events.now();
        trace.message("send", fromName, toName, contentKey, id, message);
        if (isCut(endpoints.get(from).node(), endpoints.get(to).node(), now)) {
            trace.message("cut", fromName, toName, contentKey, id, message);
            return;
        }
        boolean stable = now >= options.gstMicros();
        if (!stable && keyed.fires(Fault.DROP, lossOf(message.type()), key, occurrence, now)) {
            trace.message("drop", fromName, toName, contentKey, id, message);
            return;
        }
        long latency = latency(from, to, key, occurrence);
        if (!stable && keyed.fires(Fault.TAIL, options.tail(), key, occurrence, now)) {
            latency *= keyed.between(Fault.TAIL, key, ~occurrence, 2, TAIL_FACTOR_MAX);
        }
        long arrival = now + extraMicros + latency;
        int link = from * endpoints.size() + to;
        if (!stable && keyed.fires(Fault.REORDER, options.reorder(), key, occurrence, now)) {
            arrival += latency * keyed.between(Fault.REORDER, key, ~occurrence, 0, REORDER_FACTOR_MAX);
        } else if (extraMicros == 0) {
            arrival = Math.max(arrival, lastArrival[link]);
            lastArrival[link] = arrival;
        }
        schedule(from, to, parcel, id, key, occurrence, arrival);
        if (!stable && keyed.fires(Fault.DUPLICATE, options.duplicate(), key, occurrence, now)) {
            long again = arrival + latency * keyed.between(Fault.DUPLICATE, key, ~occurrence, 0, REORDER_FACTOR_MAX);
            schedule(from, to, parcel, id, key, ~occurrence, again);
        }
    }

    private double lossOf(MessageType type) {
        return options.dropTypes().isEmpty()
                ? options.drop()
                : Math.max(options.drop(), options.dropTypes().getOrDefault(type, 0.0));
    }

    private void schedule(int from, int to, Parcel parcel, long id, long key, long occurrence, long arrival) {
        if (!codec) {
            events.at(arrival, () -> arrive(from, to, id, parcel));
            return;
        }
        byte[] frame = Codec.encode(parcel.message());
        count(parcel.message().type())[1] += frame.length;
        if (keyed.fires(Fault.FLIP, flip, key, occurrence, events.now())) {
            long bits = keyed.bits(Fault.FLIP, key, occurrence ^ Long.MIN_VALUE);
            frame[(int) Long.remainderUnsigned(bits, frame.length)] ^= (byte) (1 << (bits >>> 61));
            events.at(arrival, () -> arriveSpoilt(from, to, id, frame, parcel));
        } else {
            events.at(arrival, () -> arriveEncoded(from, to, id, frame, parcel));
        }
    }

    private void arriveEncoded(int from, int to, long id, byte[] frame, Parcel original) {
        Message message;
        try {
            message = Codec.decode(frame);
        } catch (MalformedMessage e) {
            if (!endpoints.get(from).faulty()) {
                throw new IllegalStateException("a correct node sent what nobody can decode: " + original.message(), e);
            }
            trace.message(
                    "malformed",
                    endpoints.get(from).name(),
                    endpoints.get(to).name(),
                    original.key(),
                    id,
                    original.message());
            return;
        }
        arrive(from, to, id, new Parcel(original.from(), message, original.key()));
    }

    private void arrive(int from, int to, long id, Parcel parcel) {
        Endpoint sender = endpoints.get(from);
        Endpoint receiver = endpoints.get(to);
        boolean cut = isCut(sender.node(), receiver.node(), events.now());
        trace.message(cut ? "cut" : "deliver", sender.name(), receiver.name(), parcel.key(), id, parcel.message());
        if (!cut) {
            receiver.deliver(parcel);
        }
    }

    /**
     * A spoilt frame: it must not harm the decoder or the verifier, whoever sent it. What still decodes is believed only when it
     * comes from a faulty node; a connection that authenticates its bytes (TLS) ends instead of handing over what was changed
     * on the way.
     */
    private void arriveSpoilt(int from, int to, long id, byte[] frame, Parcel original) {
        Endpoint sender = endpoints.get(from);
        Endpoint receiver = endpoints.get(to);
        trace.message("spoilt", sender.name(), receiver.name(), original.key(), id, original.message());
        Message message;
        try {
            message = Codec.decode(frame);
        } catch (MalformedMessage e) {
            return;
        }
        Parcel spoilt = new Parcel(original.from(), message, MessageKey.of(message));
        if (sender.faulty()) {
            receiver.deliver(spoilt);
        } else {
            receiver.deliverSpoilt(spoilt);
        }
    }

    private boolean isCut(NodeId from, NodeId to, long now) {
        if (now >= options.gstMicros() || from.isClient() || to.isClient()) {
            return false;
        }
        for (Partition partition : options.partitions()) {
            if (partition.separates(from.index(), to.index(), now)) {
                return true;
            }
        }
        for (Cut cut : options.cuts()) {
            if (cut.separates(from.index(), to.index(), now)) {
                return true;
            }
        }
        return false;
    }

    private long latency(int from, int to, long key, long occurrence) {
        long jitter =
                keyed.between(Fault.LATENCY, key, occurrence, options.latencyMinMicros(), options.latencyMaxMicros());
        if (options.topology() == Topology.LAN) {
            return jitter;
        }
        int fromRegion = endpoints.get(from).node().index() % Topology.REGIONS;
        int toRegion = endpoints.get(to).node().index() % Topology.REGIONS;
        return Topology.oneWayMicros(fromRegion, toRegion) + jitter;
    }
}
