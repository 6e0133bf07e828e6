package io.pbft.protocol.kv;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.MalformedMessage.Reason;
import io.pbft.protocol.WireReader;
import io.pbft.protocol.WireWriter;
import java.util.Optional;
import java.util.function.Supplier;

/** What operations and results encode alike. */
final class KvWire {
    private KvWire() {}

    static void putOptional(WireWriter out, Optional<Bytes> value) {
        out.bool(value.isPresent());
        value.ifPresent(out::bytes);
    }

    static Optional<Bytes> optional(WireReader in, String field, int max) {
        return in.bool(field + " present") ? Optional.of(in.bytes(field, max)) : Optional.empty();
    }

    /** Turns what a record refuses at its construction into a {@link MalformedMessage} with the same text. */
    static <T> T valid(Supplier<T> decoding) {
        try {
            return decoding.get();
        } catch (IllegalArgumentException e) {
            throw new MalformedMessage(Reason.OUT_OF_RANGE, String.valueOf(e.getMessage()));
        }
    }
}
