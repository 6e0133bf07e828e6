/**
 * The cryptography that the rest is built on: digests (SHA-256), signatures (Ed25519 behind
 * {@link io.pbft.crypto.SignatureScheme}), Merkle trees with inclusion paths (RFC 9162) and key files (RFC 8410).
 * Knows no messages: what is signed, and how messages are told apart, is decided above it.
 */
package io.pbft.crypto;
