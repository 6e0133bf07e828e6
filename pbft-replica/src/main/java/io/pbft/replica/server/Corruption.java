package io.pbft.replica.server;

import io.pbft.protocol.Sealer;
import io.pbft.replica.Outbox;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Core;

/**
 * Makes a replica Byzantine, to see what a cluster bears: what the core hears and what it says goes through what this puts in
 * between. A server has none unless whoever starts it asks for one, and then works with the honest parts themselves.
 */
@FunctionalInterface
public interface Corruption {
    /**
     * What a corruption stands between.
     *
     * @param core called by the core's thread
     * @param outbox called by the core's thread and by the one that signs replies
     */
    record Parts(Core core, Outbox outbox) {}

    /** Wraps {@code honest}; once, before the replica starts. {@code sealer} signs with this replica's own key. */
    Parts corrupt(Config config, Sealer sealer, Parts honest);
}
