package io.pbft.simulator.workload;

import io.pbft.replica.StateMachine;
import java.util.Optional;

/** What a simulated cluster replicates, what is asked of it, and what its answers are held against. */
public interface Application {
    /**
     * The state machine of one start of a replica.
     *
     * @param node the replica's name in traces
     * @param correct whether its state must be that of the others
     */
    StateMachine machine(String node, boolean correct);

    /** The operation {@code number} of the run: the same whatever happened to the others. */
    Call call(long number);

    /** Whether a read is asked for outside of the order. */
    boolean fast(long number);

    /** Empty where answers are held against {@link KeyModel}. */
    Optional<Specification> specification();
}
