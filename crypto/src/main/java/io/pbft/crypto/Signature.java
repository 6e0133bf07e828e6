package io.pbft.crypto;

import java.util.Arrays;
import java.util.HexFormat;

/** A signature: 64 bytes, whatever the scheme. Immutable; says nothing of whether it is valid. */
public final class Signature {
    /** In bytes. */
    public static final int SIZE = 64;

    private final byte[] bytes;

    private Signature(byte[] bytes) {
        this.bytes = bytes;
    }

    /** @throws IllegalArgumentException when {@code length} is not {@link #SIZE} */
    public static Signature copyOf(byte[] source, int offset, int length) {
        if (length != SIZE) {
            throw new IllegalArgumentException("a signature has " + SIZE + " bytes, not " + length);
        }
        return new Signature(Arrays.copyOfRange(source, offset, offset + length));
    }

    public void copyTo(byte[] target, int offset) {
        System.arraycopy(bytes, 0, target, offset, SIZE);
    }

    public byte[] toByteArray() {
        return bytes.clone();
    }

    /** The bytes themselves, for the neighbours in this package that only read them. */
    byte[] unsafe() {
        return bytes;
    }

    public String toHex() {
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Signature that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes, 0, 4);
    }
}
