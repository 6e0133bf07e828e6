package io.pbft.crypto;

import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.math.ec.rfc8032.Ed25519.PublicPoint;
import org.jspecify.annotations.Nullable;

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
 * answer is yes, when it says no the equation above is evaluated. {@link #accelerated} makes a scheme that does this with a
 * native library, where there is one: it accepts what this one accepts, and costs less than half.
 *
 * <p>Decoded keys are kept, because decoding and validating one costs about as much as verifying a signature.
 */
public final class Ed25519 implements SignatureScheme {
    /** The system property that says {@code off} where no native library is wanted. */
    public static final String ACCELERATOR = "pbft.accelerator";

    /** A private key (the seed of RFC 8032, section 5.1.5), in bytes. */
    public static final int PRIVATE_KEY_SIZE = 32;

    /** Decoded keys that are kept, about 250 bytes each; when there are more, the later ones are decoded each time. */
    static final int POINTS_KEPT_MAX = 1 << 17;

    /** A public key, decoded and validated; for the native library, too, when there is one. */
    private record Known(PublicPoint point, java.security.@Nullable PublicKey translated) {}

    private final ConcurrentHashMap<PublicKey, Known> known = new ConcurrentHashMap<>();
    private final @Nullable NativeEd25519 accelerator;

    /** In pure Java. */
    public Ed25519() {
        this(null);
    }

    private Ed25519(@Nullable NativeEd25519 accelerator) {
        this.accelerator = accelerator;
    }

    /**
     * With the Amazon Corretto Crypto Provider in front of it, when that is on the class path and works here; otherwise as
     * {@link #Ed25519()}. The same predicate and the same signatures. Loading the library takes some tenths of a second once: for
     * processes that live long. The system property {@value #ACCELERATOR} with the value {@code off} leaves it out.
     */
    public static Ed25519 accelerated() {
        return new Ed25519(NativeEd25519.find().orElse(null));
    }

    /** The native library that is asked first, by name and version; empty in pure Java. */
    public Optional<String> accelerator() {
        return Optional.ofNullable(accelerator).map(NativeEd25519::name);
    }

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
        if (known(key) == null) {
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
        Signer signer = new SeedSigner(privateKey.toByteArray());
        return accelerator == null ? signer : accelerator.signer(privateKey, signer);
    }

    @Override
    public boolean verify(PublicKey key, byte[] payload, Signature signature) {
        Known signatory = known(key);
        if (signatory == null) {
            return false;
        }
        java.security.PublicKey translated = signatory.translated();
        if (accelerator != null && translated != null && accelerator.accepts(translated, payload, signature)) {
            return true;
        }
        return org.bouncycastle.math.ec.rfc8032.Ed25519.verify(
                signature.unsafe(), 0, signatory.point(), payload, 0, payload.length);
    }

    /** {@code key} decoded, or null when it fails full validation; a bad key is never kept. */
    private @Nullable Known known(PublicKey key) {
        Known kept = known.get(key);
        if (kept != null) {
            return kept;
        }
        PublicPoint point = org.bouncycastle.math.ec.rfc8032.Ed25519.validatePublicKeyFullExport(
                key.encoded().unsafe(), 0);
        if (point == null) {
            return null;
        }
        Known decoded = new Known(point, accelerator == null ? null : accelerator.translate(key));
        if (known.size() < POINTS_KEPT_MAX) {
            known.put(key, decoded);
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
