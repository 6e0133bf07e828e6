package io.pbft.protocol;

/**
 * Where a replica stands: sent from time to time to all, so that each sends what the others lack (TOCS'02, section
 * 5.2).
 *
 * @param view its view; the one it wants while {@code changingView}
 * @param changingView whether it waits for that view's NEW-VIEW
 * @param lastExecuted the highest sequence number up to which it has executed everything
 * @param stable its low watermark
 * @param answer whether this answers another status: answers are not answered
 * @param awaited the sequence number that a stable checkpoint must reach before it votes again; 0 where it waits for none
 */
public record Status(long view, boolean changingView, long lastExecuted, long stable, boolean answer, long awaited)
        implements Message {
    /** Of one that waits for no checkpoint. */
    public Status(long view, boolean changingView, long lastExecuted, long stable, boolean answer) {
        this(view, changingView, lastExecuted, stable, answer, 0);
    }

    @Override
    public MessageType type() {
        return MessageType.STATUS;
    }
}
