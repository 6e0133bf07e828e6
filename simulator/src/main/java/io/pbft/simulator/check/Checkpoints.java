package io.pbft.simulator.check;

import io.pbft.crypto.Digest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Correct replicas vouch for the same state at the same sequence number. NOT thread-safe. */
public final class Checkpoints {
    private record First(int replica, Digest state) {}

    private final Findings findings;

    /** Looked up, never iterated over. */
    private final Map<Long, First> first = new HashMap<>();

    public Checkpoints(Findings findings) {
        this.findings = findings;
    }

    /** What the first correct replica that spoke of {@code seq} has there. */
    Optional<Digest> state(long seq) {
        return Optional.ofNullable(first.get(seq)).map(First::state);
    }

    /** A correct replica has, or vouches for, this state after {@code seq}. */
    public void seen(int replica, long seq, Digest state) {
        First before = first.putIfAbsent(seq, new First(replica, state));
        if (before != null && !before.state.equals(state)) {
            findings.report(
                    Check.CHECKPOINTS,
                    "at " + seq + " replica " + before.replica + " has the state " + before.state + ", replica "
                            + replica + " has " + state);
        }
    }
}
