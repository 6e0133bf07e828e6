package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signature;
import io.pbft.crypto.SignatureScheme;
import io.pbft.crypto.Signer;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A stand-in for tests, thousands of times cheaper than Ed25519: a "signature" is two hashes over the public key and
 * the payload. Any change of key, payload or signature makes it invalid; it is forged by whoever wants to, and tests do
 * not. Counts what it checks.
 */
public final class CheapScheme implements SignatureScheme {
    private final AtomicLong verifications = new AtomicLong();

    @Override
    public PublicKey publicKey(Bytes encoded) {
        if (encoded.size() == PublicKey.SIZE && encoded.equals(Digest.ZERO.toBytes())) {
            throw new IllegalArgumentException("the key of zeros");
        }
        return new PublicKey(encoded);
    }

    @Override
    public Signer signer(Bytes privateKey) {
        PublicKey key = new PublicKey(Digest.of(privateKey).toBytes());
        return new Signer() {
            @Override
            public PublicKey publicKey() {
                return key;
            }

            @Override
            public Signature sign(byte[] payload) {
                return signature(key, payload);
            }
        };
    }

    @Override
    public boolean verify(PublicKey key, byte[] payload, Signature signature) {
        verifications.incrementAndGet();
        return signature(key, payload).equals(signature);
    }

    /** How often {@link #verify} was called. */
    public long verifications() {
        return verifications.get();
    }

    private static Signature signature(PublicKey key, byte[] payload) {
        Bytes keyed = key.encoded().concat(Bytes.copyOf(payload));
        byte[] signature = new byte[Signature.SIZE];
        Digest left = Digest.of(keyed);
        left.copyTo(signature, 0);
        Digest.of(left.toBytes()).copyTo(signature, Digest.SIZE);
        return Signature.copyOf(signature, 0, signature.length);
    }
}
