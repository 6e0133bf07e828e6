package io.pbft.replica.core;

import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Verified;
import java.util.List;

/** What happens to a replica: the only things that its core ever learns. */
public sealed interface Input {
    /** A message came, or one's own promise is signed and durable. */
    record Received(Verified<?> message) implements Input {}

    /**
     * A tick of the clock: the first input of all, so that a replica knows the time before it is asked to vouch for
     * one. However long the process slept, one wake-up is one tick: who slept does not accuse others of the time that
     * passed.
     *
     * @param wallMillis the wall clock, milliseconds since 1970: only proposed and checked as agreed time, never a
     * timer
     */
    record Tick(long wallMillis) implements Input {}

    /**
     * The connection to another replica came up or went down: a hint that may start a timer early and decides nothing.
     */
    record Connection(int replica, boolean up) implements Input {}

    /**
     * The connection to another replica has not been open yet since this one started: until it is, nothing that is sent
     * there arrives. Comes before the first message, if at all; a {@link Connection} that is up ends it for good.
     */
    record Absent(int replica) implements Input {}

    /**
     * An {@link Effect.Execute} was carried out.
     *
     * @param results one for each of its operations, in order
     */
    record Executed(long seq, List<Result> results) implements Input {
        public Executed {
            results = List.copyOf(results);
        }
    }

    /** What the state machine made of one operation. */
    record Result(Outcome outcome, Bytes content) {}

    /** An {@link Effect.TakeSnapshot} was carried out: the checkpoint is durable here and has this root. */
    record SnapshotTaken(long seq, Digest root) implements Input {}

    /**
     * An {@link Effect.InstallState} was carried out: the state is durable here and is that of the checkpoint.
     *
     * @param system the system's entries, as the core itself once gave them to a snapshot
     */
    record StateInstalled(long seq, Digest root, List<StateView.Entry> system) implements Input {
        public StateInstalled {
            system = List.copyOf(system);
        }
    }
}
