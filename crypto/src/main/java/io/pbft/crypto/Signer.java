package io.pbft.crypto;

/**
 * The power to sign with one key. Whoever holds a signer can speak for that key and for no other: a Byzantine node of
 * the simulator gets its own and cannot reach another's. Thread-safe.
 */
public interface Signer {
    PublicKey publicKey();

    /** Signs {@code payload}, any number of bytes. */
    Signature sign(byte[] payload);
}
