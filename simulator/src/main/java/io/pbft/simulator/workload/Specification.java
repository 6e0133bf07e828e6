package io.pbft.simulator.workload;

import io.pbft.replica.core.Effect;
import java.util.List;

/** An application without replicas: runs the agreed order once more, alone. NOT thread-safe. */
public interface Specification {
    /** Runs the next operation of the order. */
    KeyModel.Answer apply(Effect.Execute batch, Effect.Call call);

    /** What a read gives in the state that has been reached. */
    KeyModel.Answer query(int client, Call call);

    /** What else the application found out about itself, while it ran and now. */
    List<String> findings();
}
