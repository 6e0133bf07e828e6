package io.pbft.protocol.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.MalformedMessage.Reason;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class KvCodecTest {
    private static final Bytes KEY = Bytes.wrap(new byte[] {0, -1, 'k'});
    private static final Bytes VALUE = Bytes.wrap(new byte[] {0, 0, -128, '\n'});

    private static final List<KvOperation> OPERATIONS = List.of(
            new KvOperation.Put(KEY, VALUE),
            new KvOperation.Put(KEY, Bytes.EMPTY),
            new KvOperation.Get(KEY),
            new KvOperation.Delete(KEY),
            new KvOperation.CompareAndSet(KEY, Optional.of(VALUE), Bytes.EMPTY),
            new KvOperation.CompareAndSet(KEY, Optional.empty(), VALUE),
            new KvOperation.Increment(KEY, Long.MIN_VALUE),
            new KvOperation.Scan(Bytes.EMPTY, Optional.empty(), 1),
            new KvOperation.Scan(KEY, Optional.of(KEY), KvOperation.SCAN_ENTRIES_MAX));

    private static final List<KvResult> RESULTS = List.of(
            new KvResult.Done(),
            new KvResult.Value(Optional.empty()),
            new KvResult.Value(Optional.of(Bytes.EMPTY)),
            new KvResult.Value(Optional.of(VALUE)),
            new KvResult.Deleted(true),
            new KvResult.Swapped(false),
            new KvResult.Incremented(-1),
            new KvResult.Entries(List.of(), false),
            new KvResult.Entries(List.of(new KvResult.Entry(KEY, VALUE), new KvResult.Entry(VALUE, KEY)), true));

    @Test
    void operationsComeBackAndMutationsAreRefusedOrCanonical() {
        for (KvOperation operation : OPERATIONS) {
            assertThat(KvOperation.decode(operation.encode())).isEqualTo(operation);
            mutations(operation.encode(), bytes -> KvOperation.decode(bytes).encode());
        }
    }

    @Test
    void resultsComeBackAndMutationsAreRefusedOrCanonical() {
        for (KvResult result : RESULTS) {
            assertThat(KvResult.decode(result.encode())).isEqualTo(result);
            mutations(result.encode(), bytes -> KvResult.decode(bytes).encode());
        }
    }

    private static void mutations(Bytes encoding, Function<Bytes, Bytes> decodeAndEncode) {
        Random random = new Random(encoding.hashCode());
        for (int i = 0; i < encoding.size(); i++) {
            Bytes prefix = encoding.slice(0, i);
            assertThatThrownBy(() -> decodeAndEncode.apply(prefix)).isInstanceOf(MalformedMessage.class);
            for (int j = 0; j < 20; j++) {
                byte[] bytes = encoding.toByteArray();
                bytes[i] = (byte) random.nextInt(256);
                Bytes mutated = Bytes.wrap(bytes);
                try {
                    assertThat(decodeAndEncode.apply(mutated)).isEqualTo(mutated);
                } catch (MalformedMessage e) {
                    assertThat(e.reason()).isNotNull();
                }
            }
        }
        assertThatThrownBy(() -> decodeAndEncode.apply(encoding.concat(Bytes.utf8("x"))))
                .isInstanceOf(MalformedMessage.class);
    }

    @Test
    void unknownCodesAreRefused() {
        for (int code : new int[] {0, 7, 255}) {
            Bytes unknown = Bytes.wrap(new byte[] {(byte) code});
            assertThatThrownBy(() -> KvOperation.decode(unknown))
                    .isInstanceOfSatisfying(
                            MalformedMessage.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNKNOWN_CODE));
            assertThatThrownBy(() -> KvResult.decode(unknown)).isInstanceOf(MalformedMessage.class);
        }
        assertThatThrownBy(() -> KvOperation.decode(Bytes.EMPTY)).isInstanceOf(MalformedMessage.class);
    }

    @Test
    void limitsHoldAndAreNamed() {
        Bytes longKey = Bytes.wrap(new byte[Limits.KEY_BYTES_MAX + 1]);
        Bytes longValue = Bytes.wrap(new byte[KvOperation.VALUE_BYTES_MAX + 1]);
        refused(() -> new KvOperation.Get(Bytes.EMPTY), "key of 0 bytes: expected 1 to 4096");
        refused(() -> new KvOperation.Put(longKey, VALUE), "key of 4097 bytes: expected 1 to 4096");
        refused(() -> new KvOperation.Put(KEY, longValue), "value of 253953 bytes: expected at most 253952");
        refused(
                () -> new KvOperation.CompareAndSet(KEY, Optional.of(longValue), VALUE),
                "expected value of 253953 bytes: expected at most 253952");
        refused(() -> new KvOperation.Scan(KEY, Optional.empty(), 0), "limit: expected 1 to 1000, found 0");
        refused(() -> new KvOperation.Scan(KEY, Optional.empty(), 1_001), "limit: expected 1 to 1000, found 1001");
        refused(
                () -> new KvOperation.Scan(longKey, Optional.empty(), 1),
                "prefix of 4097 bytes: expected at most 4096");
        Bytes large = longValue.slice(1, longValue.size());
        refused(
                () -> new KvOperation.CompareAndSet(KEY, Optional.of(large), large),
                "compare-and-set of 507921 bytes: key and values together take at most 262144");
    }

    private static void refused(ThrowingCallable making, String message) {
        assertThatThrownBy(making).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }

    /** Room for the largest key and value in every operation that has one of each, and in every result. */
    @Test
    void theLargestKeyAndValueFitEverywhere() {
        Bytes key = Bytes.wrap(new byte[Limits.KEY_BYTES_MAX]);
        Bytes value = Bytes.wrap(new byte[KvOperation.VALUE_BYTES_MAX]);
        assertThat(KvOperation.VALUE_BYTES_MAX).isLessThanOrEqualTo(Limits.VALUE_BYTES_MAX);
        assertThat(new KvOperation.Put(key, value).encode().size()).isLessThanOrEqualTo(Limits.OPERATION_BYTES_MAX);
        assertThat(new KvOperation.CompareAndSet(key, Optional.empty(), value)
                        .encode()
                        .size())
                .isLessThanOrEqualTo(Limits.OPERATION_BYTES_MAX);
        assertThat(new KvResult.Value(Optional.of(value)).encode().size()).isLessThanOrEqualTo(Limits.RESULT_BYTES_MAX);
        KvResult.Entry entry = new KvResult.Entry(key, value);
        Bytes entries = new KvResult.Entries(List.of(entry), true).encode();
        assertThat(entries.size()).isLessThanOrEqualTo(Limits.RESULT_BYTES_MAX);
        assertThat(entries.size()).isEqualTo(KvResult.Entries.HEADER_BYTES + entry.encodedBytes());
    }

    @Test
    void readsAreTheOnesThatChangeNothing() {
        for (KvOperation operation : OPERATIONS) {
            assertThat(operation.isRead())
                    .isEqualTo(operation instanceof KvOperation.Get || operation instanceof KvOperation.Scan);
        }
    }
}
