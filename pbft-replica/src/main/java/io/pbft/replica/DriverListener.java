package io.pbft.replica;

import io.pbft.protocol.Signed;
import io.pbft.replica.core.Effect;

/** What a {@link ReplicaDriver} tells its owner. It changes nothing; the driver's thread calls it, and it must not throw. */
public interface DriverListener {
    void note(Effect.Note note);

    /** Two statements of one replica that no correct replica signs both. May come more than once for the same two. */
    void accuse(Signed<?> first, Signed<?> second);

    /**
     * The driver stopped for good: the disk failed, or something of this replica's own is not as it must be. Called once;
     * nothing leaves this replica any more.
     */
    void halted(Throwable cause);
}
