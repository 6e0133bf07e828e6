package io.pbft.client.core;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Outcome;

/**
 * The answer to a read that was not ordered.
 *
 * @param outcome {@link Outcome#EXECUTED} or {@link Outcome#FAILED}
 * @param seq at least one correct replica gave this answer from its state after this sequence number or a later one
 * @param timeMillis likewise, the agreed time of that state
 */
public record ReadAnswer(Outcome outcome, Bytes result, long seq, long timeMillis) {}
