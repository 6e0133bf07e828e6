package io.pbft.client;

import io.pbft.crypto.Bytes;
import java.util.Optional;

/**
 * What an operation or a read returned, as f + 1 replicas at least say.
 *
 * @param seq the sequence number at which the operation was executed; for a read that was not ordered: it is answered from the
 *     state after this sequence number or a later one
 * @param timeMillis the agreed time of it, in milliseconds since 1970
 * @param receipt the proof, for whatever was ordered
 */
public record Reply(Bytes result, long seq, long timeMillis, Optional<Receipt> receipt) {}
