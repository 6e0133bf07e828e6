package io.pbft.simulator;

import io.pbft.protocol.MessageType;
import io.pbft.simulator.world.Cut;
import io.pbft.simulator.world.Fault;
import io.pbft.simulator.world.FaultPlan;
import io.pbft.simulator.world.Keyed;
import io.pbft.simulator.world.Partition;
import io.pbft.simulator.world.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Draws from a seed which faults a run has and how strong they are. A random subset of all faults finds more than all of them at
 * once (Groce et al., "Swarm testing", ISSTA'12), since many a fault hides another's effect. The default portfolio: of ten seeds
 * six are a swarm, two have twins, one has everything at once, one has faults of the network and crashes alone. A third of
 * the swarm are {@link Scenarios}: coincidences that are known to matter and that chance hardly ever brings about.
 *
 * <p>What is drawn is spelled out in options, so that a run can be repeated, and made smaller, without this class. At most f
 * replicas are ever faulty, unless more are asked for. NOT thread-safe; one for each seed.
 */
public final class Swarm {
    /** The parts of the portfolio. */
    public enum Style {
        SWARM,
        TWINS,
        EVERYTHING,
        NETWORK
    }

    /** What goes wrong at the same replica at the same time, besides what is said of twins. */
    private static final int BEHAVIOURS_MAX = 3;

    /** Types that are worth losing more often than others. */
    private static final List<MessageType> LOSSY_TYPES = List.of(
            MessageType.COMMIT,
            MessageType.COMMIT,
            MessageType.PREPARE,
            MessageType.PROPOSAL,
            MessageType.NEW_VIEW,
            MessageType.VIEW_CHANGE,
            MessageType.CHECKPOINT,
            MessageType.DECISION,
            MessageType.REQUEST,
            MessageType.REPLY,
            MessageType.STABLE_PROOF,
            MessageType.STATUS);

    /** What is aimed at clients alone, or harms nobody else. */
    private static final List<String> CLIENT_LIES = List.of("other-cluster", "false-view", "refuse", "flood-clients");

    /** What a replica does wrong by itself: neither as one of twins nor with others, nor drawn apart from the rest. */
    private static final List<String> ALONE = BehaviourSpec.REPLICA.stream()
            .filter(name -> !List.of("twin", "collude", "old-requests").contains(name))
            .filter(name -> !CLIENT_LIES.contains(name))
            .toList();

    private final Keyed keyed;
    private final SimOptions base;
    private final SimOptions.Builder options;
    private final Style style;
    private final long horizonMicros;
    private final SortedSet<Integer> faulty = new TreeSet<>();
    private final int faultyMax;
    private final boolean moreThanF;
    private long draws;

    private Swarm(long seed, SimOptions base, boolean moreThanF) {
        this.keyed = new Keyed(seed, new FaultPlan());
        this.base = base;
        this.options = base.toBuilder();
        options.seed(seed);
        this.style = style(upTo(9));
        this.faultyMax = base.quorum().faulty();
        this.moreThanF = moreThanF;
        this.horizonMicros = 300_000 + upTo(1_200_000);
    }

    /** The run of {@code seed}: sizes, operations and output as in {@code base}, all else drawn. */
    public static SimOptions draw(long seed, SimOptions base) {
        return new Swarm(seed, base, false).draw();
    }

    /**
     * The same, but one replica more than f may be faulty where it has lost its disk, and with it its vote: everything may
     * stop, and nothing may break.
     */
    public static SimOptions drawMoreThanF(long seed, SimOptions base) {
        return new Swarm(seed, base, true).draw();
    }

    /** Which part of the portfolio {@code seed} belongs to. */
    public static Style style(long seed, SimOptions base) {
        return new Swarm(seed, base, false).style;
    }

    private static Style style(long digit) {
        return digit < 6 ? Style.SWARM : digit < 8 ? Style.TWINS : digit == 8 ? Style.EVERYTHING : Style.NETWORK;
    }

    private long upTo(long max) {
        return keyed.between(Fault.SWARM, draws++, 0, 0, max);
    }

    private long between(long min, long max) {
        return min + upTo(max - min);
    }

    /** True with this chance; always when everything is to happen at once. */
    private boolean maybe(int percent) {
        boolean drawn = upTo(99) < percent;
        return drawn || (style == Style.EVERYTHING && percent > 0);
    }

    private boolean chance(int percent) {
        return upTo(99) < percent;
    }

    private SimOptions draw() {
        work();
        parameters();
        latency();
        if (style == Style.SWARM && chance(35)) {
            scenario();
            return options.build();
        }
        if (maybe(style == Style.NETWORK ? 90 : 55)) {
            network();
        }
        if (style == Style.TWINS) {
            twins();
        } else if (style != Style.NETWORK && maybe(80)) {
            byzantine();
        }
        if (maybe(style == Style.NETWORK ? 70 : 35)) {
            crashes();
        }
        if (maybe(25)) {
            pauses();
        }
        if (style != Style.NETWORK && faulty.size() < faultyMax && chance(15)) {
            lossForGood();
        }
        if (maybe(30)) {
            clocks();
        }
        if (style != Style.NETWORK && chance(15)) {
            byzantineClient();
        }
        encoding();
        // What came later is drawn last, so that what seeds drew before stays as it was.
        if (maybe(20)) {
            disks();
        }
        if (style != Style.NETWORK && chance(25)) {
            collusion();
        }
        if (style != Style.NETWORK && options.clients > 1 && chance(10)) {
            hoarder();
        }
        if (style != Style.NETWORK && chance(8)) {
            alsoLies("old-requests");
        }
        if (style != Style.NETWORK && chance(15)) {
            alsoLies(CLIENT_LIES.get((int) upTo(CLIENT_LIES.size() - 1L)));
        }
        return options.build();
    }

    private void scenario() {
        Scenarios scenarios = new Scenarios(options, base.replicas(), this::between);
        long end = switch ((int) upTo(10)) {
            case 0 -> scenarios.isolateInTurn(horizonMicros);
            case 1 -> scenarios.lieToReaders(horizonMicros);
            case 2 -> scenarios.loseMemory(horizonMicros, moreThanF || faultyMax > 1);
            case 3 -> scenarios.longStorm();
            case 4 -> scenarios.farBehind(horizonMicros);
            case 5 -> scenarios.restartAndReplay(horizonMicros);
            case 6 -> scenarios.lieToReaders(horizonMicros / 2);
            case 7 -> scenarios.dieWhileTheViewChanges(horizonMicros);
            case 8 -> scenarios.comeBackToALiar(horizonMicros);
            case 9 -> scenarios.dieWhileTheStateComes(horizonMicros);
            default -> scenarios.calm();
        };
        options.gstMicros = Math.max(options.gstMicros, end);
        if (end > 0 && chance(40)) {
            crashes();
        }
        if (end > 0
                && options.byzantine.isEmpty()
                && options.faults.stream().noneMatch(Swarm::losesDisk)
                && chance(50)) {
            byzantine();
        }
    }

    private static boolean losesDisk(NodeFault fault) {
        return fault.kind() == NodeFault.Kind.LOSE_DISK;
    }

    private void work() {
        options.workload = List.of(Workload.values()).get((int) upTo(Workload.values().length - 1L));
        options.clients = (int) between(1, 4);
        options.readShare = upTo(60) / 100.0;
        options.thinkMicros = Math.max(1_000, horizonMicros * options.clients / Math.max(1, base.ops()));
    }

    private void parameters() {
        int interval = (int) between(3, 16);
        int window = (int) between(2L * interval, 4L * interval);
        int request = (int) between(15, 40) * 10;
        // Java evaluates arguments in their order, so what is drawn stands in the order of drawing.
        options.parameters = ParameterFields.with(
                base.parameters(),
                Map.ofEntries(
                        Map.entry("checkpointInterval", interval),
                        Map.entry("window", window),
                        Map.entry("pipelineDepth", (int) between(1, Math.min(8, window))),
                        Map.entry("batchOperationsMax", (int) between(1, 16)),
                        Map.entry("requestTimeoutMillis", request),
                        Map.entry("disconnectedTimeoutMillis", Math.min(request, 100)),
                        Map.entry("fairnessTimeoutMillis", 4 * request),
                        Map.entry("viewChangeTimeoutMillis", (int) between(15, 60) * 10),
                        Map.entry("viewChangeTimeoutMaxMillis", (int) between(15, 40) * 100),
                        Map.entry("statusIntervalMillis", (int) between(5, 20) * 10)));
    }

    private void latency() {
        long kind = upTo(9);
        if (kind < 6) {
            options.latencyMinMicros = 200;
            options.latencyMaxMicros = between(1_000, 8_000);
        } else if (kind < 9) {
            options.latencyMinMicros = 1_000;
            options.latencyMaxMicros = between(10_000, 60_000);
        } else if (chance(30)) {
            options.topology = Topology.WAN5;
        } else {
            // Longer than the first timeouts: without back-off nothing would ever be agreed on.
            options.latencyMinMicros = 50_000;
            options.latencyMaxMicros = between(150_000, 400_000);
        }
        options.diskMaxMicros = chance(20) ? 20_000 : 500;
    }

    private void network() {
        options.gstMicros = between(horizonMicros / 4, horizonMicros * 3 / 2);
        if (maybe(50)) {
            options.drop = between(1, 20) / 100.0;
        }
        if (maybe(40)) {
            // What was prepared here and not there, or committed by one alone, is where view changes go wrong.
            for (long i = between(1, 2); i > 0; i--) {
                MessageType type = LOSSY_TYPES.get((int) upTo(LOSSY_TYPES.size() - 1L));
                options.dropTypes.put(type, between(30, 90) / 100.0);
            }
        }
        if (maybe(40)) {
            options.duplicate = between(1, 20) / 100.0;
        }
        if (maybe(50)) {
            options.reorder = between(1, 30) / 100.0;
        }
        if (maybe(25)) {
            options.tail = between(1, 10) / 100.0;
        }
        if (maybe(45)) {
            for (long i = between(1, 3); i > 0; i--) {
                partition();
            }
        }
        if (maybe(25)) {
            for (long i = between(1, 4); i > 0; i--) {
                long from = upTo(options.gstMicros);
                int a = replica();
                int b = replica();
                if (a != b) {
                    options.cuts.add(new Cut(from, between(from, options.gstMicros), a, b));
                }
            }
        }
    }

    private void partition() {
        List<SortedSet<Integer>> groups = List.of(new TreeSet<>(), new TreeSet<>());
        for (int i = 0; i < base.replicas(); i++) {
            groups.get((int) upTo(1)).add(i);
        }
        if (!groups.get(0).isEmpty() && !groups.get(1).isEmpty()) {
            long from = upTo(options.gstMicros);
            options.partitions.add(new Partition(from, between(from, options.gstMicros), groups));
        }
    }

    private int replica() {
        return (int) upTo(base.replicas() - 1L);
    }

    /** A replica that is not faulty yet; often the first primary. */
    private int nextFaulty() {
        int replica = chance(40) ? 0 : replica();
        while (!faulty.add(replica)) {
            replica = (replica + 1) % base.replicas();
        }
        return replica;
    }

    private void twins() {
        while (faulty.size() < faultyMax && (faulty.isEmpty() || chance(70))) {
            List<BehaviourSpec> specs = new ArrayList<>();
            specs.add(new BehaviourSpec("twin", "", 0, Long.MAX_VALUE));
            if (chance(20)) {
                specs.add(behaviour());
            }
            options.byzantine.put(nextFaulty(), specs);
        }
    }

    private void byzantine() {
        while (faulty.size() < faultyMax && (faulty.isEmpty() || chance(70))) {
            List<BehaviourSpec> specs = new ArrayList<>();
            for (long i = between(1, BEHAVIOURS_MAX); i > 0; i--) {
                specs.add(behaviour());
            }
            options.byzantine.put(nextFaulty(), specs);
        }
    }

    private BehaviourSpec behaviour() {
        String name = chance(20) ? "random" : ALONE.get((int) upTo(ALONE.size() - 1L));
        String argument = switch (name) {
            case "delay" -> OptionText.time(between(5, 400) * 1_000);
            case "censor" -> Long.toString(upTo(options.clients - 1L));
            case "selective" -> friends();
            default -> "";
        };
        if (chance(50)) {
            return new BehaviourSpec(name, argument, 0, Long.MAX_VALUE);
        }
        long from = upTo(horizonMicros) / 1_000 * 1_000;
        return new BehaviourSpec(name, argument, from, from + between(50, 1_000) * 1_000);
    }

    private String friends() {
        SortedSet<Integer> ids = new TreeSet<>();
        for (long i = between(1, base.replicas() - 1L); i > 0; i--) {
            ids.add(replica());
        }
        return String.join(",", ids.stream().map(String::valueOf).toList());
    }

    /** Crashes with restarts: of any number of replicas, also of all at once. */
    private void crashes() {
        if (chance(15)) {
            long at = upTo(horizonMicros);
            for (int i = 0; i < base.replicas(); i++) {
                crash(i, at, at + 1_000 + upTo(300_000));
            }
            return;
        }
        for (long i = between(1, 4); i > 0; i--) {
            long at = upTo(horizonMicros);
            crash(replica(), at, at + 1_000 + upTo(800_000));
        }
    }

    private void crash(int replica, long at, long back) {
        options.fault(NodeFault.Kind.CRASH, replica, at);
        options.fault(NodeFault.Kind.RESTART, replica, back);
    }

    private void pauses() {
        for (long i = between(1, 3); i > 0; i--) {
            long from = upTo(horizonMicros);
            options.pause(replica(), from, from + between(20, 900) * 1_000);
        }
    }

    /** A replica that never comes back, or comes back without its disk, or with one that lies. */
    private void lossForGood() {
        int replica = nextFaulty();
        long at = upTo(horizonMicros);
        switch ((int) upTo(2)) {
            case 0 -> options.byzantine(replica, "crash@" + OptionText.time(at / 1_000 * 1_000) + "..3600s");
            case 1 -> options.fault(NodeFault.Kind.LOSE_DISK, replica, at);
            default -> {
                options.fault(NodeFault.Kind.CORRUPT_DISK, replica, at);
                crash(replica, at + 20_000, at + 60_000);
            }
        }
    }

    /** Disks that report errors, or are slow, for a while; and one that writes where it should not. */
    private void disks() {
        for (long i = between(1, 3); i > 0; i--) {
            long from = upTo(horizonMicros);
            NodeFault.Kind kind = chance(60) ? NodeFault.Kind.FAIL_DISK : NodeFault.Kind.SLOW_DISK;
            options.fault(kind, replica(), from, from + between(1, 400) * 1_000);
        }
        if (style != Style.NETWORK && faulty.size() < faultyMax && chance(30)) {
            int replica = nextFaulty();
            long at = upTo(horizonMicros);
            options.fault(NodeFault.Kind.MISDIRECT_DISK, replica, at);
            crash(replica, at + 20_000 + upTo(200_000), at + 300_000);
        }
    }

    /** Every Byzantine replica lies together with the others, besides what it does by itself. */
    private void collusion() {
        options.byzantine.replaceAll((replica, specs) -> {
            List<BehaviourSpec> more = new ArrayList<>(specs);
            more.add(new BehaviourSpec("collude", "", 0, Long.MAX_VALUE));
            return more;
        });
    }

    /** One behaviour more for a replica: one that lies already, or one more where there may be one. */
    private void alsoLies(String behaviour) {
        int replica;
        if (!options.byzantine.isEmpty()) {
            replica = options.byzantine.firstKey();
        } else if (faulty.size() < faultyMax) {
            replica = nextFaulty();
        } else {
            return;
        }
        List<BehaviourSpec> specs = new ArrayList<>(options.byzantine.getOrDefault(replica, List.of()));
        specs.add(0, new BehaviourSpec(behaviour, "", 0, Long.MAX_VALUE));
        options.byzantine.put(replica, specs);
    }

    private void clocks() {
        options.driftPpm = (int) upTo(5_000);
        int skewMax = base.parameters().clockSkewMillis() / 4;
        for (int i = 0; i < base.replicas(); i++) {
            if (chance(50)) {
                options.skewMillis.put(i, (int) between(-skewMax, skewMax));
            }
        }
    }

    private void byzantineClient() {
        if (options.clients < 2) {
            return;
        }
        List<BehaviourSpec> specs = new ArrayList<>();
        for (long i = between(1, 2); i > 0; i--) {
            String name = BehaviourSpec.CLIENT.get((int) upTo(5));
            specs.add(new BehaviourSpec(name, "", 0, Long.MAX_VALUE));
        }
        options.byzantineClients.put((int) upTo(options.clients - 1L), specs);
    }

    /** A client that keeps large results waiting, where there is little room for them. */
    private void hoarder() {
        int client = (int) upTo(options.clients - 1L);
        List<BehaviourSpec> specs = new ArrayList<>(options.byzantineClients.getOrDefault(client, List.of()));
        specs.add(new BehaviourSpec("hoard", "", 0, Long.MAX_VALUE));
        options.byzantineClients.put(client, specs);
        int room = (int) between(1 << 10, 8 << 10);
        options.parameters = ParameterFields.with(options.parameters, Map.of("resultBytesMax", room));
    }

    private void encoding() {
        if (chance(10)) {
            options.codec = true;
            options.flip = chance(50) ? between(1, 20) / 1_000.0 : 0;
        }
        options.realCrypto = options.realCrypto || chance(1);
    }
}
