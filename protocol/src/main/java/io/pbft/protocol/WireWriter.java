package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Writes fixed-width big-endian fields into an array that grows. NOT thread-safe.
 *
 * <p>{@link #scratch} lends each thread one writer that keeps its array: an encoding then costs one copy of its size
 * and no garbage besides the result. Its user must finish with it before anything else on that thread asks for it.
 */
public final class WireWriter {
    private static final VarHandle I64 = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle U32 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final int INITIAL_BYTES = 512;

    /** A scratch array that has grown beyond this is dropped after use. */
    private static final int SCRATCH_BYTES_MAX = 2 << 20;

    private static final ThreadLocal<WireWriter> SCRATCH = ThreadLocal.withInitial(WireWriter::new);

    private byte[] buffer = new byte[INITIAL_BYTES];
    private int size;

    /** This thread's writer, empty. */
    static WireWriter scratch() {
        WireWriter writer = SCRATCH.get();
        writer.size = 0;
        if (writer.buffer.length > SCRATCH_BYTES_MAX) {
            writer.buffer = new byte[INITIAL_BYTES];
        }
        return writer;
    }

    public int size() {
        return size;
    }

    public byte[] toByteArray() {
        return Arrays.copyOf(buffer, size);
    }

    public Bytes toBytes() {
        return Bytes.copyOf(buffer, 0, size);
    }

    /** The SHA-256 of what has been written. */
    public Digest digest() {
        return Digest.of(buffer, 0, size);
    }

    /** @throws IllegalArgumentException when {@code value} is not from 0 to 255 */
    public void u8(int value) {
        if (value < 0 || value > 0xff) {
            throw new IllegalArgumentException("not a byte: " + value);
        }
        room(1);
        buffer[size++] = (byte) value;
    }

    public void raw(byte value) {
        room(1);
        buffer[size++] = value;
    }

    public void bool(boolean value) {
        raw((byte) (value ? 1 : 0));
    }

    /** @throws IllegalArgumentException when {@code value} is negative */
    public void u32(int value) {
        if (value < 0) {
            throw new IllegalArgumentException("negative: " + value);
        }
        room(Integer.BYTES);
        U32.set(buffer, size, value);
        size += Integer.BYTES;
    }

    public void i64(long value) {
        room(Long.BYTES);
        I64.set(buffer, size, value);
        size += Long.BYTES;
    }

    public void digest(Digest digest) {
        room(Digest.SIZE);
        digest.copyTo(buffer, size);
        size += Digest.SIZE;
    }

    public void signature(Signature signature) {
        room(Signature.SIZE);
        signature.copyTo(buffer, size);
        size += Signature.SIZE;
    }

    /** The length of {@code content} as a u32, then {@code content}. */
    public void bytes(Bytes content) {
        u32(content.size());
        room(content.size());
        content.copyTo(buffer, size);
        size += content.size();
    }

    private void room(int bytes) {
        int needed = Math.addExact(size, bytes);
        if (needed > buffer.length) {
            long doubled = Math.min(2L * buffer.length, Integer.MAX_VALUE - 16);
            buffer = Arrays.copyOf(buffer, (int) Math.max(doubled, needed));
        }
    }
}
