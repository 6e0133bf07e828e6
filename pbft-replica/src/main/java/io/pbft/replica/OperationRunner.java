package io.pbft.replica;

import io.pbft.checkpoint.StateStore;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Limits;
import io.pbft.protocol.Outcome;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.ResultRoom;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Runs operations on the state machine. An operation that fails leaves no trace in the state, and its answer is the same on
 * every replica. An {@link Error} is not caught here: it halts the replica, since no one can say what it left behind.
 *
 * <p>NOT thread-safe: the driver's thread calls it.
 */
final class OperationRunner {
    /** The text of a failure is cut to this many characters. */
    static final int FAILURE_CHARS_MAX = 500;

    private static final Input.Result NO_ROOM = new Input.Result(Outcome.RESULTS_FULL, Bytes.EMPTY);

    private final StateMachine stateMachine;
    private final StateStore store;

    OperationRunner(StateMachine stateMachine, StateStore store) {
        this.stateMachine = stateMachine;
        this.store = store;
    }

    /** Runs the operations of one sequence number, in order. */
    List<Input.Result> run(Effect.Execute batch) {
        List<Input.Result> results = new ArrayList<>(batch.calls().size());
        ResultRoom.Meter room = batch.room().meter();
        for (Effect.Call call : batch.calls()) {
            Operation operation =
                    new Operation(call.operation(), call.client(), batch.seq(), batch.timeMillis(), batch.seed());
            results.add(apply(operation, room));
        }
        return results;
    }

    private Input.Result apply(Operation operation, ResultRoom.Meter room) {
        OperationView view = new OperationView(store.state(), true);
        Input.Result result = outcome(() -> stateMachine.apply(operation, view));
        if (!room.take(operation.client(), result.content().size())) {
            result = NO_ROOM;
        }
        view.end(result.outcome() == Outcome.EXECUTED);
        return result;
    }

    /** Answers a query on the state as it is now. */
    Input.Result query(Effect.Query query) {
        Operation operation =
                new Operation(query.operation(), query.client(), query.seq(), query.timeMillis(), Digest.ZERO);
        OperationView view = new OperationView(store.state(), false);
        Input.Result result = outcome(() -> stateMachine.query(operation, view));
        view.end(result.outcome() == Outcome.EXECUTED);
        return result;
    }

    private static Input.Result outcome(Supplier<Bytes> application) {
        try {
            return new Input.Result(Outcome.EXECUTED, requireWithinLimit(application.get()));
        } catch (Exception e) {
            return new Input.Result(Outcome.FAILED, Bytes.utf8(describe(e)));
        }
    }

    private static Bytes requireWithinLimit(Bytes result) {
        if (result.size() > Limits.RESULT_BYTES_MAX) {
            throw new IllegalStateException("a result has at most " + Limits.RESULT_BYTES_MAX
                    + " bytes, this operation's has " + result.size());
        }
        return result;
    }

    /**
     * The text of a failure, equal on all replicas. The platform words its own exceptions differently from version to version,
     * and leaves the words out altogether once the code is compiled hot: so the message of an exception counts only when the
     * application chose its class, or when it is one of the two that applications throw with words of their own.
     */
    static String describe(Exception e) {
        Class<?> kind = e.getClass();
        boolean ownWords = !kind.getName().startsWith("java")
                || kind == IllegalArgumentException.class
                || kind == IllegalStateException.class;
        String message = ownWords ? e.getMessage() : null;
        String text = message == null || message.isEmpty() ? kind.getName() : message;
        int points = Math.min(FAILURE_CHARS_MAX, text.codePointCount(0, text.length()));
        return text.substring(0, text.offsetByCodePoints(0, points));
    }
}
