package io.pbft.simulator;

import io.pbft.protocol.Limits;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.simulator.world.Cut;
import io.pbft.simulator.world.Partition;
import io.pbft.simulator.world.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Reads options from the words of a command line and writes them back. NOT thread-safe; one parser reads one line. */
final class SimOptionsParser {
    static final int CLIENTS_MAX = 1_000;
    static final int OPS_MAX = 10_000_000;

    private final SimOptions.Builder options = new SimOptions.Builder();
    private boolean gstGiven;

    /** The options that come without a value. */
    private static final List<String> SWITCHES = List.of("--json", "--minimize", "--codec");

    /** The options that come with one. */
    private static final List<String> VALUED = List.of(
            "--seed",
            "--replicas",
            "--clients",
            "--ops",
            "--workload",
            "--think",
            "--read-share",
            "--byzantine",
            "--byzantine-client",
            "--latency",
            "--tail",
            "--topology",
            "--drop",
            "--drop-type",
            "--duplicate",
            "--reorder",
            "--partition",
            "--cut",
            "--gst",
            "--crash",
            "--restart",
            "--pause",
            "--lose-disk",
            "--corrupt-disk",
            "--misdirect-disk",
            "--fail-disk",
            "--slow-disk",
            "--clock-skew",
            "--clock-drift",
            "--disk-latency",
            "--crypto",
            "--flip",
            "--parameters",
            "--without",
            "--only",
            "--report",
            "--trace");

    /** Every option there is. */
    static List<String> names() {
        return Stream.concat(VALUED.stream(), SWITCHES.stream()).toList();
    }

    SimOptions parse(List<String> arguments) {
        List<Map.Entry<String, String>> pairs = pairs(arguments);
        // The sizes come first: whatever names a replica or client is checked against them.
        for (Map.Entry<String, String> pair : pairs) {
            switch (pair.getKey()) {
                case "--replicas" ->
                    options.replicas =
                            OptionText.number("--replicas", pair.getValue(), Limits.REPLICAS_MIN, Limits.REPLICAS_MAX);
                case "--clients" -> options.clients = OptionText.number("--clients", pair.getValue(), 1, CLIENTS_MAX);
                default -> {}
            }
        }
        for (Map.Entry<String, String> pair : pairs) {
            take(pair.getKey(), pair.getValue());
        }
        if (!gstGiven) {
            options.gstMicros = options.partitions.stream()
                    .mapToLong(Partition::toMicros)
                    .max()
                    .orElse(0);
            options.gstMicros = Math.max(
                    options.gstMicros,
                    options.cuts.stream().mapToLong(Cut::toMicros).max().orElse(0));
            if (options.drop > 0 || options.tail > 0 || !options.dropTypes.isEmpty()) {
                options.gstMicros = Math.max(options.gstMicros, Simulation.GST_DEFAULT_MICROS);
            }
        }
        return options.build();
    }

    private static List<Map.Entry<String, String>> pairs(List<String> arguments) {
        List<Map.Entry<String, String>> pairs = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            String word = arguments.get(i);
            int equals = word.indexOf('=');
            if (!word.startsWith("--")) {
                throw new OptionError(word, "is not an option; options begin with --");
            }
            if (SWITCHES.contains(word)) {
                pairs.add(Map.entry(word, ""));
            } else if (!VALUED.contains(equals > 0 ? word.substring(0, equals) : word)) {
                throw new OptionError(word, "is not an option of a simulated run");
            } else if (equals > 0) {
                pairs.add(Map.entry(word.substring(0, equals), word.substring(equals + 1)));
            } else if (i + 1 < arguments.size()) {
                pairs.add(Map.entry(word, arguments.get(++i)));
            } else {
                throw new OptionError(word, "a value is missing");
            }
        }
        return pairs;
    }

    private void take(String name, String value) {
        switch (name) {
            case "--replicas", "--clients" -> {}
            case "--seed" -> options.seed = OptionText.seed(name, value);
            case "--ops" -> options.ops = OptionText.number(name, value, 0, OPS_MAX);
            case "--workload" -> options.workload = word(name, value, Workload.values());
            case "--think" -> options.thinkMicros = OptionText.micros(name, value);
            case "--read-share" -> options.readShare = OptionText.probability(name, value);
            case "--byzantine" -> byzantine(name, value);
            case "--byzantine-client" -> byzantineClient(name, value);
            case "--clock-skew" -> clockSkew(name, value);
            case "--clock-drift" -> options.driftPpm = OptionText.number(name, value, 0, 100_000);
            case "--disk-latency" -> {
                long[] interval = OptionText.interval(name, value);
                options.diskMinMicros = interval[0];
                options.diskMaxMicros = interval[1];
            }
            case "--crypto" -> options.realCrypto = word(name, value, Crypto.values()) == Crypto.REAL;
            case "--codec" -> options.codec = true;
            case "--flip" -> {
                options.flip = OptionText.probability(name, value);
                options.codec = true;
            }
            case "--parameters" -> options.parameters = parameters(name, value);
            case "--without" -> options.removed.addAll(decisions(name, value));
            case "--only" -> {
                SortedSet<Long> kept = new TreeSet<>(options.only.orElse(new TreeSet<>()));
                kept.addAll(value.equals("none") ? new TreeSet<>() : decisions(name, value));
                options.only = Optional.of(kept);
            }
            case "--json" -> options.json = true;
            case "--minimize" -> options.minimize = true;
            case "--report" -> options.report = Optional.of(value);
            case "--trace" -> options.trace = Optional.of(value);
            case "--crash" -> fault(NodeFault.Kind.CRASH, value);
            case "--restart" -> fault(NodeFault.Kind.RESTART, value);
            case "--pause" -> fault(NodeFault.Kind.PAUSE, value);
            case "--lose-disk" -> fault(NodeFault.Kind.LOSE_DISK, value);
            case "--corrupt-disk" -> fault(NodeFault.Kind.CORRUPT_DISK, value);
            case "--misdirect-disk" -> fault(NodeFault.Kind.MISDIRECT_DISK, value);
            case "--fail-disk" -> fault(NodeFault.Kind.FAIL_DISK, value);
            case "--slow-disk" -> fault(NodeFault.Kind.SLOW_DISK, value);
            default -> takeNet(name, value);
        }
    }

    private enum Crypto {
        FAST,
        REAL
    }

    private void takeNet(String name, String value) {
        switch (name) {
            case "--latency" -> {
                long[] interval = OptionText.interval(name, value);
                options.latencyMinMicros = interval[0];
                options.latencyMaxMicros = interval[1];
            }
            case "--tail" -> options.tail = OptionText.probability(name, value);
            case "--drop" -> options.drop = OptionText.probability(name, value);
            case "--drop-type" -> {
                int equals = equals(name, value, "TYPE=PROBABILITY");
                MessageType type = word(name, value.substring(0, equals), MessageType.values());
                options.dropTypes.put(type, OptionText.probability(name, value.substring(equals + 1)));
            }
            case "--duplicate" -> options.duplicate = OptionText.probability(name, value);
            case "--reorder" -> options.reorder = OptionText.probability(name, value);
            case "--partition" -> {
                int colon = colon(name, value, "FROM..TO:{0,1}|{2,3}");
                long[] interval = OptionText.interval(name, value.substring(0, colon));
                List<SortedSet<Integer>> groups = OptionText.groups(name, value.substring(colon + 1), options.replicas);
                options.partitions.add(new Partition(interval[0], interval[1], groups));
            }
            case "--cut" -> cut(name, value);
            case "--gst" -> {
                options.gstMicros = OptionText.micros(name, value);
                gstGiven = true;
            }
            case "--topology" -> options.topology = word(name, value, Topology.values());
            default -> throw new OptionError(name, "is not an option of a simulated run");
        }
    }

    private void cut(String name, String value) {
        int colon = colon(name, value, "FROM..TO:A>B");
        long[] interval = OptionText.interval(name, value.substring(0, colon));
        String link = value.substring(colon + 1);
        int arrow = link.indexOf('>');
        if (arrow < 0) {
            throw new OptionError(name, "FROM..TO:A>B with two replicas A and B", value);
        }
        int from = OptionText.number(name, link.substring(0, arrow), 0, options.replicas - 1);
        int to = OptionText.number(name, link.substring(arrow + 1), 0, options.replicas - 1);
        options.cuts.add(new Cut(interval[0], interval[1], from, to));
    }

    private static int colon(String name, String value, String form) {
        int colon = value.indexOf(':');
        if (colon < 0) {
            throw new OptionError(name, form, value);
        }
        return colon;
    }

    private void byzantine(String name, String value) {
        int equals = equals(name, value, "REPLICA=BEHAVIOUR[:ARGUMENT][,BEHAVIOUR...]");
        int replica = OptionText.number(name, value.substring(0, equals), 0, options.replicas - 1);
        List<BehaviourSpec> specs = new ArrayList<>(options.byzantine.getOrDefault(replica, List.of()));
        specs.addAll(BehaviourSpec.parseAll(name, value.substring(equals + 1), BehaviourSpec.REPLICA));
        options.byzantine.put(replica, specs);
    }

    private void byzantineClient(String name, String value) {
        int equals = equals(name, value, "CLIENT=BEHAVIOUR[,BEHAVIOUR...]");
        int client = OptionText.number(name, value.substring(0, equals), 0, options.clients - 1);
        List<BehaviourSpec> specs = new ArrayList<>(options.byzantineClients.getOrDefault(client, List.of()));
        specs.addAll(BehaviourSpec.parseAll(name, value.substring(equals + 1), BehaviourSpec.CLIENT));
        options.byzantineClients.put(client, specs);
    }

    private static int equals(String name, String value, String form) {
        int equals = value.indexOf('=');
        if (equals < 0) {
            throw new OptionError(name, form, value);
        }
        return equals;
    }

    private void clockSkew(String name, String value) {
        int equals = equals(name, value, "REPLICA=MILLISECONDS");
        int replica = OptionText.number(name, value.substring(0, equals), 0, options.replicas - 1);
        String millis = value.substring(equals + 1);
        boolean behind = millis.startsWith("-");
        int skew = OptionText.number(name, behind ? millis.substring(1) : millis, 0, 3_600_000);
        options.skewMillis.put(replica, behind ? -skew : skew);
    }

    private void fault(NodeFault.Kind kind, String value) {
        options.faults.add(NodeFault.parse(kind, value, options.replicas));
    }

    private static SortedSet<Long> decisions(String name, String value) {
        SortedSet<Long> ids = new TreeSet<>();
        for (String id : value.split(",", -1)) {
            if (!id.matches("[0-9a-f]{1,16}")) {
                throw new OptionError(name, "numbers of decisions in hexadecimal, as a plan lists them", value);
            }
            ids.add(Long.parseUnsignedLong(id, 16));
        }
        return ids;
    }

    private static <E extends Enum<E>> E word(String name, String value, E[] words) {
        List<String> known = new ArrayList<>();
        for (E word : words) {
            String text = word.name().toLowerCase(Locale.ROOT);
            if (text.equals(value)) {
                return word;
            }
            known.add(text);
        }
        throw new OptionError(name, "one of " + String.join(", ", known), value);
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** {@code checkpointInterval=8,window=32}: fields of {@link ProtocolParameters} by name, the others as they are. */
    private static ProtocolParameters parameters(String name, String value) {
        Map<String, Integer> fields = ParameterFields.of(SimOptions.PARAMETERS);
        for (String field : value.split(",", -1)) {
            int equals = equals(name, field, "FIELD=NUMBER[,FIELD=NUMBER...]");
            String key = field.substring(0, equals);
            if (!fields.containsKey(key)) {
                throw new OptionError(name, "one of the fields " + String.join(", ", fields.keySet()), key);
            }
            fields.put(key, OptionText.number(name, field.substring(equals + 1), 0, 100_000_000));
        }
        try {
            return ParameterFields.parameters(fields);
        } catch (IllegalArgumentException e) {
            throw new OptionError(name, String.valueOf(e.getMessage()));
        }
    }

    /** Writes options as words; the inverse of {@link #parse}. */
    static List<String> write(SimOptions options) {
        SimOptions defaults = SimOptions.defaults();
        Words words = new Words();
        words.add("--seed", options.seed());
        words.addUnless("--replicas", options.replicas(), defaults.replicas());
        words.addUnless("--clients", options.clients(), defaults.clients());
        words.addUnless("--ops", options.ops(), defaults.ops());
        words.addUnless("--workload", word(options.workload()), word(defaults.workload()));
        words.addUnless("--think", OptionText.time(options.thinkMicros()), OptionText.time(defaults.thinkMicros()));
        words.addProbability("--read-share", options.readShare(), defaults.readShare());
        options.byzantine().forEach((node, specs) -> words.add("--byzantine", node + "=" + join(specs)));
        options.byzantineClients().forEach((node, specs) -> words.add("--byzantine-client", node + "=" + join(specs)));
        writeNet(options.net(), defaults.net(), words);
        for (NodeFault fault : options.faults()) {
            words.add(fault.kind().option(), fault);
        }
        options.clocks().skewMillis().forEach((node, millis) -> words.add("--clock-skew", node + "=" + millis));
        words.addUnless(
                "--clock-drift", options.clocks().driftPpm(), defaults.clocks().driftPpm());
        SimOptions.Disk disk = options.disk();
        words.addUnless(
                "--disk-latency",
                OptionText.interval(disk.latencyMinMicros(), disk.latencyMaxMicros()),
                OptionText.interval(
                        defaults.disk().latencyMinMicros(), defaults.disk().latencyMaxMicros()));
        writeParameters(options.parameters(), words);
        words.addUnless("--crypto", options.realCrypto() ? "real" : "fast", "fast");
        words.addSwitch("--codec", options.codec());
        words.addProbability("--flip", options.flip(), 0);
        if (!options.removed().isEmpty()) {
            words.add("--without", decisions(options.removed()));
        }
        options.only().ifPresent(kept -> words.add("--only", kept.isEmpty() ? "none" : decisions(kept)));
        words.addSwitch("--json", options.output().json());
        options.output().report().ifPresent(file -> words.add("--report", file));
        options.output().trace().ifPresent(file -> words.add("--trace", file));
        words.addSwitch("--minimize", options.output().minimize());
        return List.copyOf(words.words);
    }

    private static void writeNet(SimOptions.Net net, SimOptions.Net defaults, Words words) {
        words.addUnless("--topology", word(net.topology()), word(defaults.topology()));
        words.addUnless(
                "--latency",
                OptionText.interval(net.latencyMinMicros(), net.latencyMaxMicros()),
                OptionText.interval(defaults.latencyMinMicros(), defaults.latencyMaxMicros()));
        words.addProbability("--tail", net.tail(), 0);
        words.addProbability("--drop", net.drop(), 0);
        net.dropTypes().forEach((type, p) -> words.add("--drop-type", word(type) + "=" + OptionText.probability(p)));
        words.addProbability("--duplicate", net.duplicate(), 0);
        words.addProbability("--reorder", net.reorder(), 0);
        for (Partition partition : net.partitions()) {
            String interval = OptionText.interval(partition.fromMicros(), partition.toMicros());
            words.add("--partition", interval + ":" + OptionText.groups(partition.groups()));
        }
        for (Cut cut : net.cuts()) {
            String interval = OptionText.interval(cut.fromMicros(), cut.toMicros());
            words.add("--cut", interval + ":" + cut.from() + ">" + cut.to());
        }
        words.add("--gst", OptionText.time(net.gstMicros()));
    }

    private static void writeParameters(ProtocolParameters parameters, Words words) {
        Map<String, Integer> defaults = ParameterFields.of(SimOptions.PARAMETERS);
        List<String> changed = new ArrayList<>();
        ParameterFields.of(parameters).forEach((field, value) -> {
            if (!value.equals(defaults.get(field))) {
                changed.add(field + "=" + value);
            }
        });
        if (!changed.isEmpty()) {
            words.add("--parameters", String.join(",", changed));
        }
    }

    private static String decisions(SortedSet<Long> ids) {
        return String.join(",", ids.stream().map(Long::toHexString).toList());
    }

    private static String join(List<BehaviourSpec> specs) {
        return String.join(",", specs.stream().map(BehaviourSpec::toString).toList());
    }

    private static final class Words {
        private final List<String> words = new ArrayList<>();

        void add(String name, Object value) {
            words.add(name);
            words.add(value.toString());
        }

        void addUnless(String name, Object value, Object standard) {
            if (!value.equals(standard)) {
                add(name, value);
            }
        }

        void addProbability(String name, double value, double standard) {
            if (value != standard) {
                add(name, OptionText.probability(value));
            }
        }

        void addSwitch(String name, boolean on) {
            if (on) {
                words.add(name);
            }
        }
    }
}
