package io.pbft.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Pins the predicate that {@link Ed25519} documents, so that no other library and no newer version of this one can
 * change what the cluster accepts (trap 71: two Ed25519 libraries, two predicates).
 */
class Ed25519PredicateTest {
    private static final BigInteger P = BigInteger.TWO.pow(255).subtract(BigInteger.valueOf(19));
    private static final BigInteger L =
            BigInteger.TWO.pow(252).add(new BigInteger("27742317777372353535851937790883648493"));
    private static final BigInteger D = BigInteger.valueOf(-121665)
            .multiply(BigInteger.valueOf(121666).modInverse(P))
            .mod(P);
    private static final Point BASE = decode("5866666666666666666666666666666666666666666666666666666666666666");

    /** The points of small order in canonical encoding: orders 1, 2, 4, 4, 8, 8, 8, 8. */
    private static final List<String> TORSION = List.of(
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85");

    private final Ed25519 scheme = scheme();

    Ed25519 scheme() {
        return new Ed25519();
    }

    /** All of the set: keys of small or mixed order, S beyond L, non-canonical R and A. Not one gets through. */
    @Test
    void rejectsTheVectorsOfTamingTheManyEdDsas() {
        List<String[]> vectors = Vectors.read("ed25519-speccheck.txt");
        assertThat(vectors).hasSize(15);
        for (int i = 0; i < vectors.size(); i++) {
            String[] vector = vectors.get(i);
            PublicKey key = new PublicKey(Bytes.fromHex(vector[1]));
            assertThat(scheme.verify(key, Vectors.hex(vector[0]), Vectors.signature(Vectors.hex(vector[2]))))
                    .as("vector %d", i)
                    .isFalse();
        }
    }

    /**
     * What the library says of the same vectors when keys are not validated: a change here is a change of the library.
     * It refuses keys of small order (the first four), S beyond L, and non-canonical R and A; it takes keys with a
     * component of small order, by the cofactored equation.
     */
    @Test
    void theLibraryBelowJudgesTheSameVectorsAsItDid() {
        StringBuilder verdicts = new StringBuilder();
        for (String[] vector : Vectors.read("ed25519-speccheck.txt")) {
            byte[] message = Vectors.hex(vector[0]);
            boolean accepted = org.bouncycastle.math.ec.rfc8032.Ed25519.verify(
                    Vectors.hex(vector[2]), 0, Vectors.hex(vector[1]), 0, message, 0, message.length);
            verdicts.append(accepted ? 'V' : 'x');
        }
        assertThat(verdicts.toString()).isEqualTo("xxxxVVVVVxxxxxx");
    }

    /**
     * The equation is cofactored: R = rB + T passes for every T of small order, under a key that is beyond reproach.
     */
    @Test
    void acceptsAnRWithAComponentOfSmallOrder() {
        BigInteger a = new BigInteger("1234567890123456789012345678901234567890");
        BigInteger r = new BigInteger("9876543210987654321098765432109876543210");
        PublicKey key = scheme.publicKey(Bytes.wrap(encode(multiply(BASE, a))));
        byte[] message = {1, 2, 3};
        for (String torsion : TORSION) {
            byte[] bigR = encode(multiply(BASE, r).add(decode(torsion)));
            assertThat(scheme.verify(key, message, craft(bigR, r, a, key, message)))
                    .as("T = %s", torsion)
                    .isTrue();
        }
    }

    @Test
    void rejectsANonCanonicalREvenWhereTheEquationHolds() {
        BigInteger a = new BigInteger("1234567890123456789012345678901234567890");
        PublicKey key = scheme.publicKey(Bytes.wrap(encode(multiply(BASE, a))));
        byte[] message = {1, 2, 3};
        // With r = 0, R is a point of small order: in canonical encoding it passes, in any other it does not.
        byte[] neutral = Vectors.hex(TORSION.get(0));
        assertThat(scheme.verify(key, message, craft(neutral, BigInteger.ZERO, a, key, message)))
                .isTrue();
        for (String encoding : List.of(
                "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 1
                "0100000000000000000000000000000000000000000000000000000000000080", // x = 0, sign bit set
                "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p
                "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")) { // order 2, sign bit set
            byte[] bigR = Vectors.hex(encoding);
            assertThat(scheme.verify(key, message, craft(bigR, BigInteger.ZERO, a, key, message)))
                    .as(encoding)
                    .isFalse();
        }
    }

    @Test
    void rejectsAnSOfAtLeastTheOrderOfTheSubgroup() {
        Signer signer = scheme.signer(Digest.of(new byte[] {9}).toBytes());
        byte[] message = {4, 5, 6};
        byte[] signature = signer.sign(message).toByteArray();
        BigInteger s = littleEndian(Arrays.copyOfRange(signature, 32, 64)).add(L);
        System.arraycopy(littleEndian(s), 0, signature, 32, 32);
        assertThat(scheme.verify(signer.publicKey(), message, Vectors.signature(signature)))
                .isFalse();
    }

    @Test
    void refusesKeysWithAComponentOfSmallOrder() {
        Point honest = decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        for (String torsion : TORSION.subList(1, TORSION.size())) {
            PublicKey mixed = new PublicKey(Bytes.wrap(encode(honest.add(decode(torsion)))));
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> scheme.publicKey(mixed.encoded())))
                    .as("T = %s", torsion)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** (R, r + k a): what a signer who picks R freely can make. */
    private static Signature craft(byte[] bigR, BigInteger r, BigInteger a, PublicKey key, byte[] message) {
        MessageDigest sha = sha512();
        sha.update(bigR);
        sha.update(key.encoded().toByteArray());
        BigInteger k = littleEndian(sha.digest(message)).mod(L);
        byte[] signature = Arrays.copyOf(bigR, Signature.SIZE);
        System.arraycopy(littleEndian(k.multiply(a).add(r).mod(L)), 0, signature, 32, 32);
        return Vectors.signature(signature);
    }

    private static MessageDigest sha512() {
        try {
            return MessageDigest.getInstance("SHA-512");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A point of edwards25519 in affine coordinates: slow, and independent of the library under test. */
    private record Point(BigInteger x, BigInteger y) {
        /** RFC 8032, section 5.1: the addition law, complete on this curve. */
        Point add(Point other) {
            BigInteger dxy = D.multiply(x)
                    .multiply(other.x)
                    .multiply(y)
                    .multiply(other.y)
                    .mod(P);
            BigInteger newX = x.multiply(other.y).add(y.multiply(other.x));
            BigInteger newY = y.multiply(other.y).add(x.multiply(other.x));
            return new Point(
                    newX.multiply(BigInteger.ONE.add(dxy).modInverse(P)).mod(P),
                    newY.multiply(BigInteger.ONE.subtract(dxy).modInverse(P)).mod(P));
        }
    }

    private static Point multiply(Point point, BigInteger scalar) {
        Point sum = new Point(BigInteger.ZERO, BigInteger.ONE);
        for (int bit = scalar.bitLength() - 1; bit >= 0; bit--) {
            sum = sum.add(sum);
            sum = scalar.testBit(bit) ? sum.add(point) : sum;
        }
        return sum;
    }

    private static byte[] encode(Point point) {
        byte[] encoded = littleEndian(point.y);
        if (point.x.testBit(0)) {
            encoded[31] |= (byte) 0x80;
        }
        return encoded;
    }

    private static Point decode(String hex) {
        byte[] bytes = Vectors.hex(hex);
        boolean odd = (bytes[31] & 0x80) != 0;
        bytes[31] &= 0x7f;
        BigInteger y = littleEndian(bytes);
        BigInteger yy = y.multiply(y).mod(P);
        BigInteger xx = yy.subtract(BigInteger.ONE)
                .multiply(D.multiply(yy).add(BigInteger.ONE).modInverse(P))
                .mod(P);
        BigInteger x = xx.modPow(P.add(BigInteger.valueOf(3)).shiftRight(3), P);
        if (!x.multiply(x).mod(P).equals(xx)) {
            x = x.multiply(BigInteger.TWO.modPow(P.subtract(BigInteger.ONE).shiftRight(2), P))
                    .mod(P);
        }
        if (!x.multiply(x).mod(P).equals(xx)) {
            throw new IllegalArgumentException("no point of the curve: " + hex);
        }
        return new Point(x.testBit(0) == odd ? x : P.subtract(x).mod(P), y);
    }

    private static BigInteger littleEndian(byte[] bytes) {
        byte[] reversed = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            reversed[i] = bytes[bytes.length - 1 - i];
        }
        return new BigInteger(1, reversed);
    }

    private static byte[] littleEndian(BigInteger value) {
        byte[] bytes = new byte[32];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = value.shiftRight(Byte.SIZE * i).byteValue();
        }
        return bytes;
    }
}
