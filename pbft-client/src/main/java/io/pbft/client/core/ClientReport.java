package io.pbft.client.core;

import java.util.Map;

/**
 * Where a client stands: a copy for observers.
 *
 * @param view the view that the client believes in
 * @param lowest the lowest number whose outcome is still of interest
 * @param next the number that the next operation gets
 * @param queued operations and reads that wait to be sent
 * @param pending operations sent and not yet answered in full, those given up included
 * @param bundles requests in flight
 * @param reads reads in flight
 * @param heldBytes bytes of results kept before a digest is agreed on, of all replicas together
 * @param retransmissions how often a request was sent again
 * @param fetches how often a result was asked of another replica
 * @param readFallbacks reads that had to be ordered
 * @param ignored what was ignored and why, those that happened
 */
public record ClientReport(
        long epoch,
        long view,
        long lowest,
        long next,
        int queued,
        int pending,
        int bundles,
        int reads,
        long heldBytes,
        long retransmissions,
        long fetches,
        long readFallbacks,
        Map<Ignored, Long> ignored) {}
