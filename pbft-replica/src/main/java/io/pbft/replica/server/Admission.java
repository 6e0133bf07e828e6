package io.pbft.replica.server;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pbft.protocol.NodeId;
import java.util.HashMap;
import java.util.Map;

/**
 * Bounds what each sender may have inside this process, from a frame's arrival until the core has taken the message. A sender
 * that sends faster than it is served loses its own messages, never those of others (trap 10). Thread-safe.
 */
final class Admission {
    /** Messages and bytes of one replica. A frame that alone exceeds the bytes is admitted when nothing else is here. */
    static final int REPLICA_MESSAGES_MAX = 4_096;

    static final long REPLICA_BYTES_MAX = 16L << 20;

    /** Messages and bytes of one client. */
    static final int CLIENT_MESSAGES_MAX = 256;

    static final long CLIENT_BYTES_MAX = 4L << 20;

    /** Bytes of all clients together. */
    static final long CLIENTS_BYTES_MAX = 32L << 20;

    @GuardedBy("this")
    private final Map<NodeId, Use> uses = new HashMap<>();

    @GuardedBy("this")
    private long clientsBytes;

    /** What one sender has here now; the entry goes with the last of it. */
    private static final class Use {
        int messages;
        long bytes;
    }

    /** Whether there is room for a frame of {@code from}; then it must be {@linkplain #release released} once. */
    synchronized boolean admit(NodeId from, int bytes) {
        Use use = uses.get(from);
        int messages = use == null ? 0 : use.messages;
        long held = use == null ? 0 : use.bytes;
        int messagesMax = from.isReplica() ? REPLICA_MESSAGES_MAX : CLIENT_MESSAGES_MAX;
        long bytesMax = from.isReplica() ? REPLICA_BYTES_MAX : CLIENT_BYTES_MAX;
        if (messages > 0 && (messages >= messagesMax || held + bytes > bytesMax)) {
            return false;
        }
        if (from.isClient()) {
            if (clientsBytes > 0 && clientsBytes + bytes > CLIENTS_BYTES_MAX) {
                return false;
            }
            clientsBytes += bytes;
        }
        if (use == null) {
            use = new Use();
            uses.put(from, use);
        }
        use.messages++;
        use.bytes += bytes;
        return true;
    }

    synchronized void release(NodeId from, int bytes) {
        Use use = uses.get(from);
        if (use == null) {
            throw new IllegalStateException("nothing of " + from + " is here");
        }
        use.messages--;
        use.bytes -= bytes;
        if (use.messages == 0) {
            uses.remove(from);
        }
        if (from.isClient()) {
            clientsBytes -= bytes;
        }
    }

    /** Messages that are here now, of all senders. */
    synchronized int messages() {
        int sum = 0;
        for (Use use : uses.values()) {
            sum += use.messages;
        }
        return sum;
    }
}
