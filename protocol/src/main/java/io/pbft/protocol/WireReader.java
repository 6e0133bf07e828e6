package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.MalformedMessage.Reason;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads what {@link WireWriter} wrote, from bytes that anybody may have made up. Every count and length is held
 * against its limit and against the bytes that are left before anything is allocated for it, so that what a frame
 * makes the reader allocate is a small multiple of the frame's size. Throws {@link MalformedMessage} and nothing
 * else. NOT thread-safe.
 */
public final class WireReader {
    private static final VarHandle I64 = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle U32 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private final byte[] source;
    private final int end;
    private int position;

    public WireReader(byte[] source) {
        this(source, 0, source.length);
    }

    /** Reads {@code source} from {@code from} to before {@code to}; nobody writes to it meanwhile. */
    public WireReader(byte[] source, int from, int to) {
        if (from < 0 || from > to || to > source.length) {
            throw new IndexOutOfBoundsException(from + ".." + to + " of " + source.length);
        }
        this.source = source;
        this.position = from;
        this.end = to;
    }

    public int position() {
        return position;
    }

    public int remaining() {
        return end - position;
    }

    /** Any byte. */
    public byte raw(String field) {
        need(1, field);
        return source[position++];
    }

    /** A byte from 0 to {@code max}. */
    public int u8(String field, int max) {
        int value = raw(field) & 0xff;
        if (value > max) {
            throw malformed(Reason.OUT_OF_RANGE, field, "0 to " + max, value);
        }
        return value;
    }

    /** 0 or 1. */
    public boolean bool(String field) {
        byte value = raw(field);
        if (value != 0 && value != 1) {
            throw malformed(Reason.UNKNOWN_CODE, field, "0 or 1", value);
        }
        return value == 1;
    }

    /** A u32 from 0 to {@code max}. */
    public int u32(String field, int max) {
        int value = int32(field);
        if (value < 0 || value > max) {
            throw malformed(Reason.OUT_OF_RANGE, field, "0 to " + max, Integer.toUnsignedLong(value));
        }
        return value;
    }

    /** An i64 that is not negative. */
    public long i64(String field) {
        long value = anyI64(field);
        if (value < 0) {
            throw malformed(Reason.OUT_OF_RANGE, field, "at least 0", value);
        }
        return value;
    }

    /** Any i64. */
    public long anyI64(String field) {
        need(Long.BYTES, field);
        long value = (long) I64.get(source, position);
        position += Long.BYTES;
        return value;
    }

    /**
     * How many elements follow: at most {@code max}, and no more than could fit in what is left.
     *
     * @param elementBytesMin the size of the smallest element
     */
    public int count(String field, int max, int elementBytesMin) {
        int value = int32(field);
        if (value < 0 || value > max) {
            throw malformed(Reason.TOO_MANY, field, "at most " + max, Integer.toUnsignedLong(value));
        }
        if ((long) value * elementBytesMin > remaining()) {
            throw malformed(Reason.TRUNCATED, field, "at most " + remaining() + " more bytes for these", value);
        }
        return value;
    }

    public Digest digest(String field) {
        need(Digest.SIZE, field);
        Digest digest = Digest.copyOf(source, position, Digest.SIZE);
        position += Digest.SIZE;
        return digest;
    }

    public Signature signature(String field) {
        need(Signature.SIZE, field);
        Signature signature = Signature.copyOf(source, position, Signature.SIZE);
        position += Signature.SIZE;
        return signature;
    }

    /** A u32 length of at most {@code max}, and as many bytes. */
    public Bytes bytes(String field, int max) {
        int length = int32(field);
        if (length < 0 || length > max) {
            throw malformed(Reason.TOO_LONG, field, "at most " + max, Integer.toUnsignedLong(length));
        }
        need(length, field);
        Bytes bytes = Bytes.copyOf(source, position, position + length);
        position += length;
        return bytes;
    }

    /** That everything has been read. */
    public void end() {
        if (position != end) {
            throw new MalformedMessage(
                    Reason.TRAILING_BYTES, (end - position) + " bytes after the end at byte " + position);
        }
    }

    /** The complaint about {@code field}, which has just been read. */
    public MalformedMessage malformed(Reason reason, String field, String expected, Object found) {
        return new MalformedMessage(
                reason, field + " before byte " + position + ": expected " + expected + ", found " + found);
    }

    private int int32(String field) {
        need(Integer.BYTES, field);
        int value = (int) U32.get(source, position);
        position += Integer.BYTES;
        return value;
    }

    private void need(int bytes, String field) {
        if (remaining() < bytes) {
            throw new MalformedMessage(
                    Reason.TRUNCATED,
                    field + " at byte " + position + ": expected " + bytes + " bytes, found " + remaining());
        }
    }
}
