package io.pbft.replica.server;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.pbft.protocol.NodeId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Bounds what each sender may have inside this process, from a frame's arrival until the core has taken the message. A sender
 * that sends faster than it is served is not read from for a while; what comes from it all the same and does not fit is lost.
 * Either way it is its own messages that suffer, never those of others (trap 10). Thread-safe.
 *
 * <pre>
 *   0 ........ a quarter ........ half ................ full
 *              resumed below      paused at and above   dropped
 * </pre>
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

    /** The connection that a frame came over. Called while other senders wait: neither method blocks. */
    interface Flow {
        void pause();

        void resume();
    }

    @GuardedBy("this")
    private final Map<NodeId, Use> uses = new HashMap<>();

    @GuardedBy("this")
    private long clientsBytes;

    /** What one sender has here now; the entry goes with the last of it. */
    private static final class Use {
        int messages;
        long bytes;

        /** Those of its connections that are paused. A sender with a paused connection has something here. */
        final List<Flow> paused = new ArrayList<>();

        boolean atLeast(NodeId from, int divisor) {
            return messages >= messagesMax(from) / divisor || bytes >= bytesMax(from) / divisor;
        }
    }

    /** Whether there is room for a frame of {@code from}; then it must be {@linkplain #release released} once. */
    synchronized boolean admit(NodeId from, int bytes, Flow flow) {
        Use use = uses.computeIfAbsent(from, node -> new Use());
        boolean fits = use.messages == 0 || (use.messages < messagesMax(from) && use.bytes + bytes <= bytesMax(from));
        boolean fitsAll = from.isReplica() || clientsBytes == 0 || clientsBytes + bytes <= CLIENTS_BYTES_MAX;
        if (fits && fitsAll) {
            use.messages++;
            use.bytes += bytes;
            clientsBytes += from.isClient() ? bytes : 0;
        }
        boolean crowded = from.isClient() && clientsBytes >= CLIENTS_BYTES_MAX / 2;
        if (use.messages == 0) {
            uses.remove(from);
        } else if ((crowded || use.atLeast(from, 2)) && !use.paused.contains(flow)) {
            use.paused.add(flow);
            flow.pause();
        }
        return fits && fitsAll;
    }

    synchronized void release(NodeId from, int bytes) {
        Use use = uses.get(from);
        if (use == null) {
            throw new IllegalStateException("nothing of " + from + " is here");
        }
        use.messages--;
        use.bytes -= bytes;
        clientsBytes -= from.isClient() ? bytes : 0;
        if (use.messages == 0 || !use.atLeast(from, 4)) {
            use.paused.forEach(Flow::resume);
            use.paused.clear();
        }
        if (use.messages == 0) {
            uses.remove(from);
        }
    }

    private static int messagesMax(NodeId from) {
        return from.isReplica() ? REPLICA_MESSAGES_MAX : CLIENT_MESSAGES_MAX;
    }

    private static long bytesMax(NodeId from) {
        return from.isReplica() ? REPLICA_BYTES_MAX : CLIENT_BYTES_MAX;
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
