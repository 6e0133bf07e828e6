package io.pbft.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Ed25519Test {
    private final Ed25519 scheme = scheme();

    Ed25519 scheme() {
        return new Ed25519();
    }

    @Test
    void signsAndVerifiesTheVectorsOfRfc8032() {
        List<String[]> vectors = Vectors.read("rfc8032-7.1.txt");
        assertThat(vectors).hasSize(5);
        for (String[] vector : vectors) {
            Signer signer = scheme.signer(Bytes.fromHex(vector[0]));
            byte[] message = vector[2].equals("-") ? new byte[0] : Vectors.hex(vector[2]);
            assertThat(signer.publicKey().encoded().toHex()).isEqualTo(vector[1]);
            assertThat(scheme.publicKey(Bytes.fromHex(vector[1]))).isEqualTo(signer.publicKey());
            Signature signature = signer.sign(message);
            assertThat(signature.toHex()).isEqualTo(vector[3]);
            assertThat(scheme.verify(signer.publicKey(), message, signature)).isTrue();
        }
    }

    @Test
    void rejectsEverySignatureWithOneBitFlipped() {
        Signer signer = scheme.signer(Ed25519.newPrivateKey(new SecureRandom()));
        byte[] message = Bytes.utf8("commit 7 in view 2").toByteArray();
        byte[] signature = signer.sign(message).toByteArray();
        for (int bit = 0; bit < Byte.SIZE * Signature.SIZE; bit++) {
            byte[] flipped = flip(signature, bit);
            assertThat(scheme.verify(signer.publicKey(), message, Vectors.signature(flipped)))
                    .as("bit %d of the signature", bit)
                    .isFalse();
        }
    }

    @Test
    void rejectsEveryMessageAndEveryKeyWithOneBitFlipped() {
        Signer signer = scheme.signer(Ed25519.newPrivateKey(new SecureRandom()));
        byte[] message = Bytes.utf8("commit 7 in view 2").toByteArray();
        Signature signature = signer.sign(message);
        for (int bit = 0; bit < Byte.SIZE * message.length; bit++) {
            assertThat(scheme.verify(signer.publicKey(), flip(message, bit), signature))
                    .as("bit %d of the message", bit)
                    .isFalse();
        }
        byte[] key = signer.publicKey().encoded().toByteArray();
        for (int bit = 0; bit < Byte.SIZE * PublicKey.SIZE; bit++) {
            PublicKey other = new PublicKey(Bytes.wrap(flip(key, bit)));
            assertThat(scheme.verify(other, message, signature))
                    .as("bit %d of the key", bit)
                    .isFalse();
        }
    }

    @Test
    void rejectsWhatIsShorterOrLongerThanTheMessage() {
        Signer signer = scheme.signer(Ed25519.newPrivateKey(new SecureRandom()));
        Signature signature = signer.sign(new byte[] {1, 2, 3});
        assertThat(scheme.verify(signer.publicKey(), new byte[] {1, 2}, signature))
                .isFalse();
        assertThat(scheme.verify(signer.publicKey(), new byte[] {1, 2, 3, 0}, signature))
                .isFalse();
        assertThat(scheme.verify(signer.publicKey(), new byte[0], signature)).isFalse();
    }

    @Test
    void neverThrowsOnRandomSignatures() {
        Random random = new Random(8032);
        Signer signer = scheme.signer(Ed25519.newPrivateKey(new SecureRandom()));
        for (int i = 0; i < 200; i++) {
            byte[] signature = new byte[Signature.SIZE];
            random.nextBytes(signature);
            assertThat(scheme.verify(signer.publicKey(), signature, Vectors.signature(signature)))
                    .isFalse();
        }
    }

    @Test
    void freshKeysDifferAndSign() {
        SecureRandom random = new SecureRandom();
        Bytes one = Ed25519.newPrivateKey(random);
        Bytes two = Ed25519.newPrivateKey(random);
        assertThat(one).isNotEqualTo(two);
        Signature signature = scheme.signer(one).sign(new byte[] {7});
        assertThat(scheme.verify(scheme.signer(one).publicKey(), new byte[] {7}, signature))
                .isTrue();
        assertThat(scheme.verify(scheme.signer(two).publicKey(), new byte[] {7}, signature))
                .isFalse();
    }

    @Test
    void refusesPublicKeysOfSmallOrderNonCanonicalOnesAndThoseOffTheCurve() {
        List<String> bad = new ArrayList<>();
        // The neutral element, the point of order 2, points of order 4 and 8, y = p and y = p + 1, and y = 2^255 - 1.
        bad.add("0100000000000000000000000000000000000000000000000000000000000000");
        bad.add("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        bad.add("0000000000000000000000000000000000000000000000000000000000000000");
        bad.add("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
        bad.add("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
        bad.add("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        bad.add("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        bad.add("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
        // y = 2 is on no point of the curve.
        bad.add("0200000000000000000000000000000000000000000000000000000000000000");
        for (String hex : bad) {
            assertThatThrownBy(() -> scheme.publicKey(Bytes.fromHex(hex)))
                    .as(hex)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(hex);
        }
        assertThatThrownBy(() -> scheme.publicKey(Bytes.fromHex("00"))).hasMessageContaining("32 bytes");
    }

    @Test
    void refusesPrivateKeysOfAnotherSize() {
        assertThatThrownBy(() -> scheme.signer(Bytes.fromHex("00")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("32 bytes, not 1");
    }

    @Test
    void aSignerPrintsItsPublicKeyOnly() {
        Bytes seed = Ed25519.newPrivateKey(new SecureRandom());
        Signer signer = scheme.signer(seed);
        assertThat(signer.toString()).contains(signer.publicKey().toString()).doesNotContain(seed.toHex());
    }

    private static byte[] flip(byte[] source, int bit) {
        byte[] flipped = source.clone();
        flipped[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
        return flipped;
    }
}
