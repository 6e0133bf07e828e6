package io.pbft.simulator.byzantine;

import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;

/** What a {@link Behaviour} can do: the rest of the way out, and what its replica knows. */
interface Way {
    /** Passes an honest message on. */
    void pass(NodeId to, Message message);

    /** Passes an honest message on, later. */
    void delay(NodeId to, Message message, long micros);

    /** Says something that a correct replica would not have said here; the trace marks it as this behaviour's. */
    void lie(NodeId to, Message message);

    /** Keeps back what a correct replica would have said. */
    void withhold(NodeId to, Message message);

    /**
     * Whether to lie about this now: keyed, so that a single lie can be taken out of a run.
     *
     * @param about names what the lie is about; the same name and receiver get the same answer
     */
    boolean dares(double probability, NodeId to, long about);

    /** 64 bits of chance about {@code about}. */
    long chance(long about, long which);

    /** Signs with the replica's own key; what it signs must name the replica as the signer. */
    <S extends Statement> Signed<S> sign(S statement);

    /** Signs with the replica's own key what would be right in a cluster with another id. */
    <S extends Statement> Signed<S> signElsewhere(S statement);

    int self();

    int replicas();

    /** The highest view that the replica has spoken of. */
    long view();

    long nowMicros();

    /** Takes the replica down for good. */
    void die();
}
