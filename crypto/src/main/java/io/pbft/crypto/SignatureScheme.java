package io.pbft.crypto;

/**
 * A signature scheme: Ed25519 in every process that faces a network, a cheap stand-in where the simulator says so.
 * All replicas of a cluster must accept exactly the same signatures, so a scheme is one predicate, not a library's
 * opinion. Thread-safe.
 */
public interface SignatureScheme {
    /**
     * Checks and takes an encoded public key.
     *
     * @throws IllegalArgumentException when it is not a key that this scheme can trust, with the reason
     */
    PublicKey publicKey(Bytes encoded);

    /** The signer of a 32-byte private key (seed). */
    Signer signer(Bytes privateKey);

    /** Whether {@code signature} is {@code key}'s over {@code payload}; never throws on what a peer sent. */
    boolean verify(PublicKey key, byte[] payload, Signature signature);
}
