package io.pbft.replica;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateInstall;
import io.pbft.checkpoint.StateStore;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** A store in memory without a tree: its root is the digest of its entries and of the checkpoint's number. */
public final class FakeStore implements StateStore {
    public final MapState state = new MapState();
    final TreeMap<Bytes, Bytes> system = new TreeMap<>();
    final List<Long> released = new ArrayList<>();
    Lost lost = new Lost(0, new TreeMap<>());
    final List<StateNodes.Node> restored = new ArrayList<>();
    private long seq;
    private Digest root = Digest.ZERO;

    /** A state that can be made to fail as a disk does. */
    public static final class MapState implements State {
        public final TreeMap<Bytes, Bytes> entries = new TreeMap<>();
        RuntimeException failure;

        @Override
        public Optional<Bytes> get(Bytes key) {
            if (failure != null) {
                throw failure;
            }
            return Optional.ofNullable(entries.get(key));
        }

        @Override
        public List<Entry> scan(Bytes prefix, Bytes from, int limit) {
            Bytes first = from.compareTo(prefix) > 0 ? from : prefix;
            return entries.tailMap(first, true).entrySet().stream()
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

    @Override
    public State state() {
        return state;
    }

    @Override
    public long seq() {
        return seq;
    }

    @Override
    public Digest root() {
        return root;
    }

    @Override
    public List<StateView.Entry> systemEntries() {
        return system.entrySet().stream()
                .map(entry -> new StateView.Entry(entry.getKey(), entry.getValue()))
                .toList();
    }

    @Override
    public void checkpoint(long at, Map<Bytes, Optional<Bytes>> systemChanges, Consumer<Digest> onDurable) {
        systemChanges.forEach((key, value) -> value.ifPresentOrElse(v -> system.put(key, v), () -> system.remove(key)));
        seq = at;
        root = Digest.of(Bytes.utf8(state.entries + "@" + at));
        onDurable.accept(root);
    }

    @Override
    public boolean holds(long at) {
        return at == seq;
    }

    @Override
    public Optional<StateNodes.Node> node(long at, Bytes path) {
        return Optional.empty();
    }

    @Override
    public void release(long at, Set<Long> served) {
        released.add(at);
    }

    @Override
    public StateInstall install(long at, Digest certified) {
        throw new UnsupportedOperationException("no test of the driver alone transfers state");
    }

    @Override
    public Lost lost() {
        return lost;
    }

    @Override
    public void restore(StateNodes.Node node) {
        restored.add(node);
    }

    @Override
    public void close() {}
}
