package io.pbft.simulator;

import io.pbft.protocol.MessageType;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Quorum;
import io.pbft.simulator.world.Cut;
import io.pbft.simulator.world.Partition;
import io.pbft.simulator.world.Topology;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Everything that a run is made of: the same options give the same run, on every machine. {@link #parse} reads the
 * words of a command line, {@link #toArguments} writes them, and the one undoes the other.
 *
 * @param seed what all chance of the run is drawn from
 * @param byzantine the behaviours of each Byzantine replica, and {@code byzantineClients} of each Byzantine client
 * @param faults what is done to single replicas, in the order in which it was given
 * @param codec whether every message goes through the real encoding; {@code flip} is the probability with which a byte
 *     of it is spoilt on the way
 * @param removed decisions of chance that are taken out of the run (see {@link io.pbft.simulator.world.FaultPlan})
 * @param only where present, the only faults that chance may bring about: all other decisions are taken out
 */
public record SimOptions(
        long seed,
        int replicas,
        int clients,
        int ops,
        Workload workload,
        long thinkMicros,
        double readShare,
        SortedMap<Integer, List<BehaviourSpec>> byzantine,
        SortedMap<Integer, List<BehaviourSpec>> byzantineClients,
        Net net,
        List<NodeFault> faults,
        Clocks clocks,
        Disk disk,
        ProtocolParameters parameters,
        boolean realCrypto,
        boolean codec,
        double flip,
        SortedSet<Long> removed,
        Optional<SortedSet<Long>> only,
        Output output) {

    /**
     * The network. Times in virtual microseconds; {@code dropTypes} has the types that are lost more often than others.
     * After {@code gstMicros} nothing is lost and delays keep to the latency.
     */
    public record Net(
            Topology topology,
            long latencyMinMicros,
            long latencyMaxMicros,
            double tail,
            double drop,
            SortedMap<MessageType, Double> dropTypes,
            double duplicate,
            double reorder,
            List<Partition> partitions,
            List<Cut> cuts,
            long gstMicros) {
        public Net {
            dropTypes = Collections.unmodifiableSortedMap(new TreeMap<>(dropTypes));
            partitions = List.copyOf(partitions);
            cuts = List.copyOf(cuts);
        }
    }

    /**
     * How far each replica's clock is ahead, in milliseconds, and how fast every clock may run wrong, in parts per
     * million.
     */
    public record Clocks(SortedMap<Integer, Integer> skewMillis, int driftPpm) {
        public Clocks {
            skewMillis = Collections.unmodifiableSortedMap(new TreeMap<>(skewMillis));
        }
    }

    /** How long a synchronous write takes, in virtual microseconds. */
    public record Disk(long latencyMinMicros, long latencyMaxMicros) {}

    /** What is printed and written. */
    public record Output(boolean json, Optional<String> report, Optional<String> trace, boolean minimize) {}

    public SimOptions {
        byzantine = frozen(byzantine);
        byzantineClients = frozen(byzantineClients);
        faults = List.copyOf(faults);
        removed = Collections.unmodifiableSortedSet(new TreeSet<>(removed));
        only = only.map(ids -> Collections.unmodifiableSortedSet(new TreeSet<>(ids)));
    }

    private static SortedMap<Integer, List<BehaviourSpec>> frozen(SortedMap<Integer, List<BehaviourSpec>> source) {
        SortedMap<Integer, List<BehaviourSpec>> copy = new TreeMap<>();
        source.forEach((node, specs) -> copy.put(node, List.copyOf(specs)));
        return Collections.unmodifiableSortedMap(copy);
    }

    public static SimOptions defaults() {
        return new Builder().build();
    }

    /** @throws OptionError when {@code arguments} are not options of a run */
    public static SimOptions parse(List<String> arguments) {
        return new SimOptionsParser().parse(arguments);
    }

    /** The names of all options, such as {@code --seed}. */
    public static List<String> names() {
        return SimOptionsParser.names();
    }

    public Builder toBuilder() {
        return new Builder(this);
    }

    public Quorum quorum() {
        return new Quorum(replicas);
    }

    /** Replicas that may do anything: the Byzantine ones, and those whose disk is lost or spoilt. */
    public SortedSet<Integer> faulty() {
        SortedSet<Integer> faulty = new TreeSet<>(byzantine.keySet());
        for (NodeFault fault : faults) {
            switch (fault.kind()) {
                case LOSE_DISK, CORRUPT_DISK, MISDIRECT_DISK -> faulty.add(fault.replica());
                case CRASH, RESTART, PAUSE, FAIL_DISK, SLOW_DISK -> {}
            }
        }
        return faulty;
    }

    /** Replicas that crash and never come back. */
    public SortedSet<Integer> gone() {
        SortedMap<Integer, Long> downSince = new TreeMap<>();
        List<NodeFault> inOrder = new ArrayList<>(faults);
        inOrder.sort((left, right) -> Long.compare(left.atMicros(), right.atMicros()));
        for (NodeFault fault : inOrder) {
            switch (fault.kind()) {
                case CRASH -> downSince.put(fault.replica(), fault.atMicros());
                case RESTART, LOSE_DISK -> downSince.remove(fault.replica());
                case PAUSE, CORRUPT_DISK, MISDIRECT_DISK, FAIL_DISK, SLOW_DISK -> {}
            }
        }
        return new TreeSet<>(downSince.keySet());
    }

    /** The words of a command line that mean these options; what stands at its default is left out. */
    public List<String> toArguments() {
        return SimOptionsParser.write(this);
    }

    /** {@link #toArguments} in one line, fit for a shell. */
    public String toCommandLine() {
        StringBuilder line = new StringBuilder();
        for (String word : toArguments()) {
            line.append(line.length() == 0 ? "" : " ");
            line.append(word.matches("[A-Za-z0-9@%_=:,./+-]+") ? word : "'" + word + "'");
        }
        return line.toString();
    }

    /** The defaults of a simulated cluster: small windows and short timers, so that rare things happen often. */
    public static final ProtocolParameters PARAMETERS =
            new ProtocolParameters(8, 32, 4, 16, 1 << 16, 10, 300, 100, 1_200, 300, 4_000, 100, 2_000, 64, 8, 1 << 20);

    /** Options under construction. NOT thread-safe. */
    public static final class Builder {
        long seed;
        int replicas = 4;
        int clients = 3;
        int ops = 48;
        Workload workload = Workload.KV;
        long thinkMicros = 20_000;
        double readShare = 0.2;
        SortedMap<Integer, List<BehaviourSpec>> byzantine = new TreeMap<>();
        SortedMap<Integer, List<BehaviourSpec>> byzantineClients = new TreeMap<>();
        Topology topology = Topology.LAN;
        long latencyMinMicros = 200;
        long latencyMaxMicros = 2_000;
        double tail;
        double drop;
        SortedMap<MessageType, Double> dropTypes = new TreeMap<>();
        double duplicate;
        double reorder;
        List<Partition> partitions = new ArrayList<>();
        List<Cut> cuts = new ArrayList<>();
        long gstMicros;
        List<NodeFault> faults = new ArrayList<>();
        SortedMap<Integer, Integer> skewMillis = new TreeMap<>();
        int driftPpm;
        long diskMinMicros = 50;
        long diskMaxMicros = 500;
        ProtocolParameters parameters = PARAMETERS;
        boolean realCrypto;
        boolean codec;
        double flip;
        SortedSet<Long> removed = new TreeSet<>();
        Optional<SortedSet<Long>> only = Optional.empty();
        boolean json;
        Optional<String> report = Optional.empty();
        Optional<String> trace = Optional.empty();
        boolean minimize;

        public Builder() {}

        private Builder(SimOptions options) {
            seed = options.seed;
            replicas = options.replicas;
            clients = options.clients;
            ops = options.ops;
            workload = options.workload;
            thinkMicros = options.thinkMicros;
            readShare = options.readShare;
            byzantine.putAll(options.byzantine);
            byzantineClients.putAll(options.byzantineClients);
            topology = options.net.topology;
            latencyMinMicros = options.net.latencyMinMicros;
            latencyMaxMicros = options.net.latencyMaxMicros;
            tail = options.net.tail;
            drop = options.net.drop;
            dropTypes.putAll(options.net.dropTypes);
            duplicate = options.net.duplicate;
            reorder = options.net.reorder;
            partitions.addAll(options.net.partitions);
            cuts.addAll(options.net.cuts);
            gstMicros = options.net.gstMicros;
            faults.addAll(options.faults);
            skewMillis.putAll(options.clocks.skewMillis);
            driftPpm = options.clocks.driftPpm;
            diskMinMicros = options.disk.latencyMinMicros;
            diskMaxMicros = options.disk.latencyMaxMicros;
            parameters = options.parameters;
            realCrypto = options.realCrypto;
            codec = options.codec;
            flip = options.flip;
            removed.addAll(options.removed);
            only = options.only;
            json = options.output.json;
            report = options.output.report;
            trace = options.output.trace;
            minimize = options.output.minimize;
        }

        public Builder seed(long value) {
            seed = value;
            return this;
        }

        public Builder replicas(int value) {
            replicas = value;
            return this;
        }

        public Builder clients(int value) {
            clients = value;
            return this;
        }

        public Builder ops(int value) {
            ops = value;
            return this;
        }

        public Builder workload(Workload value) {
            workload = value;
            return this;
        }

        public Builder byzantine(int replica, String behaviours) {
            byzantine.put(replica, BehaviourSpec.parseAll("--byzantine", behaviours, BehaviourSpec.REPLICA));
            return this;
        }

        public Builder byzantineClient(int client, String behaviours) {
            byzantineClients.put(
                    client, BehaviourSpec.parseAll("--byzantine-client", behaviours, BehaviourSpec.CLIENT));
            return this;
        }

        public Builder fault(NodeFault.Kind kind, int replica, long atMicros) {
            faults.add(new NodeFault(kind, replica, atMicros, atMicros));
            return this;
        }

        /** A fault that {@linkplain NodeFault.Kind#lasts lasts}. */
        public Builder fault(NodeFault.Kind kind, int replica, long fromMicros, long toMicros) {
            faults.add(new NodeFault(kind, replica, fromMicros, toMicros));
            return this;
        }

        public Builder pause(int replica, long fromMicros, long toMicros) {
            return fault(NodeFault.Kind.PAUSE, replica, fromMicros, toMicros);
        }

        public Builder gst(long micros) {
            gstMicros = micros;
            return this;
        }

        public Builder codec(boolean value) {
            codec = value;
            return this;
        }

        public Builder realCrypto(boolean value) {
            realCrypto = value;
            return this;
        }

        public Builder parameters(ProtocolParameters value) {
            parameters = value;
            return this;
        }

        public Builder removed(SortedSet<Long> value) {
            removed = value;
            return this;
        }

        /** See {@link SimOptions#only}. */
        public Builder only(SortedSet<Long> value) {
            only = Optional.of(value);
            return this;
        }

        public Builder trace(String file) {
            trace = Optional.of(file);
            return this;
        }

        public SimOptions build() {
            return new SimOptions(
                    seed,
                    replicas,
                    clients,
                    ops,
                    workload,
                    thinkMicros,
                    readShare,
                    byzantine,
                    byzantineClients,
                    new Net(
                            topology,
                            latencyMinMicros,
                            latencyMaxMicros,
                            tail,
                            drop,
                            dropTypes,
                            duplicate,
                            reorder,
                            partitions,
                            cuts,
                            gstMicros),
                    faults,
                    new Clocks(skewMillis, driftPpm),
                    new Disk(diskMinMicros, diskMaxMicros),
                    parameters,
                    realCrypto,
                    codec,
                    flip,
                    removed,
                    only,
                    new Output(json, report, trace, minimize));
        }
    }
}
