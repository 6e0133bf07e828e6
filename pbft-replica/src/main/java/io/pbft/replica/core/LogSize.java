package io.pbft.replica.core;

import io.pbft.protocol.Batch;
import io.pbft.protocol.Limits;

/**
 * How many bytes of operations the log above the stable checkpoint holds. NOT thread-safe.
 *
 * <p>The window bounds the log in sequence numbers, and a batch may be large. A primary whose log holds
 * {@link Limits#LOG_BYTES_MAX} proposes null requests up to the next checkpoint, which lets go of it all: to move checkpoints
 * to other numbers would need an agreement of its own. A backup bears twice as much, because the checkpoint of the
 * primary may become stable here a little later than there. Only a lying primary sends more, and that is not accepted.
 */
final class LogSize {
    private long bytes;

    /**
     * What views before this one, or the life before, left and is not known to be gone. It counts against no backup's
     * primary: its numbers are proposed anew, and then it goes.
     */
    private long inherited;

    void add(Batch batch) {
        bytes += Checkpoints.bytes(batch);
    }

    void remove(Batch batch) {
        bytes -= Checkpoints.bytes(batch);
        inherited = Math.min(inherited, bytes);
    }

    void viewBegins() {
        inherited = bytes;
    }

    /** The journal has been read: what it holds had its room when it was accepted. */
    void recovered() {
        inherited = bytes;
    }

    /** Whether the primary, with {@code onTheWay} bytes proposed that are not here yet, lets a checkpoint come first. */
    boolean isFull(long onTheWay) {
        return bytes + onTheWay >= Limits.LOG_BYTES_MAX;
    }

    /** Whether a primary, whose log need not be quite like this one, may find its own full. */
    boolean fillsUp() {
        return 2 * bytes >= Limits.LOG_BYTES_MAX;
    }

    /** Whether a backup may accept {@code batch}. A null request always has room: it is what makes some. */
    boolean hasRoom(Batch batch) {
        long more = Checkpoints.bytes(batch);
        return more == 0 || bytes - inherited + more <= 2 * Limits.LOG_BYTES_MAX;
    }
}
