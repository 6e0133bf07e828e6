package io.pbft.protocol;

/**
 * Every bound of the wire and of memory that a peer could press against, by name. What an operator may tune is in
 * {@link ProtocolParameters}; its values are checked against these.
 */
public final class Limits {
    public static final int REPLICAS_MIN = 4;
    public static final int REPLICAS_MAX = 31;
    public static final int CLIENTS_MAX = 65_536;

    /** One operation, and one result, of the application. */
    public static final int OPERATION_BYTES_MAX = 256 << 10;

    public static final int RESULT_BYTES_MAX = 256 << 10;

    /** Operations that share one client signature, and their bytes together. */
    public static final int REQUEST_OPERATIONS_MAX = 1_024;

    public static final int REQUEST_BYTES_MAX = 1 << 20;

    /** Requests in one batch, and the bytes of the batch's encoding. */
    public static final int BATCH_REQUESTS_MAX = 4_096;

    public static final int BATCH_BYTES_MAX = 4 << 20;

    /** Operations in one batch, over all its requests. */
    public static final int BATCH_OPERATIONS_MAX = 8_192;

    /** Leaves of one tree of replies, which may gather the replies of several batches; and items of one REPLY. */
    public static final int REPLY_LEAVES_MAX = 65_536;

    /** Sequence numbers between the low and the high watermark: the log's size L. */
    public static final int WINDOW_MAX = 1_024;

    /** Bytes of operations in the log above the stable checkpoint, from which on a primary lets a checkpoint come first. */
    public static final long LOG_BYTES_MAX = 40L << 20;

    /** Numbers that one session of a client may have outstanding. */
    public static final int SESSION_WINDOW_MAX = 8_192;

    /** Sessions of one client that are remembered at the same time. */
    public static final int SESSIONS_PER_CLIENT_MAX = 64;

    /** Bytes of results that replicas keep until clients acknowledge them, of all clients together. */
    public static final int KEPT_RESULT_BYTES_MIN = 1 << 10;

    public static final int KEPT_RESULT_BYTES_MAX = 1 << 30;

    /** Levels of a Merkle path over the replies of a batch: enough for every operation that a batch can hold. */
    public static final int MERKLE_PATH_MAX = 32;

    /** A key and a value of the replicated state. */
    public static final int KEY_BYTES_MAX = 4 << 10;

    public static final int VALUE_BYTES_MAX = 256 << 10;

    /** Nodes of the state tree asked for, or sent, in one message; the bytes of one node, and of a message of nodes. */
    public static final int STATE_NODES_MAX = 256;

    public static final int STATE_NODE_BYTES_MAX = 8 << 20;
    public static final int STATE_PATH_BYTES_MAX = 64;

    /** Batches asked for in one message. */
    public static final int FETCH_BATCHES_MAX = 64;

    /** A frame: the largest message, which is a NEW-VIEW of the largest cluster with its window full. */
    public static final int FRAME_BYTES_MAX = 32 << 20;

    private Limits() {}
}
