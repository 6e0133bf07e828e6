package io.pbft.protocol.kv;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.MalformedMessage.Reason;
import io.pbft.protocol.WireReader;
import io.pbft.protocol.WireWriter;
import java.util.Optional;

/**
 * An operation of the key-value service. Keys are any 1 to {@link Limits#KEY_BYTES_MAX} bytes, values any 0 to
 * {@link #VALUE_BYTES_MAX}; whoever makes one with others gets an {@link IllegalArgumentException} that says which.
 *
 * <p>Encoded as a code byte and the fields in their order: keys and values as a u32 length and the bytes, numbers as
 * big-endian i64 and u32, what is optional after a flag of 0 or 1. The encoding is canonical.
 */
public sealed interface KvOperation {
    /** In bytes: with the longest key beside it, a value fits in one operation and in one entry of a scan's result. */
    int VALUE_BYTES_MAX = 248 << 10;

    /** Entries that one scan returns at most. */
    int SCAN_ENTRIES_MAX = 1_000;

    /** Sets {@code key} to {@code value}; answered by {@link KvResult.Done}. */
    record Put(Bytes key, Bytes value) implements KvOperation {
        public Put {
            checkKey(key);
            checkValue("value", value);
        }
    }

    /** Answered by {@link KvResult.Value}. Changes nothing: may be sent as a read. */
    record Get(Bytes key) implements KvOperation {
        public Get {
            checkKey(key);
        }
    }

    /** Answered by {@link KvResult.Deleted}. */
    record Delete(Bytes key) implements KvOperation {
        public Delete {
            checkKey(key);
        }
    }

    /**
     * Sets {@code key} to {@code value} if it now has the value {@code expected}; answered by {@link KvResult.Swapped}.
     *
     * @param expected empty: if there is no such key. Together with {@code value} it must fit in one operation
     */
    record CompareAndSet(Bytes key, Optional<Bytes> expected, Bytes value) implements KvOperation {
        public CompareAndSet {
            checkKey(key);
            expected.ifPresent(e -> checkValue("expected value", e));
            checkValue("value", value);
            int size = 1
                    + 3 * Integer.BYTES
                    + 1
                    + key.size()
                    + expected.map(Bytes::size).orElse(0)
                    + value.size();
            if (size > Limits.OPERATION_BYTES_MAX) {
                throw new IllegalArgumentException("compare-and-set of " + size
                        + " bytes: key and values together take at most " + Limits.OPERATION_BYTES_MAX);
            }
        }
    }

    /**
     * Adds {@code by} to the number at {@code key}, a missing key counting as 0; answered by
     * {@link KvResult.Incremented}. The number is kept as decimal digits in ASCII, so that get and put read and write
     * it too. Fails when the value is no such number or the sum leaves the range of an i64.
     */
    record Increment(Bytes key, long by) implements KvOperation {
        public Increment {
            checkKey(key);
        }
    }

    /**
     * The entries whose keys begin with {@code prefix}, ascending; answered by {@link KvResult.Entries}. Changes
     * nothing: may be sent as a read.
     *
     * @param after only keys above this one: the last key of the part before; empty: from the first on
     * @param limit 1 to {@link #SCAN_ENTRIES_MAX}
     */
    record Scan(Bytes prefix, Optional<Bytes> after, int limit) implements KvOperation {
        public Scan {
            if (prefix.size() > Limits.KEY_BYTES_MAX) {
                throw new IllegalArgumentException(
                        "prefix of " + prefix.size() + " bytes: expected at most " + Limits.KEY_BYTES_MAX);
            }
            after.ifPresent(KvOperation::checkKey);
            if (limit < 1 || limit > SCAN_ENTRIES_MAX) {
                throw new IllegalArgumentException("limit: expected 1 to " + SCAN_ENTRIES_MAX + ", found " + limit);
            }
        }
    }

    /** Whether it leaves the state as it is, so that it may be sent as a read. */
    default boolean isRead() {
        return this instanceof Get || this instanceof Scan;
    }

    default Bytes encode() {
        WireWriter out = new WireWriter();
        if (this instanceof Put put) {
            out.u8(1);
            out.bytes(put.key());
            out.bytes(put.value());
        } else if (this instanceof Get get) {
            out.u8(2);
            out.bytes(get.key());
        } else if (this instanceof Delete delete) {
            out.u8(3);
            out.bytes(delete.key());
        } else if (this instanceof CompareAndSet cas) {
            out.u8(4);
            out.bytes(cas.key());
            KvWire.putOptional(out, cas.expected());
            out.bytes(cas.value());
        } else if (this instanceof Increment increment) {
            out.u8(5);
            out.bytes(increment.key());
            out.i64(increment.by());
        } else if (this instanceof Scan scan) {
            out.u8(6);
            out.bytes(scan.prefix());
            KvWire.putOptional(out, scan.after());
            out.u32(scan.limit());
        }
        return out.toBytes();
    }

    /** @throws MalformedMessage when {@code encoding} is not the encoding of an operation */
    static KvOperation decode(Bytes encoding) {
        WireReader in = new WireReader(encoding.toByteArray());
        KvOperation operation = KvWire.valid(() -> decode(in));
        in.end();
        return operation;
    }

    private static KvOperation decode(WireReader in) {
        int code = in.u8("code", 255);
        return switch (code) {
            case 1 -> new Put(key(in), value(in));
            case 2 -> new Get(key(in));
            case 3 -> new Delete(key(in));
            case 4 -> new CompareAndSet(key(in), KvWire.optional(in, "expected", VALUE_BYTES_MAX), value(in));
            case 5 -> new Increment(key(in), in.anyI64("by"));
            case 6 ->
                new Scan(
                        in.bytes("prefix", Limits.KEY_BYTES_MAX),
                        KvWire.optional(in, "after", Limits.KEY_BYTES_MAX),
                        in.u32("limit", SCAN_ENTRIES_MAX));
            default -> throw in.malformed(Reason.UNKNOWN_CODE, "code", "the code of a key-value operation", code);
        };
    }

    private static Bytes key(WireReader in) {
        return in.bytes("key", Limits.KEY_BYTES_MAX);
    }

    private static Bytes value(WireReader in) {
        return in.bytes("value", VALUE_BYTES_MAX);
    }

    private static void checkKey(Bytes key) {
        if (key.isEmpty() || key.size() > Limits.KEY_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "key of " + key.size() + " bytes: expected 1 to " + Limits.KEY_BYTES_MAX);
        }
    }

    private static void checkValue(String what, Bytes value) {
        if (value.size() > VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    what + " of " + value.size() + " bytes: expected at most " + VALUE_BYTES_MAX);
        }
    }
}
