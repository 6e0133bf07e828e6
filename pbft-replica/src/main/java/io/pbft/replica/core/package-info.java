/**
 * The protocol of one replica, as a function of its inputs: no clock, thread, socket, disk, lock, logger or randomness.
 * {@link io.pbft.replica.core.Replica} takes an {@link io.pbft.replica.core.Input} and answers with
 * {@link io.pbft.replica.core.Effect}s; a driver carries them out, in a server or in a simulation.
 */
@NullMarked
package io.pbft.replica.core;

import org.jspecify.annotations.NullMarked;
