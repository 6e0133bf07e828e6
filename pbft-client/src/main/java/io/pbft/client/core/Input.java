package io.pbft.client.core;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Verified;

/** What happens to a client: the only things that its core ever learns. */
public sealed interface Input {
    /**
     * An operation to be ordered and executed.
     *
     * @param ticket names it in all that follows; greater than every ticket before
     * @param operation at most {@link io.pbft.protocol.Limits#OPERATION_BYTES_MAX} bytes
     */
    record Submit(long ticket, Bytes operation) implements Input {}

    /**
     * A query to be answered without being ordered, if that can be done.
     *
     * @param ticket names it in all that follows; greater than every ticket before
     * @param upToDate a linearizable answer; otherwise one that may be old
     */
    record Read(long ticket, Bytes operation, boolean upToDate) implements Input {}

    /**
     * Nobody waits for this any longer: its deadline passed, or it was cancelled. Answered with {@link Effect.Fail}.
     */
    record Abandon(long ticket) implements Input {}

    /** A message came from a replica. */
    record Received(Verified<?> message) implements Input {}

    /** The connection to a replica came up or went down. Until told otherwise the core takes it for up. */
    record Connection(int replica, boolean up) implements Input {}

    /** A tick of the clock. */
    record Tick() implements Input {}

    /**
     * A new session: the answer to {@link Effect.BeginSession}, or at any time while no operation is outstanding. A
     * driver does the latter after a pause: the replicas remember a limited number of sessions of a client, those in
     * use.
     *
     * @param epoch greater than that of the session before
     */
    record SessionBegan(long epoch) implements Input {}
}
