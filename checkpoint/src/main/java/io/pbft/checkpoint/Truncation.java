package io.pbft.checkpoint;

import io.pbft.checkpoint.JournalEntry.Kind;
import java.util.EnumMap;
import java.util.Map;

/** What {@link Journal#truncate} deletes: the rule, for all journals. */
final class Truncation {
    private Truncation() {}

    /** For each kind that is truncated, the highest sequence number whose entries go. */
    static Map<Kind, Long> limits(long seq) {
        EnumMap<Kind, Long> limits = new EnumMap<>(Kind.class);
        for (Kind kind : Kind.values()) {
            switch (kind) {
                case PROPOSAL, PREPARED, PREPARE, COMMIT -> limits.put(kind, seq);
                case CHECKPOINT -> limits.put(kind, seq - 1);
                case STABLE, VIEW_CHANGE, NEW_VIEW -> {
                    // One place for all: the next one replaces it.
                }
            }
        }
        return limits;
    }

    /** The sequence number whose truncation takes {@code entry} with it; 0 where none does. */
    static long neededUpTo(JournalEntry entry) {
        return switch (entry.kind()) {
            case PROPOSAL, PREPARED, PREPARE, COMMIT -> entry.seq();
            case CHECKPOINT -> entry.seq() + 1;
            case STABLE, VIEW_CHANGE, NEW_VIEW -> 0;
        };
    }
}
