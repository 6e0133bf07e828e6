package io.pbft.replica;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;

/**
 * The application: what is replicated. Every replica runs the same operations in the same order on the same state, so both
 * methods must depend on nothing but their arguments: no clock but {@link Operation#timeMillis()}, no randomness but
 * {@link Operation#seed()}, no thread, no field that survives the call, no iteration over a hash table.
 *
 * <p>An exception is an answer too: the operation's changes are undone and the client gets outcome FAILED with the
 * exception's message, the same on every replica, so it must depend on nothing else either. Of the exceptions that the Java
 * platform throws, only the class name is told (except {@link IllegalArgumentException} and {@link IllegalStateException}):
 * their messages differ between versions. An {@link Error} halts the replica.
 *
 * <p>One thread calls it.
 */
public interface StateMachine {
    /**
     * Runs an ordered operation.
     *
     * @return the result, at most {@link io.pbft.protocol.Limits#RESULT_BYTES_MAX} bytes
     */
    Bytes apply(Operation operation, State state);

    /** Answers a read that changes nothing. {@link Operation#seed()} is zero: reads are not ordered. */
    Bytes query(Operation operation, StateView state);
}
