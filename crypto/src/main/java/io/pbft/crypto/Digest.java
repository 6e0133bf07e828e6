package io.pbft.crypto;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** A SHA-256 digest (FIPS 180-4): 32 bytes, immutable, ordered as unsigned bytes. Thread-safe. */
public final class Digest implements Comparable<Digest> {
    /** In bytes. */
    public static final int SIZE = 32;

    public static final Digest ZERO = new Digest(new byte[SIZE]);

    private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(() -> {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    });

    private final byte[] bytes;

    private Digest(byte[] bytes) {
        this.bytes = bytes;
    }

    /** The digest of {@code content}. */
    public static Digest of(byte[] content) {
        return new Digest(SHA_256.get().digest(content));
    }

    /** The digest of {@code length} bytes of {@code content} from {@code offset} on. */
    public static Digest of(byte[] content, int offset, int length) {
        MessageDigest sha = SHA_256.get();
        sha.update(content, offset, length);
        return new Digest(sha.digest());
    }

    public static Digest of(Bytes content) {
        return of(content.unsafe());
    }

    /** The digest of a tag byte and then {@code content}: how a leaf is told apart from an inner node. */
    public static Digest ofTagged(byte tag, byte[] content) {
        MessageDigest sha = SHA_256.get();
        sha.update(tag);
        sha.update(content);
        return new Digest(sha.digest());
    }

    public static Digest ofTagged(byte tag, Bytes content) {
        return ofTagged(tag, content.unsafe());
    }

    /** The digest of a tag byte and then {@code left} and {@code right}: how the trees of this project hash. */
    public static Digest ofNode(byte tag, Digest left, Digest right) {
        MessageDigest sha = SHA_256.get();
        sha.update(tag);
        sha.update(left.bytes);
        sha.update(right.bytes);
        return new Digest(sha.digest());
    }

    /**
     * Takes 32 bytes that are a digest.
     *
     * @throws IllegalArgumentException when they are not 32
     */
    public static Digest copyOf(byte[] source, int offset, int length) {
        if (length != SIZE) {
            throw new IllegalArgumentException("a digest has " + SIZE + " bytes, not " + length);
        }
        return new Digest(Arrays.copyOfRange(source, offset, offset + length));
    }

    public static Digest fromHex(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        return copyOf(bytes, 0, bytes.length);
    }

    public Bytes toBytes() {
        return Bytes.wrap(bytes);
    }

    public void copyTo(byte[] target, int offset) {
        System.arraycopy(bytes, 0, target, offset, SIZE);
    }

    /** The first eight bytes as a number: a cheap, well-spread key for tables and seeds. */
    public long prefix() {
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value = value << 8 | (bytes[i] & 0xff);
        }
        return value;
    }

    public String toHex() {
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public int compareTo(Digest other) {
        return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Digest that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return (int) prefix();
    }

    /** The first eight hexadecimal digits: what a log line shows. */
    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes, 0, 4);
    }
}
