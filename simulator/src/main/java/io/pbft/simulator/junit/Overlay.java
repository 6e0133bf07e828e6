package io.pbft.simulator.junit;

import io.pbft.checkpoint.State;
import io.pbft.checkpoint.StateView;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** A state on top of another that it leaves as it is: what one run of an operation wrote stands here alone. NOT thread-safe. */
final class Overlay implements State {
    private final StateView base;
    private final SortedMap<Bytes, Optional<Bytes>> changes = new TreeMap<>();

    Overlay(StateView base) {
        this.base = base;
    }

    /** What every changed key holds now, empty for one that was deleted. */
    SortedMap<Bytes, Optional<Bytes>> changes() {
        return new TreeMap<>(changes);
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
        Optional<Bytes> changed = changes.get(key);
        return changed == null ? base.get(key) : changed;
    }

    @Override
    public List<Entry> scan(Bytes prefix, Bytes from, int limit) {
        // Of what the base holds, at most as many entries as were changed are gone.
        int enough = (int) Math.min(Integer.MAX_VALUE, (long) limit + (limit == 0 ? 0 : changes.size()));
        TreeMap<Bytes, Bytes> found = new TreeMap<>();
        for (Entry entry : base.scan(prefix, from, enough)) {
            found.put(entry.key(), entry.value());
        }
        changes.forEach((key, value) -> {
            if (value.isEmpty()) {
                found.remove(key);
            } else if (key.startsWith(prefix) && key.compareTo(from) >= 0) {
                found.put(key, value.get());
            }
        });
        List<Entry> entries = new ArrayList<>();
        found.forEach((key, value) -> entries.add(new Entry(key, value)));
        return List.copyOf(entries.subList(0, Math.min(limit, entries.size())));
    }

    @Override
    public void put(Bytes key, Bytes value) {
        requireKey(key);
        if (value.size() > Limits.VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a value has at most " + Limits.VALUE_BYTES_MAX + " bytes, this one has " + value.size());
        }
        changes.put(key, Optional.of(value));
    }

    @Override
    public boolean delete(Bytes key) {
        requireKey(key);
        boolean there = get(key).isPresent();
        if (there) {
            changes.put(key, Optional.empty());
        }
        return there;
    }

    private static void requireKey(Bytes key) {
        if (key.isEmpty() || key.size() > Limits.KEY_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a key has 1 to " + Limits.KEY_BYTES_MAX + " bytes, this one has " + key.size());
        }
    }
}
