package io.pbft.simulator.check;

import java.util.Locale;

/** What is checked while a run goes on, and whether its failure is one of safety or of liveness. */
public enum Check {
    /** Correct replicas execute the same at the same sequence number. */
    AGREEMENT(true),
    /** What is executed was signed by the client whose it is said to be; the agreed time is that of a correct clock. */
    VALIDITY(true),
    /** Every operation has one place in the order. */
    EXACTLY_ONCE(true),
    /** No correct replica signs two different votes for one (type, view, seq), and none in a view that it has left. */
    PROMISES(true),
    /** Every certificate that a correct replica writes down or sends is whole, and every NEW-VIEW follows from its V. */
    CERTIFICATES(true),
    /** A vote leaves a correct replica only once it is durable there. */
    PERSISTENCE(true),
    /** What a client was told has its place in the order, and keeps it. */
    DURABILITY(true),
    /** The clients' history is linearizable, by search. */
    LINEARIZABILITY(true),
    /** The clients' history is what the agreed order gives, by replay. */
    REPLAY(true),
    /** Correct replicas have the same state at the same checkpoint, at every one, and it is what the log makes. */
    CHECKPOINTS(true),
    /** What a client takes for proof proves it to others. */
    RECEIPTS(true),
    /** Evidence that a replica keeps convicts by itself, and never names a correct one. */
    EVIDENCE(true),
    /** Windows, queues and journals keep to their limits. */
    MEMORY(true),
    /** No input makes a correct replica or client throw. */
    ROBUSTNESS(true),
    /** Once the network is stable and at most f are faulty, every request completes and every replica catches up in time. */
    LIVENESS(false),
    /** No view change without a fault. */
    CALM(false);

    private final boolean safety;

    Check(boolean safety) {
        this.safety = safety;
    }

    public boolean isSafety() {
        return safety;
    }

    /** As it stands in results: lower case with dashes. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
