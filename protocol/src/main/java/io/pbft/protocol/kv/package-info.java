/**
 * The operations and results of the built-in key-value service, and their encodings: what its client puts into an
 * operation's bytes and its state machine takes out of them.
 */
package io.pbft.protocol.kv;
