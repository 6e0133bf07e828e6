package io.pbft.simulator.junit;

import io.pbft.crypto.Bytes;
import io.pbft.replica.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Compares what became of one operation in different places. NOT thread-safe. */
final class Divergences {
    private static final int KEPT_MAX = 5;

    private record Seen(String where, Outcome outcome) {}

    /** What correct replicas made of an operation at its place. */
    private final Map<Bytes, Seen> first = new TreeMap<>();

    private final List<String> found = new ArrayList<>();

    List<String> found() {
        return List.copyOf(found);
    }

    /** Two runs of one operation on one state. */
    void compare(Operation operation, Outcome one, String where, Outcome other, String elsewhere) {
        if (!one.equals(other) && found.size() < KEPT_MAX) {
            found.add("the operation " + Outcome.show(operation.payload()) + " of client " + operation.client()
                    + " at sequence number " + operation.seq() + " has two outcomes: " + where + " " + one + "; "
                    + elsewhere + " " + other);
        }
    }

    /** Holds an outcome against that of the replica that was first to run the operation at this place. */
    void agree(Bytes wrapped, Operation operation, Outcome outcome, String where) {
        Bytes place = Bytes.utf8(operation.seq() + " " + operation.timeMillis() + " " + operation.client() + " ")
                .concat(wrapped);
        Seen before = first.putIfAbsent(place, new Seen(where, outcome));
        if (before != null) {
            compare(operation, before.outcome, before.where, outcome, where);
        }
    }
}
