package io.pbft.simulator.world;

import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A journal on a virtual disk. What waits goes into one synchronous write; entries are made when that write begins and are
 * durable when it ends. A crash in between leaves none, some, or all of the write behind, in the order of the appends: chance
 * decides; an error of the disk leaves as much, and is the end of the journal. The disk outlives the journal that is opened on
 * it. NOT thread-safe.
 */
public final class SimJournal implements Journal {
    /** What is durable, and the disk's condition. Survives crashes. */
    public static final class Disk {
        private final TreeMap<Place, JournalEntry> durable = new TreeMap<>();
        private long writes;
        private long entriesWritten;
        private long forgottenTo;
        private boolean corrupt;
        private boolean misdirects;
        private Consumer<JournalEntry> witness = entry -> {};

        /** Tells {@code observer} of each entry in the order in which they become durable. */
        public void watch(Consumer<JournalEntry> observer) {
            witness = observer;
        }

        /** Every durable entry, in ascending order of (kind, seq, view). */
        public List<JournalEntry> entries() {
            return List.copyOf(durable.values());
        }

        /** Whether there is an entry in this place, or there was one that a stable checkpoint made superfluous. */
        public boolean holds(JournalEntry.Kind kind, long seq, long view) {
            Place place = new Place(kind, seq, view);
            return durable.containsKey(place) || isBehind(place, forgottenTo);
        }

        public int size() {
            return durable.size();
        }

        /** The disk is gone, and an empty one stands in its place. */
        public void lose() {
            durable.clear();
            forgottenTo = 0;
            corrupt = false;
            misdirects = false;
        }

        /** From now on the disk cannot be trusted: a bit of each entry that is written is flipped. */
        public void corruptNext() {
            corrupt = true;
        }

        /** From now on the disk cannot be trusted: now and then an entry lands in the place of another. */
        public void misdirect() {
            misdirects = true;
        }

        private void put(JournalEntry original) {
            JournalEntry entry = corrupt ? spoilt(original) : original;
            witness.accept(original);
            durable.put(new Place(entry.kind(), entry.seq(), entry.view()), entry);
        }

        /** Writes {@code entry} over the {@code which}-th of the others. */
        private void putElsewhere(JournalEntry entry, long which) {
            List<Place> places = new ArrayList<>(durable.keySet());
            places.remove(new Place(entry.kind(), entry.seq(), entry.view()));
            if (places.isEmpty()) {
                put(entry);
                return;
            }
            Place place = places.get((int) Long.remainderUnsigned(which, places.size()));
            durable.put(place, new JournalEntry(place.kind, place.seq, place.view, entry.content()));
        }

        private static JournalEntry spoilt(JournalEntry entry) {
            byte[] content = entry.content().toByteArray();
            if (content.length > 0) {
                content[content.length / 2] ^= 0x10;
            }
            return new JournalEntry(entry.kind(), entry.seq(), entry.view(), Bytes.wrap(content));
        }

        private void forget(long seq) {
            forgottenTo = Math.max(forgottenTo, seq);
            durable.entrySet().removeIf(at -> isBehind(at.getKey(), seq));
        }

        private static boolean isBehind(Place place, long seq) {
            return switch (place.kind) {
                case PROPOSAL, PREPARED, PREPARE, COMMIT -> place.seq <= seq;
                case CHECKPOINT -> place.seq < seq;
                case STABLE, VIEW_CHANGE, NEW_VIEW -> false;
            };
        }
    }

    private record Place(JournalEntry.Kind kind, long seq, long view) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            int byKind = kind.compareTo(other.kind);
            if (byKind != 0) {
                return byKind;
            }
            int bySeq = Long.compare(seq, other.seq);
            return bySeq != 0 ? bySeq : Long.compare(view, other.view);
        }
    }

    private record Append(Supplier<List<JournalEntry>> entries, Runnable onDurable) {}

    /** Made, on its way to the disk. */
    private record InFlight(List<JournalEntry> entries, Runnable onDurable) {}

    /** How many of the entries that a disk misdirects, on average. */
    private static final double MISDIRECTED_SHARE = 0.2;

    private final Disk disk;
    private final DiskHealth health;
    private final Consumer<Throwable> failed;
    private final EventQueue events;
    private final Keyed keyed;
    private final long key;
    private final long minMicros;
    private final long maxMicros;
    private List<Append> waiting = new ArrayList<>();
    private List<InFlight> inFlight = List.of();

    /** What may go once what waits now is durable, and once what is on its way is: the order of the calls is kept. */
    private long truncateNext;

    private long truncateInFlight;
    private boolean crashed;

    /**
     * @param failed told when a write failed
     * @param key names the disk to chance
     */
    public SimJournal(
            Disk disk,
            DiskHealth health,
            Consumer<Throwable> failed,
            EventQueue events,
            Keyed keyed,
            long key,
            long minMicros,
            long maxMicros) {
        this.disk = disk;
        this.health = health;
        this.failed = failed;
        this.events = events;
        this.keyed = keyed;
        this.key = key;
        this.minMicros = minMicros;
        this.maxMicros = maxMicros;
    }

    @Override
    public List<JournalEntry> load() {
        return disk.entries();
    }

    @Override
    public void append(Supplier<List<JournalEntry>> entries, Runnable onDurable) {
        if (crashed) {
            return;
        }
        waiting.add(new Append(entries, onDurable));
        if (inFlight.isEmpty()) {
            write();
        }
    }

    private void write() {
        List<InFlight> group = new ArrayList<>(waiting.size());
        for (Append append : waiting) {
            group.add(new InFlight(append.entries.get(), append.onDurable));
        }
        waiting = new ArrayList<>();
        inFlight = group;
        truncateInFlight = Math.max(truncateInFlight, truncateNext);
        truncateNext = 0;
        long number = disk.writes++;
        long micros = health.writeMicros(keyed, key, number, minMicros, maxMicros);
        events.after(micros, () -> written(group));
    }

    private void written(List<InFlight> group) {
        if (crashed) {
            return;
        }
        if (health.isFailing()) {
            crash();
            failed.accept(new StorageFailure("the disk reports an error of a synchronous write of the journal"));
            return;
        }
        for (InFlight append : group) {
            append.entries.forEach(this::put);
        }
        if (truncateInFlight > 0) {
            disk.forget(truncateInFlight);
            truncateInFlight = 0;
        }
        for (InFlight append : group) {
            append.onDurable.run();
        }
        inFlight = List.of();
        if (!crashed && !waiting.isEmpty()) {
            write();
        }
    }

    /** The process is gone: what was not durable is lost, and of a write that was under way any first part may be there. */
    public void crash() {
        crashed = true;
        if (!inFlight.isEmpty()) {
            long kept = keyed.between(Fault.TORN_WRITE, key, disk.writes, 0, inFlight.size());
            for (int i = 0; i < kept; i++) {
                inFlight.get(i).entries.forEach(this::put);
            }
        }
        waiting.clear();
        inFlight = List.of();
    }

    private void put(JournalEntry entry) {
        long number = disk.entriesWritten++;
        double share = disk.misdirects ? MISDIRECTED_SHARE : 0;
        if (keyed.fires(Fault.MISDIRECT, share, key, number, events.now())) {
            disk.putElsewhere(entry, keyed.bits(Fault.MISDIRECT, key, ~number));
        } else {
            disk.put(entry);
        }
    }

    @Override
    public void truncate(long seq) {
        if (waiting.isEmpty()) {
            truncateInFlight = Math.max(truncateInFlight, seq);
        } else {
            truncateNext = Math.max(truncateNext, seq);
        }
    }

    @Override
    public void close() {
        crashed = true;
    }
}
