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
 */
public record Status(long view, boolean changingView, long lastExecuted, long stable, boolean answer)
        implements Message {
    @Override
    public MessageType type() {
        return MessageType.STATUS;
    }
}
