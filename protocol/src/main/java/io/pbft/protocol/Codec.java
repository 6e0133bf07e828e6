package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.MalformedMessage.Reason;
import io.pbft.protocol.Reply.Item;
import io.pbft.protocol.StateNodes.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The canonical encoding of everything that travels, is signed, or is kept (docs/wire-format.md has it byte by byte).
 *
 * <p>Canonical: one value has one encoding, and one encoding is of one value. Integers have fixed widths, lists that
 * stand for sets are ordered, flags are 0 or 1, nothing is optional without a flag and nothing may follow the end. So
 * {@code decode(encode(m))} equals m, and {@code encode(decode(b))} is b for every b that {@code decode} accepts: a
 * digest or a signature over an encoding is one over the value, and nobody can make a second frame that means the same.
 *
 * <p>Decoding checks form alone: ranges, limits, order. What a message claims is for the {@link Verifier}. Thread-safe.
 */
public final class Codec {
    /** client, epoch, number, seq, time, operation, outcome, result. */
    private static final int LEAF_BYTES = Integer.BYTES + 4 * Long.BYTES + 2 * Digest.SIZE + 1;

    /** A leaf, no result, the index and no path. */
    private static final int ITEM_BYTES_MIN = LEAF_BYTES + 1 + Integer.BYTES + Integer.BYTES;

    private static final MessageType[] TYPE_BY_CODE = new MessageType[256];
    private static final Outcome[] OUTCOME_BY_CODE = new Outcome[256];
    private static final Refusal.Reason[] REFUSAL_BY_CODE = new Refusal.Reason[256];

    static {
        for (MessageType type : MessageType.values()) {
            TYPE_BY_CODE[type.code() & 0xff] = type;
        }
        for (Outcome outcome : Outcome.values()) {
            OUTCOME_BY_CODE[outcome.code() & 0xff] = outcome;
        }
        for (Refusal.Reason reason : Refusal.Reason.values()) {
            REFUSAL_BY_CODE[reason.code() & 0xff] = reason;
        }
    }

    private Codec() {}

    /**
     * The frame of a message: its type's code, then its fields.
     *
     * @throws IllegalArgumentException when it does not fit in a frame, or a number does not fit in its field
     */
    public static byte[] encode(Message message) {
        WireWriter out = WireWriter.scratch();
        out.raw(message.type().code());
        put(out, message);
        if (out.size() > Limits.FRAME_BYTES_MAX) {
            throw new IllegalArgumentException(
                    message.type() + " of " + out.size() + " bytes: a frame has at most " + Limits.FRAME_BYTES_MAX);
        }
        return out.toByteArray();
    }

    /** @throws MalformedMessage when {@code frame} is not the encoding of a message */
    public static Message decode(byte[] frame) {
        return decode(frame, 0, frame.length);
    }

    /** @throws MalformedMessage when {@code frame} is not the encoding of a message */
    public static Message decode(Bytes frame) {
        return decode(frame.toByteArray());
    }

    /**
     * Decodes the bytes of {@code frame} from {@code from} to before {@code to}.
     *
     * @throws MalformedMessage when they are not the encoding of a message
     */
    public static Message decode(byte[] frame, int from, int to) {
        WireReader in = new WireReader(frame, from, to);
        if (in.remaining() > Limits.FRAME_BYTES_MAX) {
            throw new MalformedMessage(
                    Reason.TOO_LONG, "a frame has at most " + Limits.FRAME_BYTES_MAX + " bytes, not " + in.remaining());
        }
        byte code = in.raw("type");
        MessageType type = TYPE_BY_CODE[code & 0xff];
        if (type == null) {
            throw in.malformed(Reason.UNKNOWN_TYPE, "type", "the code of a message type", code & 0xff);
        }
        Message message = get(in, type);
        in.end();
        return message;
    }

    // What the journal keeps besides messages

    public static byte[] encode(Batch batch) {
        WireWriter out = WireWriter.scratch();
        putBatch(out, batch);
        return out.toByteArray();
    }

    public static Batch decodeBatch(Bytes encoding) {
        WireReader in = new WireReader(encoding.toByteArray());
        Batch batch = batch(in);
        in.end();
        return batch;
    }

    public static byte[] encode(PreparedCertificate certificate) {
        WireWriter out = WireWriter.scratch();
        StatementCodec.putPrepared(out, certificate);
        return out.toByteArray();
    }

    public static PreparedCertificate decodePreparedCertificate(Bytes encoding) {
        WireReader in = new WireReader(encoding.toByteArray());
        PreparedCertificate certificate = StatementCodec.prepared(in);
        in.end();
        return certificate;
    }

    public static byte[] encode(CheckpointCertificate certificate) {
        WireWriter out = WireWriter.scratch();
        StatementCodec.putCheckpointCertificate(out, certificate);
        return out.toByteArray();
    }

    public static CheckpointCertificate decodeCheckpointCertificate(Bytes encoding) {
        WireReader in = new WireReader(encoding.toByteArray());
        CheckpointCertificate certificate = StatementCodec.checkpointCertificate(in);
        in.end();
        return certificate;
    }

    public static byte[] encode(CommitCertificate certificate) {
        WireWriter out = WireWriter.scratch();
        StatementCodec.putCommitCertificate(out, certificate);
        return out.toByteArray();
    }

    public static CommitCertificate decodeCommitCertificate(Bytes encoding) {
        WireReader in = new WireReader(encoding.toByteArray());
        CommitCertificate certificate = StatementCodec.commitCertificate(in);
        in.end();
        return certificate;
    }

    // Digests and sizes

    /** The digest that a PRE-PREPARE names: see {@link Batch#digest}. */
    public static Digest digest(Batch batch) {
        return batch.digest();
    }

    /** The SHA-256 of a statement's encoding, without type and signature: what goes into its {@link SigningPayload}. */
    public static Digest digest(Statement statement) {
        return statement instanceof Request request ? request.digest() : computeDigest(statement);
    }

    /** What {@link Batch#digest} remembers. */
    static Digest computeDigest(Batch batch) {
        WireWriter out = WireWriter.scratch();
        putBatch(out, batch);
        return out.digest();
    }

    static Digest computeDigest(Statement statement) {
        WireWriter out = WireWriter.scratch();
        StatementCodec.put(out, statement);
        return out.digest();
    }

    /** The encoding of a leaf, whose {@code MerkleTree.leafHash} goes into the tree that a {@link ReplyRoot} signs. */
    public static byte[] leafBytes(ReplyLeaf leaf) {
        WireWriter out = WireWriter.scratch();
        putLeaf(out, leaf);
        return out.toByteArray();
    }

    /** How many bytes a signed request takes in a batch. */
    public static int size(Signed<Request> request) {
        long size = StatementCodec.SIGNED_REQUEST_BYTES_MIN;
        for (Bytes operation : request.statement().operations()) {
            size += Integer.BYTES + operation.size();
        }
        return Math.toIntExact(size);
    }

    /** How many bytes the largest NEW-VIEW can have in a cluster of this size with this window. */
    public static long newViewBytesMax(Quorum quorum, int window) {
        return StatementCodec.newViewBytesMax(quorum, window);
    }

    // The messages

    private static void put(WireWriter out, Message message) {
        switch (message.type()) {
            case REQUEST, PRE_PREPARE, PREPARE, COMMIT, CHECKPOINT, VIEW_CHANGE, NEW_VIEW, REPLY_ROOT ->
                StatementCodec.putSigned(out, (Signed<?>) message);
            case PROPOSAL -> {
                Proposal proposal = (Proposal) message;
                StatementCodec.putSigned(out, proposal.prePrepare());
                putBatch(out, proposal.batch());
            }
            case REPLY -> putReply(out, (Reply) message);
            case REPLY_FETCH -> {
                ReplyFetch fetch = (ReplyFetch) message;
                out.i64(fetch.epoch());
                out.i64(fetch.number());
            }
            case REFUSAL -> {
                Refusal refusal = (Refusal) message;
                out.i64(refusal.epoch());
                out.i64(refusal.number());
                out.raw(refusal.reason().code());
            }
            case READ_REQUEST -> {
                ReadRequest request = (ReadRequest) message;
                out.i64(request.nonce());
                out.bool(request.upToDate());
                out.bool(request.full());
                out.bytes(request.operation());
            }
            case READ_REPLY -> putReadReply(out, (ReadReply) message);
            case STATUS -> putStatus(out, (Status) message);
            case DECISION -> {
                Decision decision = (Decision) message;
                StatementCodec.putCommitCertificate(out, decision.certificate());
                putBatch(out, decision.batch());
            }
            case STABLE_PROOF -> StatementCodec.putCheckpointCertificate(out, ((StableProof) message).certificate());
            case BATCH_FETCH -> {
                List<Digest> digests = ((BatchFetch) message).digests();
                out.u32(digests.size());
                digests.forEach(out::digest);
            }
            case BATCH_BODY -> putBatch(out, ((BatchBody) message).batch());
            case STATE_FETCH -> putStateFetch(out, (StateFetch) message);
            case STATE_NODES -> putStateNodes(out, (StateNodes) message);
        }
    }

    private static Message get(WireReader in, MessageType type) {
        return switch (type) {
            case REQUEST -> StatementCodec.signedRequest(in);
            case PRE_PREPARE -> StatementCodec.signedPrePrepare(in);
            case PREPARE -> StatementCodec.signedPrepare(in);
            case COMMIT -> StatementCodec.signedCommit(in);
            case CHECKPOINT -> StatementCodec.signedCheckpoint(in);
            case VIEW_CHANGE -> StatementCodec.signedViewChange(in);
            case NEW_VIEW -> StatementCodec.signedNewView(in);
            case REPLY_ROOT -> StatementCodec.signedReplyRoot(in);
            case PROPOSAL -> new Proposal(StatementCodec.signedPrePrepare(in), batch(in));
            case REPLY -> reply(in);
            case REPLY_FETCH -> new ReplyFetch(in.i64("epoch"), in.i64("number"));
            case REFUSAL -> new Refusal(in.i64("epoch"), in.i64("number"), code(in, "reason", REFUSAL_BY_CODE));
            case READ_REQUEST ->
                new ReadRequest(
                        in.anyI64("nonce"),
                        in.bool("upToDate"),
                        in.bool("full"),
                        in.bytes("operation", Limits.OPERATION_BYTES_MAX));
            case READ_REPLY ->
                new ReadReply(
                        in.anyI64("nonce"),
                        in.i64("seq"),
                        in.i64("timeMillis"),
                        code(in, "outcome", OUTCOME_BY_CODE),
                        in.digest("digest"),
                        result(in));
            case STATUS ->
                new Status(
                        in.i64("view"),
                        in.bool("changingView"),
                        in.i64("lastExecuted"),
                        in.i64("stable"),
                        in.bool("answer"),
                        in.i64("awaited"));
            case DECISION -> new Decision(StatementCodec.commitCertificate(in), batch(in));
            case STABLE_PROOF -> new StableProof(StatementCodec.checkpointCertificate(in));
            case BATCH_FETCH -> batchFetch(in);
            case BATCH_BODY -> new BatchBody(batch(in));
            case STATE_FETCH -> stateFetch(in);
            case STATE_NODES -> stateNodes(in);
        };
    }

    private static <E> E code(WireReader in, String field, E[] byCode) {
        byte code = in.raw(field);
        E value = byCode[code & 0xff];
        if (value == null) {
            throw in.malformed(Reason.UNKNOWN_CODE, field, "a known code", code & 0xff);
        }
        return value;
    }

    // Batches

    private static void putBatch(WireWriter out, Batch batch) {
        out.i64(batch.timeMillis());
        List<Signed<Request>> requests = batch.requests();
        out.u32(requests.size());
        for (int i = 0; i < requests.size(); i++) {
            Signed<Request> request = requests.get(i);
            StatementCodec.putRequest(out, request.statement());
            out.signature(request.signature());
        }
    }

    private static Batch batch(WireReader in) {
        int start = in.position();
        long timeMillis = in.i64("timeMillis");
        int count = in.count("requests", Limits.BATCH_REQUESTS_MAX, StatementCodec.SIGNED_REQUEST_BYTES_MIN);
        List<Signed<Request>> requests = new ArrayList<>(count);
        int operations = 0;
        for (int i = 0; i < count; i++) {
            Signed<Request> request = StatementCodec.signedRequest(in);
            operations += request.statement().operations().size();
            requests.add(request);
            if (operations > Limits.BATCH_OPERATIONS_MAX) {
                throw in.malformed(
                        Reason.TOO_MANY, "operations of a batch", "at most " + Limits.BATCH_OPERATIONS_MAX, operations);
            }
            if (in.position() - start > Limits.BATCH_BYTES_MAX) {
                throw in.malformed(
                        Reason.TOO_LONG, "batch", "at most " + Limits.BATCH_BYTES_MAX, in.position() - start);
            }
        }
        return new Batch(timeMillis, requests);
    }

    private static BatchFetch batchFetch(WireReader in) {
        int count = in.count("digests", Limits.FETCH_BATCHES_MAX, Digest.SIZE);
        List<Digest> digests = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            digests.add(in.digest("digest"));
        }
        return new BatchFetch(digests);
    }

    // Replies

    private static void putReply(WireWriter out, Reply reply) {
        StatementCodec.putSigned(out, reply.root());
        out.u32(reply.items().size());
        for (Item item : reply.items()) {
            putLeaf(out, item.leaf());
            putResult(out, item.result());
            out.u32(item.index());
            out.u32(item.path().size());
            item.path().forEach(out::digest);
        }
    }

    private static Reply reply(WireReader in) {
        Signed<ReplyRoot> root = StatementCodec.signedReplyRoot(in);
        int count = in.count("items", Limits.REPLY_LEAVES_MAX, ITEM_BYTES_MIN);
        List<Item> items = new ArrayList<>(count);
        int previous = -1;
        for (int i = 0; i < count; i++) {
            Item item = item(in);
            if (item.index() <= previous) {
                throw in.malformed(Reason.OUT_OF_ORDER, "items", "an index above " + previous, item.index());
            }
            previous = item.index();
            items.add(item);
        }
        return new Reply(root, items);
    }

    private static Item item(WireReader in) {
        ReplyLeaf leaf = leaf(in);
        Optional<Bytes> result = result(in);
        int index = in.u32("index", Limits.REPLY_LEAVES_MAX - 1);
        int count = in.count("path", Limits.MERKLE_PATH_MAX, Digest.SIZE);
        List<Digest> path = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            path.add(in.digest("path"));
        }
        return new Item(leaf, result, index, path);
    }

    private static void putLeaf(WireWriter out, ReplyLeaf leaf) {
        out.u32(leaf.client());
        out.i64(leaf.epoch());
        out.i64(leaf.number());
        out.i64(leaf.seq());
        out.i64(leaf.timeMillis());
        out.digest(leaf.operation());
        out.raw(leaf.outcome().code());
        out.digest(leaf.result());
    }

    private static ReplyLeaf leaf(WireReader in) {
        return new ReplyLeaf(
                in.u32("client", Limits.CLIENTS_MAX - 1),
                in.i64("epoch"),
                in.i64("number"),
                in.i64("seq"),
                in.i64("timeMillis"),
                in.digest("operation"),
                code(in, "outcome", OUTCOME_BY_CODE),
                in.digest("result"));
    }

    private static void putResult(WireWriter out, Optional<Bytes> result) {
        out.bool(result.isPresent());
        result.ifPresent(out::bytes);
    }

    private static Optional<Bytes> result(WireReader in) {
        return in.bool("result present") ? Optional.of(in.bytes("result", Limits.RESULT_BYTES_MAX)) : Optional.empty();
    }

    private static void putReadReply(WireWriter out, ReadReply reply) {
        out.i64(reply.nonce());
        out.i64(reply.seq());
        out.i64(reply.timeMillis());
        out.raw(reply.outcome().code());
        out.digest(reply.digest());
        putResult(out, reply.result());
    }

    // Where a replica stands, and its state

    private static void putStatus(WireWriter out, Status status) {
        out.i64(status.view());
        out.bool(status.changingView());
        out.i64(status.lastExecuted());
        out.i64(status.stable());
        out.bool(status.answer());
        out.i64(status.awaited());
    }

    private static void putStateFetch(WireWriter out, StateFetch fetch) {
        out.i64(fetch.seq());
        out.u32(fetch.paths().size());
        fetch.paths().forEach(out::bytes);
    }

    private static StateFetch stateFetch(WireReader in) {
        long seq = in.i64("seq");
        int count = in.count("paths", Limits.STATE_NODES_MAX, Integer.BYTES);
        List<Bytes> paths = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            paths.add(in.bytes("path", Limits.STATE_PATH_BYTES_MAX));
        }
        return new StateFetch(seq, paths);
    }

    private static void putStateNodes(WireWriter out, StateNodes nodes) {
        out.i64(nodes.seq());
        out.bool(nodes.available());
        out.u32(nodes.nodes().size());
        for (Node node : nodes.nodes()) {
            out.bytes(node.path());
            out.bytes(node.content());
        }
    }

    private static StateNodes stateNodes(WireReader in) {
        long seq = in.i64("seq");
        boolean available = in.bool("available");
        int count = in.count("nodes", available ? Limits.STATE_NODES_MAX : 0, 2 * Integer.BYTES);
        List<Node> nodes = new ArrayList<>(count);
        int left = Limits.STATE_NODE_BYTES_MAX;
        for (int i = 0; i < count; i++) {
            Bytes path = in.bytes("path", Limits.STATE_PATH_BYTES_MAX);
            Bytes content = in.bytes("content", left);
            left -= content.size();
            nodes.add(new Node(path, content));
        }
        return new StateNodes(seq, available, nodes);
    }
}
