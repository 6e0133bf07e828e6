/**
 * The protocol of a client as a function of its inputs: bundling, retransmission, reply quorums, reads. No clock, thread,
 * socket, randomness or log; see {@link io.pbft.client.core.ClientCore}.
 */
package io.pbft.client.core;
