package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import java.util.Comparator;

/**
 * A record of the journal: what a replica must not forget. Its place is (kind, seq, view); a later entry in the same place
 * replaces the former.
 *
 * @param seq 0 where the kind has none
 * @param view 0 where the kind has none
 * @param content the encoding of the message or certificate
 */
public record JournalEntry(Kind kind, long seq, long view, Bytes content) {
    /** The order of places: of two entries in the same place neither comes first. */
    static final Comparator<JournalEntry> BY_PLACE = Comparator.comparing(JournalEntry::kind)
            .thenComparingLong(JournalEntry::seq)
            .thenComparingLong(JournalEntry::view);

    /** What is kept, with the byte that stands for it on disk. */
    public enum Kind {
        /** A PRE-PREPARE with its batch, accepted or made in {@code view}. */
        PROPOSAL(1),
        /** A prepared certificate of {@code view}. */
        PREPARED(2),
        /** One's own PREPARE. */
        PREPARE(3),
        /** One's own COMMIT. */
        COMMIT(4),
        /** One's own CHECKPOINT. */
        CHECKPOINT(5),
        /** The certificate of the last stable checkpoint; one place for all. */
        STABLE(6),
        /** One's own last VIEW-CHANGE; one place for all. */
        VIEW_CHANGE(7),
        /** The NEW-VIEW of the view one is in; one place for all. */
        NEW_VIEW(8);

        private final byte code;

        Kind(int code) {
            this.code = (byte) code;
        }

        public byte code() {
            return code;
        }
    }
}
