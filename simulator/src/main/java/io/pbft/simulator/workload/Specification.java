package io.pbft.simulator.workload;

import io.pbft.replica.core.Effect;
import io.pbft.replica.core.ResultRoom;
import java.util.List;
import java.util.Optional;

/** An application without replicas: runs the agreed order once more, alone. NOT thread-safe. */
public interface Specification {
    /**
     * Runs the next operation of the order; empty: its result found no {@code room}, so it was undone, and its client told so.
     */
    Optional<KeyModel.Answer> apply(Effect.Execute batch, Effect.Call call, ResultRoom.Meter room);

    /** What a read gives in the state that has been reached. */
    KeyModel.Answer query(int client, Call call);

    /** What else the application found out about itself, while it ran and now. */
    List<String> findings();
}
