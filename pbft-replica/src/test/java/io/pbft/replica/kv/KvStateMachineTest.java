package io.pbft.replica.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.State;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Limits;
import io.pbft.protocol.MalformedMessage;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import io.pbft.replica.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class KvStateMachineTest {
    private static final Bytes A = Bytes.utf8("a");
    private static final Bytes ONE = Bytes.utf8("1");
    private static final Bytes TWO = Bytes.utf8("2");

    private final KvStateMachine machine = new KvStateMachine();
    private final MapState state = new MapState();

    private static final class MapState implements State {
        final TreeMap<Bytes, Bytes> entries = new TreeMap<>();

        @Override
        public Optional<Bytes> get(Bytes key) {
            return Optional.ofNullable(entries.get(key));
        }

        @Override
        public List<Entry> scan(Bytes prefix, Bytes from, int limit) {
            return entries.tailMap(from.compareTo(prefix) > 0 ? from : prefix, true).entrySet().stream()
                    .filter(entry -> entry.getKey().startsWith(prefix))
                    .limit(limit)
                    .map(entry -> new Entry(entry.getKey(), entry.getValue()))
                    .toList();
        }

        @Override
        public void put(Bytes key, Bytes value) {
            entries.put(key, value);
        }

        @Override
        public boolean delete(Bytes key) {
            return entries.remove(key) != null;
        }
    }

    private static Operation operation(Bytes payload) {
        return new Operation(payload, 0, 1, 1, Digest.ZERO);
    }

    private KvResult apply(KvOperation operation) {
        return KvResult.decode(machine.apply(operation(operation.encode()), state));
    }

    private KvResult query(KvOperation operation) {
        return KvResult.decode(machine.query(operation(operation.encode()), state));
    }

    @Test
    void putGetDelete() {
        assertThat(apply(new KvOperation.Get(A))).isEqualTo(new KvResult.Value(Optional.empty()));
        assertThat(apply(new KvOperation.Put(A, Bytes.EMPTY))).isEqualTo(new KvResult.Done());
        assertThat(query(new KvOperation.Get(A))).isEqualTo(new KvResult.Value(Optional.of(Bytes.EMPTY)));
        assertThat(apply(new KvOperation.Delete(A))).isEqualTo(new KvResult.Deleted(true));
        assertThat(apply(new KvOperation.Delete(A))).isEqualTo(new KvResult.Deleted(false));
    }

    @Test
    void compareAndSetTellsAMissingKeyFromAnEmptyValue() {
        assertThat(apply(new KvOperation.CompareAndSet(A, Optional.of(Bytes.EMPTY), ONE)))
                .isEqualTo(new KvResult.Swapped(false));
        assertThat(apply(new KvOperation.CompareAndSet(A, Optional.empty(), ONE)))
                .isEqualTo(new KvResult.Swapped(true));
        assertThat(apply(new KvOperation.CompareAndSet(A, Optional.empty(), TWO)))
                .isEqualTo(new KvResult.Swapped(false));
        assertThat(apply(new KvOperation.CompareAndSet(A, Optional.of(ONE), TWO)))
                .isEqualTo(new KvResult.Swapped(true));
        assertThat(state.entries).containsEntry(A, TWO);
    }

    @Test
    void incrementsAreDecimalTextThatPutAndGetShare() {
        assertThat(apply(new KvOperation.Increment(A, 5))).isEqualTo(new KvResult.Incremented(5));
        assertThat(apply(new KvOperation.Increment(A, -12))).isEqualTo(new KvResult.Incremented(-7));
        assertThat(state.entries).containsEntry(A, Bytes.utf8("-7"));
        apply(new KvOperation.Put(A, Bytes.utf8(Long.toString(Long.MIN_VALUE))));
        assertThat(apply(new KvOperation.Increment(A, Long.MAX_VALUE))).isEqualTo(new KvResult.Incremented(-1));
    }

    @Test
    void whatIsNoNumberAndWhatLeavesTheRangeFails() {
        for (String value : List.of("", "-", "+1", "1-", " 1", "x", "\u0663", "99999999999999999999", "9".repeat(30))) {
            state.put(A, Bytes.utf8(value));
            assertThatThrownBy(() -> apply(new KvOperation.Increment(A, 1)))
                    .as("<%s>", value)
                    .isInstanceOf(IllegalStateException.class);
        }
        state.put(A, Bytes.utf8(Long.toString(Long.MAX_VALUE)));
        assertThatThrownBy(() -> apply(new KvOperation.Increment(A, 1))).hasMessageContaining("leaves the range");
        state.put(A, Bytes.utf8("-2"));
        assertThatThrownBy(() -> apply(new KvOperation.Increment(A, Long.MIN_VALUE)))
                .hasMessageContaining("leaves the range");
    }

    @Test
    void scansAreOrderedByUnsignedBytesAndBoundedByTheirLimit() {
        List<Bytes> keys = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Bytes key = Bytes.wrap(new byte[] {'k', (byte) (i * 2)});
            keys.add(key);
            state.put(key, ONE);
        }
        state.put(Bytes.utf8("j"), ONE);
        state.put(Bytes.utf8("l"), ONE);

        List<Bytes> found = new ArrayList<>();
        Optional<Bytes> after = Optional.empty();
        boolean more = true;
        while (more) {
            KvResult.Entries page = (KvResult.Entries) query(new KvOperation.Scan(Bytes.utf8("k"), after, 33));
            page.entries().forEach(entry -> found.add(entry.key()));
            after = Optional.of(found.get(found.size() - 1));
            more = page.more();
        }
        assertThat(found).containsExactlyElementsOf(keys);
    }

    @Test
    void aScanWhoseLimitIsExactlyWhatThereIsSaysThatThereIsNoMore() {
        state.put(A, ONE);
        assertThat(query(new KvOperation.Scan(Bytes.EMPTY, Optional.empty(), 1)))
                .isEqualTo(new KvResult.Entries(List.of(new KvResult.Entry(A, ONE)), false));
        assertThat(query(new KvOperation.Scan(Bytes.EMPTY, Optional.of(A), 1)))
                .isEqualTo(new KvResult.Entries(List.of(), false));
    }

    @Test
    void aScanOfLargeValuesFitsInAResultAndAlwaysMakesProgress() {
        Bytes large = Bytes.wrap(new byte[KvOperation.VALUE_BYTES_MAX]);
        Bytes longKey = Bytes.utf8("k".repeat(Limits.KEY_BYTES_MAX));
        state.put(longKey, large);
        state.put(Bytes.utf8("z"), large);
        Bytes encoded =
                machine.query(operation(new KvOperation.Scan(Bytes.EMPTY, Optional.empty(), 1_000).encode()), state);
        assertThat(encoded.size()).isLessThanOrEqualTo(Limits.RESULT_BYTES_MAX);
        KvResult.Entries first = (KvResult.Entries) KvResult.decode(encoded);
        assertThat(first.entries()).extracting(KvResult.Entry::key).containsExactly(longKey);
        assertThat(first.more()).isTrue();
        KvResult.Entries second =
                (KvResult.Entries) query(new KvOperation.Scan(Bytes.EMPTY, Optional.of(longKey), 1_000));
        assertThat(second.entries()).extracting(KvResult.Entry::key).containsExactly(Bytes.utf8("z"));
        assertThat(second.more()).isFalse();
    }

    @Test
    void aReadCannotWriteAndGarbageIsRefused() {
        assertThatThrownBy(() -> query(new KvOperation.Put(A, ONE))).hasMessageContaining("must be ordered");
        assertThatThrownBy(() -> machine.apply(operation(Bytes.utf8("?")), state))
                .isInstanceOf(MalformedMessage.class);
        assertThat(state.entries).isEmpty();
    }
}
