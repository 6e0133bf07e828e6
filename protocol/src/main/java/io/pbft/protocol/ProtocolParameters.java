package io.pbft.protocol;

/**
 * What an operator may tune, equal on all replicas of a cluster. Times are in milliseconds.
 *
 * @param checkpointInterval K: a checkpoint every so many sequence numbers
 * @param window L: how many sequence numbers beyond the last stable checkpoint may be assigned; at least 2 K
 * @param pipelineDepth batches that a primary has in flight before it gathers requests instead of proposing at once
 * @param batchOperationsMax operations in one batch; a single larger request still goes alone
 * @param batchBytesMax bytes of requests in one batch; likewise
 * @param tickMillis the unit in which the core counts time
 * @param requestTimeoutMillis how long a replica that knows of an unexecuted request sees no execution at all before it
 *     suspects the primary
 * @param disconnectedTimeoutMillis the same while the connection to the primary is down
 * @param fairnessTimeoutMillis how long one request may wait while others are executed, before the primary is
 *     suspected of leaving it out
 * @param viewChangeTimeoutMillis how long a replica waits for a NEW-VIEW after a quorum has asked for it; doubles
 *     with each view that fails
 * @param viewChangeTimeoutMaxMillis where the doubling ends
 * @param statusIntervalMillis how often replicas tell each other where they stand
 * @param clockSkewMillis how far a proposed time may lie from a backup's clock
 * @param sessionWindow numbers that one client session may have outstanding
 * @param sessionsPerClient sessions of one client that are remembered
 * @param resultBytesMax bytes of results that clients have not acknowledged, of all clients together: half of them
 *     are dealt out among the registered clients, the other half is for those that need more, one of which gets half
 *     of it at most
 */
public record ProtocolParameters(
        int checkpointInterval,
        int window,
        int pipelineDepth,
        int batchOperationsMax,
        int batchBytesMax,
        int tickMillis,
        int requestTimeoutMillis,
        int disconnectedTimeoutMillis,
        int fairnessTimeoutMillis,
        int viewChangeTimeoutMillis,
        int viewChangeTimeoutMaxMillis,
        int statusIntervalMillis,
        int clockSkewMillis,
        int sessionWindow,
        int sessionsPerClient,
        int resultBytesMax) {

    public static final ProtocolParameters DEFAULT = new ProtocolParameters(
            128, 256, 8, 2_000, 1 << 20, 10, 1_000, 150, 4_000, 1_000, 60_000, 200, 10_000, 4_096, 16, 64 << 20);

    public ProtocolParameters {
        within("checkpointInterval", checkpointInterval, 1, Limits.WINDOW_MAX / 2);
        within("window", window, 2 * checkpointInterval, Limits.WINDOW_MAX);
        within("pipelineDepth", pipelineDepth, 1, window);
        within("batchOperationsMax", batchOperationsMax, 1, Limits.BATCH_REQUESTS_MAX);
        within("batchBytesMax", batchBytesMax, 1, Limits.BATCH_BYTES_MAX / 2);
        within("tickMillis", tickMillis, 1, 1_000);
        within("disconnectedTimeoutMillis", disconnectedTimeoutMillis, 2 * tickMillis, 600_000);
        within("requestTimeoutMillis", requestTimeoutMillis, disconnectedTimeoutMillis, 600_000);
        within("fairnessTimeoutMillis", fairnessTimeoutMillis, requestTimeoutMillis, 3_600_000);
        within("viewChangeTimeoutMillis", viewChangeTimeoutMillis, 2 * tickMillis, 600_000);
        within("viewChangeTimeoutMaxMillis", viewChangeTimeoutMaxMillis, viewChangeTimeoutMillis, 3_600_000);
        within("statusIntervalMillis", statusIntervalMillis, tickMillis, 60_000);
        within("clockSkewMillis", clockSkewMillis, tickMillis, 3_600_000);
        within("sessionWindow", sessionWindow, 1, Limits.SESSION_WINDOW_MAX);
        within("sessionsPerClient", sessionsPerClient, 1, Limits.SESSIONS_PER_CLIENT_MAX);
        within("resultBytesMax", resultBytesMax, Limits.KEPT_RESULT_BYTES_MIN, Limits.KEPT_RESULT_BYTES_MAX);
    }

    private static void within(String field, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    field + ": expected a number from " + min + " to " + max + ", found " + value);
        }
    }
}
