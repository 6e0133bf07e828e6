package io.pbft.simulator;

import io.pbft.protocol.MessageType;
import io.pbft.simulator.world.Partition;
import io.pbft.simulator.world.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Coincidences that have brought bugs to light, or would: each scenario sets up one, in the options, and leaves the details to
 * chance. Each returns when the network becomes stable, in virtual microseconds; 0: it always is. NOT thread-safe.
 */
final class Scenarios {
    /** Draws a number between two, both included. */
    interface Chance {
        long between(long min, long max);
    }

    /** Longer than any run, and something that an option can say. */
    private static final long FOR_EVER_MICROS = 3_600_000_000L;

    private final SimOptions.Builder options;
    private final int replicas;
    private final Chance chance;
    private final long requestMicros;

    Scenarios(SimOptions.Builder options, int replicas, Chance chance) {
        this.options = options;
        this.replicas = replicas;
        this.chance = chance;
        this.requestMicros = 1_000L * options.parameters.requestTimeoutMillis();
    }

    private boolean chance(int percent) {
        return chance.between(0, 99) < percent;
    }

    private int replica() {
        return (int) chance.between(0, replicas - 1L);
    }

    /** Cuts {@code alone} off from all others. */
    private void isolate(int alone, long from, long to) {
        SortedSet<Integer> others = new TreeSet<>();
        for (int i = 0; i < replicas; i++) {
            others.add(i);
        }
        others.remove(alone);
        options.partitions.add(new Partition(from, to, List.of(new TreeSet<>(List.of(alone)), others)));
    }

    private void lose(MessageType type, int minPercent, int maxPercent) {
        options.dropTypes.put(type, chance.between(minPercent, maxPercent) / 100.0);
    }

    private void lie(int replica, long fromMicros, String... names) {
        List<BehaviourSpec> specs = new ArrayList<>();
        for (String name : names) {
            specs.add(new BehaviourSpec(name, "", fromMicros, fromMicros == 0 ? Long.MAX_VALUE : FOR_EVER_MICROS));
        }
        options.byzantine.put(replica, specs);
    }

    /**
     * One replica after the other is cut off, each for about as long as it takes to change the view, while votes get lost: so
     * the same number prepares in one view here and in a later one there, and what each replica shows differs.
     */
    long isolateInTurn(long horizonMicros) {
        long now = chance.between(0, horizonMicros / 2);
        boolean inOrder = chance(50);
        int turn = replica();
        for (long left = chance.between(2, 8); left > 0; left--) {
            long end = now + chance.between(requestMicros / 3, 5 * requestMicros / 2);
            isolate(turn, now, end);
            turn = inOrder ? (turn + 1) % replicas : replica();
            now = end + (chance(30) ? chance.between(0, requestMicros) : 0);
        }
        if (chance(70)) {
            lose(MessageType.PREPARE, 20, 90);
        }
        if (chance(60)) {
            lose(MessageType.COMMIT, 30, 90);
        }
        if (chance(20)) {
            lose(MessageType.DECISION, 50, 100);
        }
        if (chance(40)) {
            checkpointOften();
        }
        switch ((int) chance.between(0, 4)) {
            case 0, 1 -> lie(replica(), 0, "conflicting-view-change");
            case 2 -> lie(replica(), 0, "sequence-jump");
            // A quorum is all that is left.
            case 3 -> lie(replica(), now, "mute");
            default -> {}
        }
        options.thinkMicros = Math.max(1_000, now * options.clients / 48);
        return now;
    }

    /**
     * Liars answer reads with what was before, COMMITs get lost, and now and then a replica is cut off from the others, though
     * not from clients: so correct replicas lag and could say the same.
     */
    long lieToReaders(long horizonMicros) {
        options.workload = Workload.KV;
        options.clients = (int) chance.between(2, 5);
        options.readShare = chance.between(30, 70) / 100.0;
        lie(replica(), 0, "lie-read");
        lose(MessageType.COMMIT, 30, 80);
        if (chance(50)) {
            lose(MessageType.DECISION, 50, 100);
        }
        long end = horizonMicros + chance.between(0, horizonMicros);
        for (long left = chance.between(0, 4); left > 0; left--) {
            long from = chance.between(0, end);
            isolate(replica(), from, from + chance.between(0, requestMicros));
        }
        options.thinkMicros = chance.between(2_000, Math.max(2_000, end * options.clients / 48));
        return end;
    }

    /**
     * A replica loses its disk, and with it what it has agreed to, and from then on another one lies about what it knows. The
     * replicas that were cut off before and after know different things.
     *
     * @param withLiar whether another one lies: two are faulty then, one of them without a vote. Where that is more than f,
     *     everything may stop, and nothing may break
     */
    long loseMemory(long horizonMicros, boolean withLiar) {
        int forgetful = replica();
        int liar = (forgetful + 1 + (int) chance.between(0, replicas - 2L)) % replicas;
        long at = chance.between(horizonMicros / 8, horizonMicros);
        options.fault(NodeFault.Kind.LOSE_DISK, forgetful, at);
        String besides = chance(50) ? "silent" : "random";
        if (withLiar) {
            lie(liar, at, "conflicting-view-change", besides);
        }
        long end = at + chance.between(2 * requestMicros, 8 * requestMicros);
        List<Integer> others = new ArrayList<>();
        for (int i = 0; i < replicas; i++) {
            if (i != forgetful && i != liar) {
                others.add(i);
            }
        }
        int first = (int) chance.between(0, others.size() - 1L);
        int early = others.get(first);
        others.subList(first, first + 1).clear();
        int late = others.get((int) chance.between(0, others.size() - 1L));
        isolate(early, chance.between(0, at), at + chance.between(0, requestMicros / 2));
        if (chance(80)) {
            isolate(late, at, end);
        }
        options.thinkMicros = Math.max(1_000, at * options.clients / 40);
        return end;
    }

    /** Nothing gets through for so long that every patience has doubled to its end. */
    long longStorm() {
        long end = chance.between(15_000_000, 40_000_000);
        if (chance(30)) {
            options.drop = chance.between(50, 90) / 100.0;
        } else {
            // Every view is wanted by a quorum, and none of them ever begins.
            options.dropTypes.put(MessageType.PROPOSAL, 1.0);
            options.dropTypes.put(MessageType.NEW_VIEW, 1.0);
        }
        options.thinkMicros = chance.between(1_000, end * options.clients / 48);
        return end;
    }

    /**
     * A replica is cut off for so long that the others' window leaves it behind, and has to fetch the state, also from a liar.
     */
    long farBehind(long horizonMicros) {
        int late = replica();
        int liar = (late + 1 + (int) chance.between(0, replicas - 2L)) % replicas;
        lie(liar, 0, "bad-state-chunk", chance(50) ? "bad-checkpoint" : "replay");
        long from = chance.between(0, horizonMicros / 4);
        long end = from + chance.between(horizonMicros / 2, 2 * horizonMicros);
        isolate(late, from, end);
        checkpointOften();
        options.thinkMicros = Math.max(1_000, end * options.clients / 60);
        return end;
    }

    /** Replicas, one by one or all together, start again from small checkpoints, and old messages come once more. */
    long restartAndReplay(long horizonMicros) {
        checkpointOften();
        long end = horizonMicros;
        for (long i = chance.between(1, 6); i > 0; i--) {
            long at = chance.between(horizonMicros / 10, horizonMicros);
            boolean all = chance(30);
            int one = replica();
            for (int replica = 0; replica < replicas; replica++) {
                if (all || replica == one) {
                    long back = at + chance.between(1_000, 200_000);
                    options.fault(NodeFault.Kind.CRASH, replica, at);
                    options.fault(NodeFault.Kind.RESTART, replica, back);
                    end = Math.max(end, back);
                }
            }
        }
        lie(replica(), 0, "replay", chance(50) ? "equivocate" : "bad-time");
        if (options.clients > 1 && chance(50)) {
            options.byzantineClients.put(
                    options.clients - 1, List.of(new BehaviourSpec("replay", "", 0, Long.MAX_VALUE)));
        }
        if (chance(50)) {
            // What was executed is asked for again, when the replicas have started again.
            lose(MessageType.REPLY, 30, 95);
        }
        options.duplicate = chance.between(0, 30) / 100.0;
        options.tail = chance.between(0, 20) / 100.0;
        if (chance(40)) {
            options.diskMaxMicros = chance.between(5_000, 80_000);
        }
        return end;
    }

    /**
     * The first primary fails, and while the others change the view, on slow disks, they die and start again, alone or all
     * together: some between one promise and the next. The primary that follows may be a liar.
     */
    long dieWhileTheViewChanges(long horizonMicros) {
        if (chance(50)) {
            checkpointOften();
        }
        long diskMicros = chance.between(5_000, 80_000);
        options.diskMaxMicros = diskMicros;
        long at = chance.between(0, horizonMicros / 2);
        long end = at;
        long rounds = chance.between(1, 3);
        for (int first = 0; first < rounds; first++) {
            long left = at + requestMicros;
            isolate(first, at, left + chance.between(0, requestMicros));
            // VIEW-CHANGE, NEW-VIEW and what follows from it: three writes and two messages.
            long change = 3 * diskMicros + 2 * options.latencyMaxMicros + requestMicros / 8;
            boolean all = chance(30);
            for (int replica = 0; replica < replicas; replica++) {
                long died = left + chance.between(0, change);
                // Some die again and again, each time a little further on.
                for (long times = all || chance(40) ? chance.between(1, 4) : 0; times > 0; times--) {
                    long back = died + chance.between(1_000, 50_000);
                    options.fault(NodeFault.Kind.CRASH, replica, died);
                    options.fault(NodeFault.Kind.RESTART, replica, back);
                    end = Math.max(end, back);
                    died = back + chance.between(1_000, 1_000 + change / 2);
                }
            }
            end = Math.max(end, left + requestMicros);
            at = left + change + chance.between(0, 2 * requestMicros);
        }
        if (chance(60)) {
            lie((int) chance.between(1, rounds), 0, "equivocate", chance(50) ? "sequence-jump" : "bad-new-view");
        }
        options.thinkMicros = Math.max(1_000, end * options.clients / 48);
        if (chance(50)) {
            // What has prepared and is not decided is what the next view carries over.
            lose(MessageType.COMMIT, 30, 90);
            lose(MessageType.DECISION, 30, 90);
        }
        return end;
    }

    /**
     * A replica was away while the others took checkpoints, and comes back when the first primary fails: the view changes with
     * it, begins where it has not been, and is led by a liar. What it learns on a slow disk it may forget by dying at once.
     */
    long comeBackToALiar(long horizonMicros) {
        checkpointOften();
        int late = (int) chance.between(2, replicas - 1L);
        long fails = chance.between(horizonMicros / 4, horizonMicros);
        long back = fails + chance.between(0, 2 * requestMicros);
        isolate(late, chance.between(0, fails / 2), back);
        long end = back + chance.between(requestMicros, 4 * requestMicros);
        isolate(0, fails, end);
        lie(1, 0, "sequence-jump", chance(50) ? "equivocate" : "bad-time");
        if (chance(60)) {
            options.diskMaxMicros = chance.between(5_000, 80_000);
            long died = back + chance.between(0, 2 * requestMicros);
            long again = died + chance.between(1_000, 100_000);
            options.fault(NodeFault.Kind.CRASH, late, died);
            options.fault(NodeFault.Kind.RESTART, late, again);
            end = Math.max(end, again);
        }
        options.thinkMicros = Math.max(1_000, fails * options.clients / 40);
        return end;
    }

    /**
     * A replica was away for longer than a window. Back again it votes at once, beyond where it had been, while the state comes
     * slowly; dies meanwhile, perhaps again and again; and then the primary is cut off, so that the others need its VIEW-CHANGE.
     */
    long dieWhileTheStateComes(long horizonMicros) {
        checkpointOften();
        int late = (int) chance.between(1, replicas - 1L);
        long back = chance.between(horizonMicros / 2, horizonMicros);
        isolate(late, chance.between(0, back / 4), back);
        lose(MessageType.STATE_NODES, 50, 95);
        if (chance(50)) {
            // What has prepared and is not decided is what the next view carries over.
            lose(MessageType.COMMIT, 30, 80);
            lose(MessageType.DECISION, 30, 80);
        }
        long died = back + chance.between(0, requestMicros);
        long end = died;
        for (long times = chance.between(1, 3); times > 0; times--) {
            end = died + chance.between(1_000, 50_000);
            options.fault(NodeFault.Kind.CRASH, late, died);
            options.fault(NodeFault.Kind.RESTART, late, end);
            died = end + chance.between(1_000, requestMicros / 2);
        }
        long fails = Math.max(back, end - chance.between(0, requestMicros / 2));
        end = Math.max(end, fails + chance.between(requestMicros, 3 * requestMicros));
        isolate(0, fails, end);
        options.thinkMicros = Math.max(1_000, back * options.clients / 40);
        return end;
    }

    private void checkpointOften() {
        int depth = Math.min(options.parameters.pipelineDepth(), 6);
        agreeOn(3, (int) chance.between(6, 9), depth, options.parameters.batchOperationsMax());
    }

    private void agreeOn(int checkpointInterval, int window, int pipelineDepth, int batchOperationsMax) {
        options.parameters = ParameterFields.with(
                options.parameters,
                Map.of(
                        "checkpointInterval", checkpointInterval,
                        "window", window,
                        "pipelineDepth", pipelineDepth,
                        "batchOperationsMax", batchOperationsMax));
    }

    /** Nothing goes wrong. There is always more to do than is done, or long nothing: no reason for a view change. */
    long calm() {
        agreeOn(options.parameters.checkpointInterval(), options.parameters.window(), 1, 1);
        options.topology = Topology.LAN;
        options.latencyMinMicros = requestMicros / 20;
        options.latencyMaxMicros = requestMicros / 9;
        options.diskMaxMicros = 500;
        options.clients = (int) chance.between(2, 4);
        boolean busy = chance(60);
        options.thinkMicros = busy
                ? chance.between(1_000, 20_000)
                : chance.between(requestMicros, 3 * requestMicros) * options.clients;
        return 0;
    }
}
