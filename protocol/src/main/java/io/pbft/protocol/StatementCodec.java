package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.MalformedMessage.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * Statements, and the certificates that are made of them, byte by byte: each {@code put} beside its {@code get}. A
 * statement has no type byte here: its place says what it is. A signed statement is the statement and then the 64
 * bytes of its signature.
 */
final class StatementCodec {
    /** view, seq, digest, replica. */
    static final int VOTE_BYTES = Long.BYTES + Long.BYTES + Digest.SIZE + 1;

    static final int SIGNED_VOTE_BYTES = VOTE_BYTES + Signature.SIZE;

    /** seq, state, replica, signature. */
    static final int SIGNED_CHECKPOINT_BYTES = Long.BYTES + Digest.SIZE + 1 + Signature.SIZE;

    /** A certificate without PREPAREs. */
    static final int PREPARED_CERTIFICATE_BYTES_MIN = SIGNED_VOTE_BYTES + Integer.BYTES;

    /** seq, state, count. */
    static final int CHECKPOINT_CERTIFICATE_BYTES_MIN = Long.BYTES + Digest.SIZE + Integer.BYTES;

    /** client, epoch, lowest, first, replier, count. */
    static final int REQUEST_BYTES_MIN = Integer.BYTES + 3 * Long.BYTES + 1 + Integer.BYTES;

    static final int SIGNED_REQUEST_BYTES_MIN = REQUEST_BYTES_MIN + Signature.SIZE;

    /** view, certificate, count, replica, signature. */
    static final int SIGNED_VIEW_CHANGE_BYTES_MIN =
            Long.BYTES + CHECKPOINT_CERTIFICATE_BYTES_MIN + Integer.BYTES + 1 + Signature.SIZE;

    private StatementCodec() {}

    static void put(WireWriter out, Statement statement) {
        switch (statement.type()) {
            case REQUEST -> putRequest(out, (Request) statement);
            case PRE_PREPARE, PREPARE, COMMIT -> putVote(out, (Vote) statement);
            case CHECKPOINT -> putCheckpoint(out, (Checkpoint) statement);
            case VIEW_CHANGE -> putViewChange(out, (ViewChange) statement);
            case NEW_VIEW -> putNewView(out, (NewView) statement);
            case REPLY_ROOT -> putReplyRoot(out, (ReplyRoot) statement);
            case PROPOSAL,
                    REPLY,
                    REPLY_FETCH,
                    REFUSAL,
                    READ_REQUEST,
                    READ_REPLY,
                    STATUS,
                    DECISION,
                    STABLE_PROOF,
                    BATCH_FETCH,
                    BATCH_BODY,
                    STATE_FETCH,
                    STATE_NODES -> throw new IllegalArgumentException(statement.type() + " is no statement");
        }
    }

    static void putSigned(WireWriter out, Signed<?> signed) {
        put(out, signed.statement());
        out.signature(signed.signature());
    }

    private static <S extends Statement> void putAll(WireWriter out, List<Signed<S>> list) {
        out.u32(list.size());
        for (int i = 0; i < list.size(); i++) {
            putSigned(out, list.get(i));
        }
    }

    private static <S extends Statement> Signed<S> signed(WireReader in, S statement) {
        return new Signed<>(statement, in.signature("signature"));
    }

    private static int replica(WireReader in) {
        return in.u8("replica", Limits.REPLICAS_MAX - 1);
    }

    /** Signed statements in ascending order of their replica, each once: so one set has one encoding. */
    private static <S extends Statement> List<Signed<S>> ascending(
            WireReader in,
            String field,
            int elementBytesMin,
            Function<WireReader, Signed<S>> element,
            ToIntFunction<S> replica) {
        int count = in.count(field, Limits.REPLICAS_MAX, elementBytesMin);
        List<Signed<S>> list = new ArrayList<>(count);
        int previous = -1;
        for (int i = 0; i < count; i++) {
            Signed<S> next = element.apply(in);
            int current = replica.applyAsInt(next.statement());
            if (current <= previous) {
                throw in.malformed(Reason.OUT_OF_ORDER, field, "a replica above " + previous, current);
            }
            previous = current;
            list.add(next);
        }
        return list;
    }

    // REQUEST

    static void putRequest(WireWriter out, Request request) {
        out.u32(request.client());
        out.i64(request.epoch());
        out.i64(request.lowest());
        out.i64(request.first());
        out.u8(request.replier() + 1);
        List<Bytes> operations = request.operations();
        out.u32(operations.size());
        for (int i = 0; i < operations.size(); i++) {
            out.bytes(operations.get(i));
        }
    }

    static Signed<Request> signedRequest(WireReader in) {
        int client = in.u32("client", Limits.CLIENTS_MAX - 1);
        long epoch = in.i64("epoch");
        long lowest = in.i64("lowest");
        long first = in.i64("first");
        int replier = in.u8("replier", Limits.REPLICAS_MAX) - 1;
        int count = in.count("operations", Limits.REQUEST_OPERATIONS_MAX, Integer.BYTES);
        List<Bytes> operations = new ArrayList<>(count);
        int left = Limits.REQUEST_BYTES_MAX;
        for (int i = 0; i < count; i++) {
            Bytes operation = in.bytes("operation", Math.min(left, Limits.OPERATION_BYTES_MAX));
            left -= operation.size();
            operations.add(operation);
        }
        return signed(in, new Request(client, epoch, lowest, first, replier, operations));
    }

    // PRE-PREPARE, PREPARE, COMMIT

    private static void putVote(WireWriter out, Vote vote) {
        out.i64(vote.view());
        out.i64(vote.seq());
        out.digest(vote.digest());
        out.u8(vote.replica());
    }

    static Signed<PrePrepare> signedPrePrepare(WireReader in) {
        return signed(in, new PrePrepare(in.i64("view"), in.i64("seq"), in.digest("digest"), replica(in)));
    }

    static Signed<Prepare> signedPrepare(WireReader in) {
        return signed(in, new Prepare(in.i64("view"), in.i64("seq"), in.digest("digest"), replica(in)));
    }

    static Signed<Commit> signedCommit(WireReader in) {
        return signed(in, new Commit(in.i64("view"), in.i64("seq"), in.digest("digest"), replica(in)));
    }

    // CHECKPOINT and REPLY-ROOT

    private static void putCheckpoint(WireWriter out, Checkpoint checkpoint) {
        out.i64(checkpoint.seq());
        out.digest(checkpoint.state());
        out.u8(checkpoint.replica());
    }

    static Signed<Checkpoint> signedCheckpoint(WireReader in) {
        return signed(in, new Checkpoint(in.i64("seq"), in.digest("state"), replica(in)));
    }

    private static void putReplyRoot(WireWriter out, ReplyRoot root) {
        out.i64(root.view());
        out.digest(root.root());
        out.u32(root.leaves());
        out.u8(root.replica());
    }

    static Signed<ReplyRoot> signedReplyRoot(WireReader in) {
        return signed(
                in,
                new ReplyRoot(
                        in.i64("view"), in.digest("root"), in.u32("leaves", Limits.REPLY_LEAVES_MAX), replica(in)));
    }

    // Certificates

    static void putPrepared(WireWriter out, PreparedCertificate certificate) {
        putSigned(out, certificate.prePrepare());
        putAll(out, certificate.prepares());
    }

    static PreparedCertificate prepared(WireReader in) {
        return new PreparedCertificate(
                signedPrePrepare(in),
                ascending(in, "prepares", SIGNED_VOTE_BYTES, StatementCodec::signedPrepare, Prepare::replica));
    }

    static void putCommitCertificate(WireWriter out, CommitCertificate certificate) {
        out.i64(certificate.view());
        out.i64(certificate.seq());
        out.digest(certificate.digest());
        putAll(out, certificate.commits());
    }

    static CommitCertificate commitCertificate(WireReader in) {
        return new CommitCertificate(
                in.i64("view"),
                in.i64("seq"),
                in.digest("digest"),
                ascending(in, "commits", SIGNED_VOTE_BYTES, StatementCodec::signedCommit, Commit::replica));
    }

    static void putCheckpointCertificate(WireWriter out, CheckpointCertificate certificate) {
        out.i64(certificate.seq());
        out.digest(certificate.state());
        putAll(out, certificate.proof());
    }

    static CheckpointCertificate checkpointCertificate(WireReader in) {
        return new CheckpointCertificate(
                in.i64("seq"),
                in.digest("state"),
                ascending(in, "proof", SIGNED_CHECKPOINT_BYTES, StatementCodec::signedCheckpoint, Checkpoint::replica));
    }

    // VIEW-CHANGE and NEW-VIEW

    private static void putViewChange(WireWriter out, ViewChange change) {
        out.i64(change.view());
        putCheckpointCertificate(out, change.stable());
        List<PreparedCertificate> prepared = change.prepared();
        out.u32(prepared.size());
        for (int i = 0; i < prepared.size(); i++) {
            putPrepared(out, prepared.get(i));
        }
        out.u8(change.replica());
    }

    static Signed<ViewChange> signedViewChange(WireReader in) {
        long view = in.i64("view");
        CheckpointCertificate stable = checkpointCertificate(in);
        int count = in.count("prepared", Limits.WINDOW_MAX, PREPARED_CERTIFICATE_BYTES_MIN);
        List<PreparedCertificate> prepared = new ArrayList<>(count);
        long previous = -1;
        for (int i = 0; i < count; i++) {
            PreparedCertificate next = prepared(in);
            if (next.seq() <= previous) {
                throw in.malformed(Reason.OUT_OF_ORDER, "prepared", "a seq above " + previous, next.seq());
            }
            previous = next.seq();
            prepared.add(next);
        }
        return signed(in, new ViewChange(view, stable, prepared, replica(in)));
    }

    private static void putNewView(WireWriter out, NewView newView) {
        out.i64(newView.view());
        putAll(out, newView.viewChanges());
        putAll(out, newView.proposals());
        out.u8(newView.replica());
    }

    static Signed<NewView> signedNewView(WireReader in) {
        long view = in.i64("view");
        List<Signed<ViewChange>> viewChanges = ascending(
                in, "viewChanges", SIGNED_VIEW_CHANGE_BYTES_MIN, StatementCodec::signedViewChange, ViewChange::replica);
        int count = in.count("proposals", Limits.WINDOW_MAX, SIGNED_VOTE_BYTES);
        List<Signed<PrePrepare>> proposals = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Signed<PrePrepare> next = signedPrePrepare(in);
            long seq = next.statement().seq();
            if (i > 0 && seq - 1 != proposals.get(i - 1).statement().seq()) {
                throw in.malformed(Reason.OUT_OF_ORDER, "proposals", "the seq after the one before", seq);
            }
            proposals.add(next);
        }
        return signed(in, new NewView(view, viewChanges, proposals, replica(in)));
    }

    /**
     * The bytes of the largest NEW-VIEW, type byte and signature included, that a cluster with this window can need.
     */
    static long newViewBytesMax(Quorum quorum, int window) {
        long prepared = PREPARED_CERTIFICATE_BYTES_MIN + (long) quorum.prepares() * SIGNED_VOTE_BYTES;
        long viewChange =
                SIGNED_VIEW_CHANGE_BYTES_MIN + (long) quorum.quorum() * SIGNED_CHECKPOINT_BYTES + window * prepared;
        return 1
                + Long.BYTES
                + Integer.BYTES
                + quorum.quorum() * viewChange
                + Integer.BYTES
                + (long) window * SIGNED_VOTE_BYTES
                + 1
                + Signature.SIZE;
    }
}
