package io.pbft.replica.kv;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import io.pbft.replica.Operation;
import io.pbft.replica.StateMachine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The key-value service. A key of the service is a key of the state. What is not one of its operations, and an increment of
 * what is no number, fail with a text that says so and change nothing.
 */
public final class KvStateMachine implements StateMachine {
    /** Entries that a scan reads at a time: it may have to stop for their bytes long before its limit. */
    private static final int SCAN_CHUNK = 16;

    private static final int NUMBER_DIGITS_MAX = 20;

    @Override
    public Bytes apply(Operation operation, State state) {
        KvOperation decoded = KvOperation.decode(operation.payload());
        if (decoded.isRead()) {
            return read(decoded, state).encode();
        }
        return write(decoded, state).encode();
    }

    @Override
    public Bytes query(Operation operation, StateView state) {
        KvOperation decoded = KvOperation.decode(operation.payload());
        if (!decoded.isRead()) {
            throw new IllegalArgumentException(
                    "this operation changes the state, so it must be ordered: send it as a write");
        }
        return read(decoded, state).encode();
    }

    private static KvResult read(KvOperation operation, StateView state) {
        if (operation instanceof KvOperation.Get get) {
            return new KvResult.Value(state.get(get.key()));
        }
        return scan((KvOperation.Scan) operation, state);
    }

    private static KvResult write(KvOperation operation, State state) {
        if (operation instanceof KvOperation.Put put) {
            state.put(put.key(), put.value());
            return new KvResult.Done();
        }
        if (operation instanceof KvOperation.Delete delete) {
            return new KvResult.Deleted(state.delete(delete.key()));
        }
        if (operation instanceof KvOperation.CompareAndSet cas) {
            boolean equal = state.get(cas.key()).equals(cas.expected());
            if (equal) {
                state.put(cas.key(), cas.value());
            }
            return new KvResult.Swapped(equal);
        }
        return increment((KvOperation.Increment) operation, state);
    }

    private static KvResult increment(KvOperation.Increment increment, State state) {
        long before = state.get(increment.key()).map(KvStateMachine::number).orElse(0L);
        long by = increment.by();
        long sum = before + by;
        // An overflow has a sign that neither of its two parts has.
        if (((before ^ sum) & (by ^ sum)) < 0) {
            throw new IllegalStateException(before + " + " + by + " leaves the range of a 64-bit number");
        }
        state.put(increment.key(), Bytes.utf8(Long.toString(sum)));
        return new KvResult.Incremented(sum);
    }

    private static long number(Bytes value) {
        boolean digits = !value.isEmpty() && value.size() <= NUMBER_DIGITS_MAX;
        for (int i = 0; digits && i < value.size(); i++) {
            byte c = value.get(i);
            digits = (c >= '0' && c <= '9') || (c == '-' && i == 0 && value.size() > 1);
        }
        if (!digits) {
            throw new IllegalStateException("the value is not a number in decimal digits");
        }
        try {
            return Long.parseLong(value.toUtf8());
        } catch (NumberFormatException e) {
            throw new IllegalStateException("the value leaves the range of a 64-bit number", e);
        }
    }

    private static KvResult scan(KvOperation.Scan scan, StateView state) {
        List<KvResult.Entry> found = new ArrayList<>();
        int bytesLeft = Limits.RESULT_BYTES_MAX - KvResult.Entries.HEADER_BYTES;
        Optional<Bytes> after = scan.after();
        while (true) {
            List<StateView.Entry> chunk =
                    state.scan(scan.prefix(), after.map(KvStateMachine::next).orElse(Bytes.EMPTY), SCAN_CHUNK);
            for (StateView.Entry entry : chunk) {
                KvResult.Entry result = new KvResult.Entry(entry.key(), entry.value());
                bytesLeft -= result.encodedBytes();
                if (found.size() == scan.limit() || bytesLeft < 0) {
                    return new KvResult.Entries(found, true);
                }
                found.add(result);
            }
            if (chunk.size() < SCAN_CHUNK) {
                return new KvResult.Entries(found, false);
            }
            after = Optional.of(chunk.get(chunk.size() - 1).key());
        }
    }

    /** The key right behind {@code key}: nothing sorts between them. */
    private static Bytes next(Bytes key) {
        return key.concat(Bytes.wrap(new byte[1]));
    }
}
