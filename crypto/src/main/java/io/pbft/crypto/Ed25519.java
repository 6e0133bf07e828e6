package io.pbft.crypto;

import java.security.SecureRandom;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ed25519 (RFC 8032, pure, no context) through Bouncy Castle's lightweight API. Thread-safe.
 *
 * <p>Libraries do not agree on what a valid Ed25519 signature is (Chalkias, Garillot and Nikolaenko, "Taming the many
 * EdDSAs", SSR 2020). Replicas that disagree about one signature can be driven apart by one Byzantine signer, so the
 * cluster has one predicate, and this is it. A signature (R, S) over M is valid under the key A if and only if
 * <ol>
 *   <li>A is the canonical encoding of a point of the prime-order subgroup that is not the neutral element: not of
 *       small order, without a component of small order;
 *   <li>R is the canonical encoding of a point of the curve: its y is below 2^255 - 19. R may have a component of small
 *       order. The only encodings beyond RFC 8032's would be x = 0 with the sign bit set, which are rejected too;
 *   <li>S is below the order L of the subgroup, so that a signature cannot be turned into another one of the same
 *       message by adding L;
 *   <li>[8][S]B = [8]R + [8][k]A, with k = SHA-512(R, A, M): the <em>cofactored</em> equation of RFC 8032, section
 *   5.1.7.
 * </ol>
 * A signer that adds a point of order 8 to its R passes here and fails in libraries that check the equation without the
 * cofactor. Another library may therefore only ever be put in front of this one as a fast accept: when it says yes the
 * answer is yes, when it says no the equation above is evaluated. {@link #verify} is the place for it.
 *
 * <p>Decoded keys are kept, because decoding and validating one costs about as much as verifying a signature.
 */
public final class Ed25519 implements SignatureScheme {
    /** A private key (the seed of RFC 8032, section 5.1.5), in bytes. */
    public static final int PRIVATE_KEY_SIZE = 32;

    /** Decoded keys that are kept, about 250 bytes each; when there are more, the later ones are decoded each time. */
    static final int POINTS_KEPT_MAX = 1 << 17;

    private final ConcurrentHashMap<PublicKey, org.bouncycastle.math.ec.rfc8032.Ed25519.PublicPoint> points =
            new ConcurrentHashMap<>();

    /** A fresh private key. */
    public static Bytes newPrivateKey(SecureRandom random) {
        byte[] seed = new byte[PRIVATE_KEY_SIZE];
        org.bouncycastle.math.ec.rfc8032.Ed25519.generatePrivateKey(random, seed);
        return Bytes.wrap(seed);
    }

    /**
     * @throws IllegalArgumentException when {@code encoded} has not 32 bytes, or is not the canonical encoding of a
     *     point of the prime-order subgroup
     */
    @Override
    public PublicKey publicKey(Bytes encoded) {
        PublicKey key = new PublicKey(encoded);
        if (point(key) == null) {
            throw new IllegalArgumentException("not an Ed25519 public key that can be trusted: " + encoded.toHex()
                    + " is not the canonical encoding of a point of the prime-order subgroup");
        }
        return key;
    }

    /** @throws IllegalArgumentException when {@code privateKey} has not 32 bytes */
    @Override
    public Signer signer(Bytes privateKey) {
        if (privateKey.size() != PRIVATE_KEY_SIZE) {
            throw new IllegalArgumentException(
                    "an Ed25519 private key has " + PRIVATE_KEY_SIZE + " bytes, not " + privateKey.size());
        }
        return new SeedSigner(privateKey.toByteArray());
    }

    @Override
    public boolean verify(PublicKey key, byte[] payload, Signature signature) {
        var point = point(key);
        return point != null
                && org.bouncycastle.math.ec.rfc8032.Ed25519.verify(
                        signature.unsafe(), 0, point, payload, 0, payload.length);
    }

    /** The point of {@code key}, or null when it fails full validation; a bad key is never kept. */
    private org.bouncycastle.math.ec.rfc8032.Ed25519.PublicPoint point(PublicKey key) {
        var kept = points.get(key);
        if (kept != null) {
            return kept;
        }
        var decoded = org.bouncycastle.math.ec.rfc8032.Ed25519.validatePublicKeyFullExport(
                key.encoded().unsafe(), 0);
        if (decoded != null && points.size() < POINTS_KEPT_MAX) {
            points.put(key, decoded);
        }
        return decoded;
    }

    /**
     * Signs deterministically (RFC 8032, section 5.1.6). The public key that goes into the hash is derived here from
     * the seed and never taken from a caller: two signatures of one message under two claimed public keys would reveal
     * the private key.
     */
    private static final class SeedSigner implements Signer {
        private final byte[] seed;
        private final PublicKey publicKey;

        SeedSigner(byte[] seed) {
            this.seed = seed;
            byte[] encoded = new byte[PublicKey.SIZE];
            org.bouncycastle.math.ec.rfc8032.Ed25519.generatePublicKey(seed, 0, encoded, 0);
            this.publicKey = new PublicKey(Bytes.wrap(encoded));
        }

        @Override
        public PublicKey publicKey() {
            return publicKey;
        }

        @Override
        public Signature sign(byte[] payload) {
            byte[] signature = new byte[Signature.SIZE];
            org.bouncycastle.math.ec.rfc8032.Ed25519.sign(
                    seed, 0, publicKey.encoded().unsafe(), 0, payload, 0, payload.length, signature, 0);
            return Signature.copyOf(signature, 0, Signature.SIZE);
        }

        /** Names the public key; nothing prints the private one. */
        @Override
        public String toString() {
            return "signer of " + publicKey;
        }
    }
}
