package io.pbft.simulator.check;

import io.pbft.crypto.Bytes;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.ResultRoom;
import io.pbft.simulator.linear.Entry;
import io.pbft.simulator.linear.Linearizability;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.workload.KeyModel;
import io.pbft.simulator.workload.Specification;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What clients asked and were told, and whether that is linearizable: once by search, key by key, which knows nothing of the
 * replicas; and once by replay of the order that the replicas agreed on, which takes no search. NOT thread-safe.
 */
public final class History {
    /** Steps of the search for each key, after which it says that it does not know. */
    private static final long STEPS_MAX = 200_000;

    /** One operation: {@code returnedAt} is {@link Entry#NEVER} until its answer came. */
    private static final class Asked {
        final int client;
        final Call call;
        final boolean fast;
        final long invokedAt;
        /** The place after which it must stand: the last of those that had been answered when it was invoked. */
        final long after;

        long returnedAt = Entry.NEVER;
        Optional<KeyModel.Answer> answer = Optional.empty();
        /** No operation answered now can stand behind this. */
        long lastExecuted;
        /** The place that the answer named; 0 where it was not ordered. */
        long seq;

        Asked(int client, Call call, boolean fast, long invokedAt, long after) {
            this.client = client;
            this.call = call;
            this.fast = fast;
            this.invokedAt = invokedAt;
            this.after = after;
        }

        boolean isFastRead() {
            return fast && seq == 0;
        }
    }

    private final Findings findings;
    private final TreeMap<Long, Asked> records = new TreeMap<>();
    private long answeredSeq;

    public History(Findings findings) {
        this.findings = findings;
    }

    /** A client asks. A Byzantine client's operations are told too: they may take effect, and nobody knows their answers. */
    public void invoked(int client, Call call, boolean fast, long now) {
        records.putIfAbsent(call.number(), new Asked(client, call, fast, now, answeredSeq));
    }

    /** An operation was certainly not executed and never will be. */
    public void withdrawn(long number) {
        records.remove(number);
    }

    /**
     * A client is told.
     *
     * @param seq the place that the answer names; 0 for one that was not ordered
     * @param lastExecuted the last sequence number that any correct replica executed
     */
    public void returned(long number, KeyModel.Answer answer, long now, long seq, long lastExecuted) {
        Asked record = records.get(number);
        if (record == null || record.returnedAt != Entry.NEVER) {
            findings.report(Check.DURABILITY, "an answer to operation " + number + ", which does not wait for one");
            return;
        }
        record.returnedAt = now;
        record.answer = Optional.of(answer);
        record.lastExecuted = lastExecuted;
        record.seq = seq;
        answeredSeq = Math.max(answeredSeq, seq);
    }

    /** The highest place that a client was told of. */
    public long answeredSeq() {
        return answeredSeq;
    }

    /** Searches, key by key, for an order that explains every answer. Returns whether every search came to an end. */
    public boolean search() {
        Map<String, List<Entry<Call, KeyModel.Answer>>> byKey = new TreeMap<>();
        for (Asked r : records.values()) {
            byKey.computeIfAbsent(r.call.key(), key -> new ArrayList<>())
                    .add(new Entry<>(r.client, r.call, r.invokedAt, r.answer, r.returnedAt));
        }
        boolean decided = true;
        for (Map.Entry<String, List<Entry<Call, KeyModel.Answer>>> key : byKey.entrySet()) {
            switch (Linearizability.check(new KeyModel(), key.getValue(), STEPS_MAX)) {
                case LINEARIZABLE -> {}
                case UNKNOWN -> decided = false;
                case NOT_LINEARIZABLE ->
                    findings.report(
                            Check.LINEARIZABILITY,
                            "no order explains what clients were told of " + key.getKey() + ": " + key.getValue());
            }
        }
        return decided;
    }

    /** Runs the agreed order on the specification and compares each answer with what that gives at its place. */
    public void replay(List<Effect.Execute> agreed) {
        Map<Long, Long> places = new HashMap<>();
        Map<Long, KeyModel.Answer> answers = new HashMap<>();
        Map<String, List<Version>> versions = new HashMap<>();
        for (Effect.Execute batch : agreed) {
            ResultRoom.Meter room = batch.room().meter();
            for (Effect.Call call : batch.calls()) {
                run(batch.seq(), call, room, places, answers, versions);
            }
        }
        for (Asked record : records.values()) {
            if (record.answer.isPresent() && record.isFastRead()) {
                compareRead(record, versions.getOrDefault(record.call.key(), List.of()));
            }
        }
        compareOrdered(places, answers);
    }

    private void compareOrdered(Map<Long, Long> places, Map<Long, KeyModel.Answer> answers) {
        for (Asked record : records.values()) {
            if (record.answer.isEmpty() || record.isFastRead()) {
                continue;
            }
            Long place = places.get(record.call.number());
            if (place != null) {
                compare(record, place, Optional.ofNullable(answers.get(record.call.number())));
            } else {
                findings.report(
                        Check.DURABILITY,
                        "client " + record.client + " was answered, but no correct replica executed " + record.call);
            }
        }
    }

    /** The same with another application than the simulator's own. */
    public void replayOn(Specification specification, List<Effect.Execute> agreed) {
        Map<Long, Long> places = new HashMap<>();
        Map<Long, KeyModel.Answer> answers = new HashMap<>();
        List<Asked> reads = new ArrayList<>(records.values());
        reads.removeIf(record -> record.answer.isEmpty() || !record.isFastRead());
        explain(specification, 0, reads);
        for (Effect.Execute batch : agreed) {
            ResultRoom.Meter room = batch.room().meter();
            for (Effect.Call call : batch.calls()) {
                Optional<KeyModel.Answer> answer = specification.apply(batch, call, room);
                Optional<Call> asked = Call.decode(call.operation());
                if (answer.isPresent()
                        && asked.isPresent()
                        && places.putIfAbsent(asked.get().number(), batch.seq()) == null) {
                    answers.put(asked.get().number(), answer.get());
                }
            }
            explain(specification, batch.seq(), reads);
        }
        // The causes first, what clients saw of them behind.
        specification.findings().forEach(finding -> findings.report(Check.REPLAY, finding));
        compareOrdered(places, answers);
        for (Asked read : reads) {
            findings.report(
                    Check.REPLAY,
                    "client " + read.client + " read " + read.answer + " with " + read.call
                            + ", which no state between " + read.after + " and " + read.lastExecuted + " gives");
        }
    }

    /** Takes those reads away whose answer is that of the state after {@code seq}. */
    private static void explain(Specification specification, long seq, List<Asked> reads) {
        reads.removeIf(read -> read.after <= seq
                && seq <= read.lastExecuted
                && read.answer.equals(Optional.of(specification.query(read.client, read.call))));
    }

    /** The value of a key from a sequence number on. */
    private record Version(long seq, Optional<String> value) {}

    private static void run(
            long seq,
            Effect.Call executed,
            ResultRoom.Meter room,
            Map<Long, Long> places,
            Map<Long, KeyModel.Answer> answers,
            Map<String, List<Version>> versions) {
        Optional<Call> call = Call.decode(executed.operation());
        if (call.isEmpty()) {
            return;
        }
        List<Version> ofKey = versions.computeIfAbsent(call.get().key(), key -> new ArrayList<>());
        Optional<String> before = ofKey.isEmpty() ? Optional.empty() : ofKey.get(ofKey.size() - 1).value;
        KeyModel.Outcome outcome = KeyModel.run(call.get(), before);
        if (!room.take(executed.client(), Bytes.utf8(outcome.answer().text()).size())) {
            return;
        }
        ofKey.add(new Version(seq, outcome.value()));
        if (places.putIfAbsent(call.get().number(), seq) == null) {
            answers.put(call.get().number(), outcome.answer());
        }
    }

    private void compare(Asked record, long place, Optional<KeyModel.Answer> expected) {
        if (!record.answer.equals(expected)) {
            findings.report(
                    Check.REPLAY,
                    "client " + record.client + " was told " + record.answer + " of " + record.call
                            + ", the order gives " + expected);
        }
        if (place < record.after) {
            findings.report(
                    Check.REPLAY,
                    record.call + " has its place at " + place + ", before " + record.after
                            + ", which had been answered when it was asked for");
        }
    }

    /** A read that was not ordered: some state between what was answered before it and what was executed when it ended. */
    private void compareRead(Asked record, List<Version> versions) {
        String told = record.answer.map(KeyModel.Answer::text).orElse("");
        boolean possible = false;
        for (int i = -1; i < versions.size(); i++) {
            long from = i < 0 ? 0 : versions.get(i).seq;
            long to = i + 1 < versions.size() ? versions.get(i + 1).seq - 1 : Long.MAX_VALUE;
            Optional<String> value = i < 0 ? Optional.empty() : versions.get(i).value;
            // A value that the same batch replaced was never to be seen: then from > to.
            possible |= Math.max(from, record.after) <= Math.min(to, record.lastExecuted) && matches(value, told);
        }
        if (!possible) {
            findings.report(
                    Check.REPLAY,
                    "client " + record.client + " read " + told + " with " + record.call
                            + ", which the key did not hold" + " after " + record.after + " and up to "
                            + record.lastExecuted + ": " + versions);
        }
    }

    private static boolean matches(Optional<String> value, String told) {
        return KeyModel.run(new Call(0, "get", "-", "", ""), value)
                .answer()
                .text()
                .equals(told);
    }

    /** How many operations have an answer. */
    public long answered() {
        return records.values().stream().filter(r -> r.answer.isPresent()).count();
    }
}
