package io.pbft.replica;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;

/**
 * One operation of a client.
 *
 * @param client who asked: its place in the configuration, proven by its signature
 * @param seq the sequence number of the batch it is in; for a query, the last one executed
 * @param timeMillis the agreed time, milliseconds since 1970: never goes back, equal on all replicas
 * @param seed 32 bytes that nobody could foresee when the operation was sent and that are equal on all replicas
 */
public record Operation(Bytes payload, int client, long seq, long timeMillis, Digest seed) {}
