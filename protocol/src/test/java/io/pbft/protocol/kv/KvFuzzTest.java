package io.pbft.protocol.kv;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.MalformedMessage;
import java.util.function.Consumer;

/** Coverage-guided fuzzing of the decoders of the key-value service. */
class KvFuzzTest {
    @FuzzTest(maxDuration = "3s")
    void decode(byte[] encoding) {
        Bytes bytes = Bytes.copyOf(encoding);
        canonical(bytes, b -> {
            if (!KvOperation.decode(b).encode().equals(b)) {
                throw new AssertionError("a second encoding of an operation");
            }
        });
        canonical(bytes, b -> {
            if (!KvResult.decode(b).encode().equals(b)) {
                throw new AssertionError("a second encoding of a result");
            }
        });
    }

    private static void canonical(Bytes bytes, Consumer<Bytes> decoder) {
        try {
            decoder.accept(bytes);
        } catch (MalformedMessage e) {
            if (e.reason() == null) {
                throw new AssertionError("without a reason", e);
            }
        }
    }
}
