package io.pbft.client.core;

import io.pbft.protocol.Limits;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Quorum;

/**
 * Which client this is, of which cluster, and its limits. Times are in ticks.
 *
 * @param window numbers that a session may have outstanding: what the replicas allow
 * @param bundlesMax requests in flight; while so many are, operations gather for the next one
 * @param readsMax reads in flight outside of the order
 * @param queueMax operations and reads that may wait to be sent
 * @param retransmitTicks the least time after which an unanswered request goes to all replicas; doubles each time
 * @param retransmitTicksMax where the doubling ends
 * @param fetchTicks how long a result may be missing once its digest is agreed on, before another replica is asked for it
 * @param readTicks how long a read may go without enough equal answers, before it is ordered instead
 * @param smallBytes results that were smaller than this of late are asked of all replicas in full
 * @param heldBytesMax bytes of results that are kept, for each replica, before a digest is agreed on
 */
public record Config(
        int client,
        Quorum quorum,
        int window,
        int bundlesMax,
        int readsMax,
        int queueMax,
        int retransmitTicks,
        int retransmitTicksMax,
        int fetchTicks,
        int readTicks,
        int smallBytes,
        int heldBytesMax) {

    /** Requests in flight: enough to cover the round trip, few enough that bundles grow when there is much to do. */
    public static final int BUNDLES = 4;

    public static final int READS = 1_024;
    public static final int QUEUE = 65_536;
    public static final int SMALL_BYTES = 1_024;
    public static final int HELD_BYTES = 8 << 20;

    public Config {
        within("client", client, 0, Limits.CLIENTS_MAX - 1);
        within("window", window, 1, Limits.SESSION_WINDOW_MAX);
        within("bundlesMax", bundlesMax, 1, window);
        within("readsMax", readsMax, 1, Integer.MAX_VALUE);
        within("queueMax", queueMax, 1, Integer.MAX_VALUE);
        within("retransmitTicks", retransmitTicks, 1, retransmitTicksMax);
        within("fetchTicks", fetchTicks, 1, retransmitTicksMax);
        within("readTicks", readTicks, 1, Integer.MAX_VALUE);
        within("smallBytes", smallBytes, 0, Limits.RESULT_BYTES_MAX);
        within("heldBytesMax", heldBytesMax, 0, Integer.MAX_VALUE);
    }

    /**
     * What fits a cluster's parameters: a request goes to all replicas after half of the time in which a replica would
     * suspect the primary, so that the replicas know of it in time.
     */
    public static Config of(int client, Quorum quorum, ProtocolParameters parameters) {
        int retransmit = Math.max(2, parameters.requestTimeoutMillis() / 2 / parameters.tickMillis());
        return new Config(
                client,
                quorum,
                parameters.sessionWindow(),
                Math.min(BUNDLES, parameters.sessionWindow()),
                READS,
                QUEUE,
                retransmit,
                8 * retransmit,
                Math.max(1, 20 / parameters.tickMillis()),
                Math.max(2, retransmit / 2),
                SMALL_BYTES,
                HELD_BYTES);
    }

    private static void within(String field, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    field + ": expected a number from " + min + " to " + max + ", found " + value);
        }
    }
}
