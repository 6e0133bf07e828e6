package io.pbft.simulator.workload;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.replica.Operation;
import io.pbft.replica.StateMachine;
import java.util.Optional;

/** The application that simulated clusters replicate: see {@link Semantics}. Stateless. */
public final class Machine implements StateMachine {
    @Override
    public Bytes apply(Operation operation, State state) {
        Call call = decode(operation);
        Bytes key = Bytes.utf8(call.key());
        Optional<String> before = state.get(key).map(Bytes::toUtf8);
        if (call.verb().equals("add")) {
            // Written before it may be refused: an operation that fails must leave nothing of it.
            state.put(key, Bytes.utf8("spoilt by " + call.number()));
        }
        Semantics.Effect effect = Semantics.apply(call, before);
        if (effect.value().isPresent()) {
            state.put(key, Bytes.utf8(effect.value().get()));
        } else if (before.isPresent()) {
            state.delete(key);
        }
        return Bytes.utf8(effect.answer());
    }

    @Override
    public Bytes query(Operation operation, StateView state) {
        Call call = decode(operation);
        if (!call.isRead()) {
            throw new IllegalArgumentException("not a query: " + call.verb());
        }
        return Bytes.utf8(
                Semantics.apply(call, state.get(Bytes.utf8(call.key())).map(Bytes::toUtf8))
                        .answer());
    }

    private static Call decode(Operation operation) {
        return Call.decode(operation.payload())
                .orElseThrow(() -> new IllegalArgumentException("not an operation of this application"));
    }
}
