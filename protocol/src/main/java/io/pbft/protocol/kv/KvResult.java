package io.pbft.protocol.kv;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.MalformedMessage.Reason;
import io.pbft.protocol.WireReader;
import io.pbft.protocol.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The result of a {@link KvOperation} that was executed; one that failed has a text for its result instead. Encoded
 * like the operations: a code byte, then the fields. Canonical.
 */
public sealed interface KvResult {
    /** The put was done. */
    record Done() implements KvResult {}

    /** The value of a get, or empty where there is none. */
    record Value(Optional<Bytes> value) implements KvResult {}

    /** Whether there was something to delete. */
    record Deleted(boolean existed) implements KvResult {}

    /** Whether a compare-and-set found what it expected, and so was done. */
    record Swapped(boolean done) implements KvResult {}

    /** The number after an increment. */
    record Incremented(long value) implements KvResult {}

    /**
     * What a scan found, ascending.
     *
     * @param more whether the scan stopped at its limit, or because a result's bytes were used up, with more entries
     *     to come
     */
    record Entries(List<Entry> entries, boolean more) implements KvResult {
        /** What an encoding takes besides its entries. */
        public static final int HEADER_BYTES = 1 + 1 + Integer.BYTES;

        public Entries {
            entries = List.copyOf(entries);
        }
    }

    /** A key and its value. */
    record Entry(Bytes key, Bytes value) {
        /** The bytes that this entry takes in an encoding, of {@link Limits#RESULT_BYTES_MAX} for the whole. */
        public int encodedBytes() {
            return 2 * Integer.BYTES + key.size() + value.size();
        }
    }

    default Bytes encode() {
        WireWriter out = new WireWriter();
        if (this instanceof Done) {
            out.u8(1);
        } else if (this instanceof Value value) {
            out.u8(2);
            KvWire.putOptional(out, value.value());
        } else if (this instanceof Deleted deleted) {
            out.u8(3);
            out.bool(deleted.existed());
        } else if (this instanceof Swapped swapped) {
            out.u8(4);
            out.bool(swapped.done());
        } else if (this instanceof Incremented number) {
            out.u8(5);
            out.i64(number.value());
        } else if (this instanceof Entries entries) {
            out.u8(6);
            out.bool(entries.more());
            out.u32(entries.entries().size());
            for (Entry entry : entries.entries()) {
                out.bytes(entry.key());
                out.bytes(entry.value());
            }
        }
        return out.toBytes();
    }

    /** @throws MalformedMessage when {@code encoding} is not the encoding of a result */
    static KvResult decode(Bytes encoding) {
        WireReader in = new WireReader(encoding.toByteArray());
        KvResult result = decode(in);
        in.end();
        return result;
    }

    private static KvResult decode(WireReader in) {
        int code = in.u8("code", 255);
        return switch (code) {
            case 1 -> new Done();
            case 2 -> new Value(KvWire.optional(in, "value", KvOperation.VALUE_BYTES_MAX));
            case 3 -> new Deleted(in.bool("existed"));
            case 4 -> new Swapped(in.bool("done"));
            case 5 -> new Incremented(in.anyI64("value"));
            case 6 -> entries(in);
            default -> throw in.malformed(Reason.UNKNOWN_CODE, "code", "the code of a key-value result", code);
        };
    }

    private static Entries entries(WireReader in) {
        boolean more = in.bool("more");
        int count = in.count("entries", KvOperation.SCAN_ENTRIES_MAX, 2 * Integer.BYTES);
        List<Entry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(
                    new Entry(in.bytes("key", Limits.KEY_BYTES_MAX), in.bytes("value", KvOperation.VALUE_BYTES_MAX)));
        }
        return new Entries(entries, more);
    }
}
