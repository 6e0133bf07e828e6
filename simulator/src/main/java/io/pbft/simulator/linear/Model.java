package io.pbft.simulator.linear;

import java.util.Optional;

/**
 * What one object does, told sequentially: the specification that a history is held against.
 *
 * @param <S> its states: values with equals and hashCode
 * @param <I> what can be asked of it
 * @param <O> what it answers
 */
public interface Model<S, I, O> {
    S initial();

    /**
     * The state after {@code input} when it answered {@code output}; empty when it could not have answered that in this state.
     *
     * @param output empty when nobody knows the answer: then any will do
     */
    Optional<S> apply(S state, I input, Optional<O> output);
}
