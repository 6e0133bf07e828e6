package io.pbft.crypto;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Ed25519 of the {@link NativeLibrary}. It checks the equation without the cofactor and compares encodings, so it accepts a
 * part of what {@link Ed25519} accepts: its yes counts, its no does not. Its signatures are deterministic and so the
 * same. Nothing is registered with the platform: only {@link Ed25519} uses it. Thread-safe.
 */
final class NativeEd25519 {
    private static final String ALGORITHM = "Ed25519";

    /** What stands before the 32 bytes of a key in its DER encoding (RFC 8410, sections 4 and 7). */
    private static final Bytes PUBLIC_PREFIX = Bytes.fromHex("302a300506032b6570032100");

    private static final Bytes PRIVATE_PREFIX = Bytes.fromHex("302e020100300506032b657004220420");

    private final Provider provider;
    private final KeyFactory keys;
    private final ThreadLocal<java.security.Signature> engines;

    private NativeEd25519(Provider provider) throws NoSuchAlgorithmException {
        this.provider = provider;
        this.keys = KeyFactory.getInstance(ALGORITHM, provider);
        this.engines = ThreadLocal.withInitial(this::engine);
    }

    /** Empty where there is no library, or it has no Ed25519. */
    static Optional<NativeEd25519> find() {
        return NativeLibrary.find().flatMap(NativeEd25519::of);
    }

    private static Optional<NativeEd25519> of(Provider provider) {
        try {
            return Optional.of(new NativeEd25519(provider));
        } catch (NoSuchAlgorithmException | RuntimeException absent) {
            return Optional.empty();
        }
    }

    String name() {
        return provider.getName() + " " + provider.getVersionStr();
    }

    /** A validated key in the library's own form; null when the library will not have it. */
    java.security.@Nullable PublicKey translate(PublicKey key) {
        try {
            return keys.generatePublic(new X509EncodedKeySpec(der(PUBLIC_PREFIX, key.encoded())));
        } catch (GeneralSecurityException | RuntimeException e) {
            return null;
        }
    }

    /** Whether the library accepts the signature. When it does not, or fails, that means nothing. */
    boolean accepts(java.security.PublicKey key, byte[] payload, Signature signature) {
        try {
            java.security.Signature engine = engines.get();
            engine.initVerify(key);
            engine.update(payload);
            return engine.verify(signature.unsafe());
        } catch (GeneralSecurityException | RuntimeException e) {
            return false;
        }
    }

    /** Signs like {@code pure}, the signer of the same key: that the two agree is tried here, once. */
    Signer signer(Bytes privateKey, Signer pure) {
        try {
            PrivateKey key = keys.generatePrivate(new PKCS8EncodedKeySpec(der(PRIVATE_PREFIX, privateKey)));
            byte[] trial = pure.publicKey().encoded().toByteArray();
            Signer signer = new NativeSigner(key, pure);
            return signer.sign(trial).equals(pure.sign(trial)) ? signer : pure;
        } catch (GeneralSecurityException | RuntimeException e) {
            return pure;
        }
    }

    private static byte[] der(Bytes prefix, Bytes key) {
        byte[] encoded = Arrays.copyOf(prefix.toByteArray(), prefix.size() + key.size());
        System.arraycopy(key.unsafe(), 0, encoded, prefix.size(), key.size());
        return encoded;
    }

    private java.security.Signature engine() {
        try {
            return java.security.Signature.getInstance(ALGORITHM, provider);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(provider + " has no " + ALGORITHM, e);
        }
    }

    private final class NativeSigner implements Signer {
        private final PrivateKey key;
        private final Signer pure;

        NativeSigner(PrivateKey key, Signer pure) {
            this.key = key;
            this.pure = pure;
        }

        @Override
        public PublicKey publicKey() {
            return pure.publicKey();
        }

        @Override
        public Signature sign(byte[] payload) {
            try {
                java.security.Signature engine = engines.get();
                engine.initSign(key);
                engine.update(payload);
                byte[] signature = engine.sign();
                return Signature.copyOf(signature, 0, signature.length);
            } catch (GeneralSecurityException e) {
                return pure.sign(payload);
            }
        }

        @Override
        public String toString() {
            return pure.toString();
        }
    }
}
