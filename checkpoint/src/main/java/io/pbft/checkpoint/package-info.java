/**
 * What a replica keeps: the journal of its promises, the replicated state with the Merkle tree over it, checkpoints, and
 * the transfer of state from one replica to another.
 *
 * <p>{@link io.pbft.checkpoint.Journal} and {@link io.pbft.checkpoint.StateStore} are the contracts; each has an
 * implementation on LMDB for servers and one in memory for simulations. {@code docs/state.md} describes the tree byte by
 * byte.
 */
package io.pbft.checkpoint;
