package io.pbft.replica;

import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.JournalEntry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Supplier;

/** A journal whose disk works when the test says so. */
public final class FakeJournal implements Journal {
    private static final Comparator<JournalEntry> PLACE = Comparator.comparing(JournalEntry::kind)
            .thenComparingLong(JournalEntry::seq)
            .thenComparingLong(JournalEntry::view);

    final TreeMap<JournalEntry, JournalEntry> durable = new TreeMap<>(PLACE);
    final List<Long> truncations = new ArrayList<>();
    private final Deque<Append> waiting = new ArrayDeque<>();

    private record Append(Supplier<List<JournalEntry>> entries, Runnable onDurable) {}

    @Override
    public List<JournalEntry> load() {
        return List.copyOf(durable.values());
    }

    @Override
    public void append(Supplier<List<JournalEntry>> entries, Runnable onDurable) {
        waiting.add(new Append(entries, onDurable));
    }

    int waiting() {
        return waiting.size();
    }

    /** Writes what waits, and what comes to wait by it, and reports it durable. */
    void sync() {
        while (!waiting.isEmpty()) {
            syncOne();
        }
    }

    void syncOne() {
        Append append = waiting.remove();
        put(append.entries().get());
        append.onDurable().run();
    }

    void put(List<JournalEntry> entries) {
        entries.forEach(entry -> {
            durable.remove(entry);
            durable.put(entry, entry);
        });
    }

    @Override
    public void truncate(long seq) {
        truncations.add(seq);
    }

    @Override
    public void close() {}
}
