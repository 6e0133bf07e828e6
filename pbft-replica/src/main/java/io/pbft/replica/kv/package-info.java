/** The built-in key-value service: a state machine over {@link io.pbft.protocol.kv.KvOperation}. */
package io.pbft.replica.kv;
