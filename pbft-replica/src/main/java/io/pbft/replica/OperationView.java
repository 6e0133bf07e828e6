package io.pbft.replica;

import io.pbft.checkpoint.State;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The state as one operation sees it. It keeps the limits of keys and values, remembers what the operation overwrote so that
 * a failing one leaves nothing behind, and is dead once the operation has ended.
 *
 * <p>It also tells two kinds of failure apart. What the application does wrong is an answer, equal on all replicas. What the
 * store itself throws is this replica's own trouble: it is remembered here, so that an application that catches everything
 * cannot turn a broken disk into a result.
 *
 * <p>NOT thread-safe.
 */
final class OperationView implements State {
    private final State state;
    private final boolean writable;
    private final List<Before> undo = new ArrayList<>();
    private @Nullable RuntimeException storeFailure;
    private boolean ended;

    /** What a key held before a write. */
    private record Before(Bytes key, Optional<Bytes> value) {}

    OperationView(State state, boolean writable) {
        this.state = state;
        this.writable = writable;
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
        requireAlive();
        if (!possible(key)) {
            return Optional.empty();
        }
        return ask(() -> state.get(key));
    }

    @Override
    public List<Entry> scan(Bytes prefix, Bytes from, int limit) {
        requireAlive();
        if (limit < 0) {
            throw new IllegalArgumentException("a scan has a limit of 0 or more, not " + limit);
        }
        if (limit == 0 || prefix.size() > Limits.KEY_BYTES_MAX) {
            return List.of();
        }
        if (from.size() <= Limits.KEY_BYTES_MAX) {
            return ask(() -> state.scan(prefix, from, limit));
        }
        // No key is as long as "from", so that its beginning is the only key that the store may find too much.
        Bytes beginning = from.slice(0, Limits.KEY_BYTES_MAX);
        int oneMore = limit == Integer.MAX_VALUE ? limit : limit + 1;
        return ask(() -> state.scan(prefix, beginning, oneMore)).stream()
                .filter(entry -> entry.key().compareTo(from) >= 0)
                .limit(limit)
                .toList();
    }

    @Override
    public void put(Bytes key, Bytes value) {
        requireWritable(key);
        if (value.size() > Limits.VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a value has at most " + Limits.VALUE_BYTES_MAX + " bytes, this one has " + value.size());
        }
        undo.add(new Before(key, ask(() -> state.get(key))));
        ask(() -> {
            state.put(key, value);
            return true;
        });
    }

    @Override
    public boolean delete(Bytes key) {
        requireWritable(key);
        Optional<Bytes> before = ask(() -> state.get(key));
        if (before.isEmpty()) {
            return false;
        }
        undo.add(new Before(key, before));
        return ask(() -> state.delete(key));
    }

    /**
     * The operation is over. With {@code keep} its writes stay, otherwise they are taken back, the last one first.
     *
     * @throws RuntimeException what the store threw during the operation, whatever became of it since
     */
    void end(boolean keep) {
        ended = true;
        if (storeFailure != null) {
            throw storeFailure;
        }
        if (keep) {
            return;
        }
        for (int i = undo.size() - 1; i >= 0; i--) {
            Before before = undo.get(i);
            if (before.value().isPresent()) {
                state.put(before.key(), before.value().get());
            } else {
                state.delete(before.key());
            }
        }
    }

    private <T> T ask(Supplier<T> store) {
        try {
            return store.get();
        } catch (RuntimeException e) {
            storeFailure = e;
            throw e;
        }
    }

    private void requireAlive() {
        if (ended) {
            throw new IllegalStateException("the state is valid only during the call that it was handed to");
        }
    }

    private void requireWritable(Bytes key) {
        requireAlive();
        if (!writable) {
            throw new IllegalStateException("a query changes nothing");
        }
        if (!possible(key)) {
            throw new IllegalArgumentException(
                    "a key has 1 to " + Limits.KEY_BYTES_MAX + " bytes, this one has " + key.size());
        }
    }

    private static boolean possible(Bytes key) {
        return !key.isEmpty() && key.size() <= Limits.KEY_BYTES_MAX;
    }
}
