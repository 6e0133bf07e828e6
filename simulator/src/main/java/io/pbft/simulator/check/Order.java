package io.pbft.simulator.check;

import io.pbft.crypto.Bytes;
import io.pbft.replica.core.Effect;
import io.pbft.simulator.world.MessageKey;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * The order that correct replicas agreed on, as they execute it, and the checks that follow from it: agreement, validity, exactly
 * once. The first correct replica that executes a sequence number sets what the others are held against. NOT thread-safe.
 */
public final class Order {
    private final Findings findings;
    private final IntPredicate correctClient;
    private final List<Effect.Execute> agreed = new ArrayList<>();
    private final List<Integer> firstReplica = new ArrayList<>();

    /** Looked up, never iterated over. */
    private final Map<Long, Long> places = new HashMap<>();

    private final Set<Long> issued = new HashSet<>();
    private long operations;

    /** @param correctClient whether a client is correct: of the others nobody knows what they signed */
    public Order(Findings findings, IntPredicate correctClient) {
        this.findings = findings;
        this.correctClient = correctClient;
    }

    /** A correct client signed this operation. */
    public void issued(int client, Bytes operation) {
        issued.add(key(client, operation));
    }

    /** A correct replica executes a batch. */
    public void executed(int replica, Effect.Execute batch) {
        if (batch.seq() <= agreed.size()) {
            compare(replica, batch, agreed.get((int) batch.seq() - 1));
        } else if (batch.seq() == agreed.size() + 1) {
            append(replica, batch);
        } else {
            findings.report(
                    Check.AGREEMENT,
                    "replica " + replica + " executes " + batch.seq() + ", which nobody led up to: " + agreed.size()
                            + " is the last that any correct replica executed");
        }
    }

    private void compare(int replica, Effect.Execute batch, Effect.Execute expected) {
        if (!batch.equals(expected)) {
            findings.report(
                    Check.AGREEMENT,
                    "at " + batch.seq() + " replica " + firstReplica.get((int) batch.seq() - 1) + " executed "
                            + describe(expected) + ", replica " + replica + " executes " + describe(batch));
        }
    }

    private void append(int replica, Effect.Execute batch) {
        if (!agreed.isEmpty()
                && batch.timeMillis() < agreed.get(agreed.size() - 1).timeMillis()) {
            findings.report(
                    Check.VALIDITY, "replica " + replica + " executes " + batch.seq() + " at a time that went back");
        }
        agreed.add(batch);
        firstReplica.add(replica);
        List<Effect.Call> calls = batch.calls();
        operations += calls.size();
        for (int i = 0; i < calls.size(); i++) {
            Effect.Call call = calls.get(i);
            if (!correctClient.test(call.client())) {
                continue;
            }
            long key = key(call.client(), call.operation());
            if (!issued.contains(key)) {
                findings.report(
                        Check.VALIDITY,
                        "replica " + replica + " executes at " + batch.seq() + " what client " + call.client()
                                + " never signed: " + call.operation().toUtf8());
            }
            Long before = places.put(key, batch.seq());
            if (before != null) {
                findings.report(
                        Check.EXACTLY_ONCE,
                        "an operation of client " + call.client() + " is executed at " + before + " and again at "
                                + batch.seq() + ": " + call.operation().toUtf8());
            }
        }
    }

    /** Where an operation of a correct client has its place; empty when nobody executed it. */
    public Optional<Long> place(int client, Bytes operation) {
        return Optional.ofNullable(places.get(key(client, operation)));
    }

    /** The last sequence number that any correct replica executed. */
    public long last() {
        return agreed.size();
    }

    /** Operations in the order so far. */
    public long operations() {
        return operations;
    }

    /** What was agreed on, from sequence number 1 on. */
    public List<Effect.Execute> agreed() {
        return List.copyOf(agreed);
    }

    private static long key(int client, Bytes operation) {
        return Mix.mix(client, MessageKey.of(operation));
    }

    private static String describe(Effect.Execute batch) {
        StringBuilder text = new StringBuilder("[time " + batch.timeMillis() + ", seed " + batch.seed());
        for (Effect.Call call : batch.calls()) {
            text.append(", ")
                    .append(call.client())
                    .append(": ")
                    .append(call.operation().toUtf8());
        }
        return text.append(']').toString();
    }
}
