package io.pbft.simulator.check;

import io.pbft.checkpoint.MemoryStateStore;
import io.pbft.checkpoint.State;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.ResultRoom;
import io.pbft.simulator.workload.Call;
import io.pbft.simulator.workload.KeyModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The state that a checkpoint vouches for is what the agreed order makes of an empty one: the log is applied anew, with the
 * specification in place of the machine, and the roots are compared. What the core itself adds to the state (the client table,
 * the agreed time) is taken from the first correct replica that took the checkpoint. NOT thread-safe.
 */
public final class LogReplay {
    private final Findings findings;

    /** Looked up, never iterated over. */
    private final Map<Long, Map<Bytes, Optional<Bytes>>> systemChanges = new HashMap<>();

    public LogReplay(Findings findings) {
        this.findings = findings;
    }

    /** A correct replica takes a checkpoint. */
    public void taken(Effect.TakeSnapshot snapshot) {
        systemChanges.putIfAbsent(snapshot.seq(), snapshot.systemChanges());
    }

    /** Compares what correct replicas vouched for with the states that {@code agreed} leads to, as far as both are known. */
    public void finish(List<Effect.Execute> agreed, Checkpoints checkpoints, int interval) {
        MemoryStateStore store = new MemoryStateStore(new MemoryStateStore.Disk());
        for (Effect.Execute batch : agreed) {
            ResultRoom.Meter room = batch.room().meter();
            batch.calls().forEach(call -> apply(call, store.state(), room));
            if (batch.seq() % interval == 0) {
                Map<Bytes, Optional<Bytes>> system = systemChanges.get(batch.seq());
                if (system == null) {
                    return;
                }
                store.checkpoint(batch.seq(), system, root -> compare(batch.seq(), root, checkpoints));
            }
        }
    }

    private void compare(long seq, Digest root, Checkpoints checkpoints) {
        checkpoints
                .state(seq)
                .filter(claimed -> !claimed.equals(root))
                .ifPresent(claimed -> findings.report(
                        Check.CHECKPOINTS,
                        "at " + seq + " a correct replica has the state " + claimed + ", the log up to there gives "
                                + root));
    }

    private static void apply(Effect.Call executed, State state, ResultRoom.Meter room) {
        Optional<Call> call = Call.decode(executed.operation());
        if (call.isEmpty()) {
            return;
        }
        Bytes key = Bytes.utf8(call.get().key());
        Optional<String> before = state.get(key).map(Bytes::toUtf8);
        KeyModel.Outcome outcome = KeyModel.run(call.get(), before);
        if (!room.take(executed.client(), Bytes.utf8(outcome.answer().text()).size())) {
            return;
        }
        Optional<String> after = outcome.value();
        if (after.isPresent()) {
            state.put(key, Bytes.utf8(after.get()));
        } else {
            before.ifPresent(value -> state.delete(key));
        }
    }
}
