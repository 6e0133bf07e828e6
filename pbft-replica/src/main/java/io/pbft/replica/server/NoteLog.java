package io.pbft.replica.server;

import io.pbft.replica.core.Effect;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Writes the core's notes to the log, each at the level that an operator expects it at. Stateless and thread-safe. */
final class NoteLog {
    private static final Logger LOG = LoggerFactory.getLogger("io.pbft.replica.core");

    private NoteLog() {}

    static void log(int replica, Effect.Note note) {
        LOG.atLevel(level(note))
                .log("replica {}: {} view={} seq={} {}", replica, note.event(), note.view(), note.seq(), note.detail());
    }

    private static Level level(Effect.Note note) {
        return switch (note.event()) {
            case NULL_REQUEST_PROPOSED, BATCH_FETCHED, DECISION_LEARNED -> Level.TRACE;
            case CHECKPOINT_STABLE -> Level.DEBUG;
            case STATUS_CHANGED,
                    VIEW_ENTERED,
                    JOINED_VIEW_CHANGE,
                    REQUEST_TIMED_OUT,
                    VIEW_CHANGE_TIMED_OUT,
                    STATE_TRANSFER_STARTED,
                    STATE_TRANSFER_FINISHED,
                    STATE_SOURCE_SLOW -> Level.INFO;
            case STATE_SOURCE_BANNED, PRIMARY_SUSPECTED, CHECKPOINT_DIVERGED, EQUIVOCATION -> Level.WARN;
        };
    }
}
