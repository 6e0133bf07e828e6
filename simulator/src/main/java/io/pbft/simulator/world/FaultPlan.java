package io.pbft.simulator.world;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The faults that chance brought about in a run, each under the number that its decision has in every run of the same seed. A
 * run with some of them taken out decides everything else as before. NOT thread-safe.
 */
public final class FaultPlan {
    /** A fault that happened: {@code id} names the decision, {@code atMicros} says when. */
    public record Decision(Fault kind, long id, long atMicros) {}

    private final SortedSet<Long> removed;
    private final Optional<SortedSet<Long>> only;
    private final List<Decision> fired = new ArrayList<>();

    public FaultPlan() {
        this(new TreeSet<>());
    }

    /** A plan from which the decisions {@code removed} are taken out. */
    public FaultPlan(SortedSet<Long> removed) {
        this(removed, Optional.empty());
    }

    /** Likewise; where {@code only} is present, every fault that it does not name is taken out as well. */
    public FaultPlan(SortedSet<Long> removed, Optional<SortedSet<Long>> only) {
        this.removed = new TreeSet<>(removed);
        this.only = only.map(TreeSet::new);
    }

    boolean isRemoved(Fault kind, long id) {
        return (!removed.isEmpty() && removed.contains(id))
                || (only.isPresent() && kind.planned() && !only.get().contains(id));
    }

    void fired(Fault kind, long id, long atMicros) {
        fired.add(new Decision(kind, id, atMicros));
    }

    public SortedSet<Long> removed() {
        return new TreeSet<>(removed);
    }

    /** What happened so far, in the order in which it did. */
    public List<Decision> fired() {
        return List.copyOf(fired);
    }
}
