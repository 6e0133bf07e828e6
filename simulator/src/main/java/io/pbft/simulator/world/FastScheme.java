package io.pbft.simulator.world;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signature;
import io.pbft.crypto.SignatureScheme;
import io.pbft.crypto.Signer;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/**
 * Signatures that cost a hundredth of a microsecond a word instead of fifty microseconds. A signature is a keyed 128-bit hash of
 * the payload; the scheme itself keeps the keys and checks. That is no cryptography. Within the simulation it cannot be forged
 * all the same, because signing needs a {@link Signer}, nodes get no signer but their own, and whoever guesses 128 bits has
 * won more than a run.
 *
 * <p>One scheme belongs to one world. NOT thread-safe.
 */
public final class FastScheme implements SignatureScheme {
    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Looked up, never iterated over: its order does not matter. */
    private final Map<PublicKey, Secret> secrets = new HashMap<>();

    private record Secret(long first, long second) {}

    @Override
    public PublicKey publicKey(Bytes encoded) {
        PublicKey key = new PublicKey(encoded);
        if (!secrets.containsKey(key)) {
            throw new IllegalArgumentException("no signer of this world has the public key " + encoded);
        }
        return key;
    }

    @Override
    public Signer signer(Bytes privateKey) {
        if (privateKey.size() != PublicKey.SIZE) {
            throw new IllegalArgumentException(
                    "a private key has " + PublicKey.SIZE + " bytes, not " + privateKey.size());
        }
        byte[] seed = privateKey.toByteArray();
        Secret secret = new Secret(hash(seed, 0x5851f42d4c957f2dL), hash(seed, 0x14057b7ef767814fL));
        byte[] encoded = new byte[PublicKey.SIZE];
        for (int i = 0; i < encoded.length; i += Long.BYTES) {
            WORD.set(encoded, i, Mix.mix(secret.first, secret.second, 7, i));
        }
        PublicKey key = new PublicKey(Bytes.wrap(encoded));
        secrets.put(key, secret);
        return new FastSigner(key, secret);
    }

    @Override
    public boolean verify(PublicKey key, byte[] payload, Signature signature) {
        Secret secret = secrets.get(key);
        if (secret == null) {
            return false;
        }
        byte[] claimed = signature.toByteArray();
        return (long) WORD.get(claimed, 0) == hash(payload, secret.first)
                && (long) WORD.get(claimed, 8) == hash(payload, secret.second)
                && isRestZero(claimed);
    }

    private static boolean isRestZero(byte[] claimed) {
        long rest = 0;
        for (int i = 16; i < Signature.SIZE; i += Long.BYTES) {
            rest |= (long) WORD.get(claimed, i);
        }
        return rest == 0;
    }

    private static long hash(byte[] payload, long key) {
        long state = key ^ payload.length * 0x9e3779b97f4a7c15L;
        int at = 0;
        for (; at + Long.BYTES <= payload.length; at += Long.BYTES) {
            state = (state ^ (long) WORD.get(payload, at)) * 0xff51afd7ed558ccdL;
            state ^= state >>> 32;
        }
        long tail = 1;
        for (; at < payload.length; at++) {
            tail = tail << 8 | (payload[at] & 0xff);
        }
        return Mix.mix(state ^ tail, key);
    }

    private record FastSigner(PublicKey publicKey, Secret secret) implements Signer {
        @Override
        public Signature sign(byte[] payload) {
            byte[] bytes = new byte[Signature.SIZE];
            WORD.set(bytes, 0, hash(payload, secret.first));
            WORD.set(bytes, 8, hash(payload, secret.second));
            return Signature.copyOf(bytes, 0, bytes.length);
        }

        @Override
        public String toString() {
            return "FastSigner[" + publicKey + "]";
        }
    }
}
