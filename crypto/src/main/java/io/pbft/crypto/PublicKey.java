package io.pbft.crypto;

/**
 * A public key in its 32-byte encoding. Made through {@link SignatureScheme#publicKey}, which checks it, so that a
 * key of small order or off the curve is never held by one of these.
 */
public record PublicKey(Bytes encoded) {
    /** In bytes. */
    public static final int SIZE = 32;

    public PublicKey {
        if (encoded.size() != SIZE) {
            throw new IllegalArgumentException("a public key has " + SIZE + " bytes, not " + encoded.size());
        }
    }

    @Override
    public String toString() {
        return encoded.toHex();
    }
}
