package io.pbft.simulator.world;

/**
 * How much was sent of a type of message.
 *
 * @param messages one for each receiver
 * @param bytes of their encoding, without what the transport adds; 0 where nothing was encoded
 */
public record Traffic(long messages, long bytes) {}
