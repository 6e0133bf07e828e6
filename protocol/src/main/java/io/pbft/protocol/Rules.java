package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.io.Serial;
import java.util.List;

/**
 * What must hold of a statement whoever signed it: who may say it, of which view and sequence number, and that
 * certificates are whole. Looks at no signature and hashes nothing, so a {@link Verifier} asks here before it spends
 * anything. Throws {@link Refused}. Thread-safe.
 */
final class Rules {
    /**
     * Ends a check with its one reason; becomes a {@link Verdict.Rejected} at the verifier's edge. Has no stack trace.
     */
    static final class Refused extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1L;

        private final transient Verdict.Rejected verdict;

        Refused(Rejection reason, String detail) {
            super(detail, null, false, false);
            this.verdict = new Verdict.Rejected(reason, detail);
        }

        Verdict.Rejected verdict() {
            return verdict;
        }
    }

    private final VerifierContext context;
    private final Quorum quorum;

    Rules(VerifierContext context) {
        this.context = context;
        this.quorum = context.quorum();
    }

    void statement(Statement statement) {
        if (!context.has(statement.signer())) {
            throw new Refused(Rejection.UNKNOWN_SIGNER, statement.type() + " by " + statement.signer());
        }
        switch (statement.type()) {
            case REQUEST -> request((Request) statement);
            case PRE_PREPARE -> prePrepare((PrePrepare) statement);
            case PREPARE -> prepare((Prepare) statement);
            case COMMIT -> vote((Vote) statement);
            case CHECKPOINT -> checkpoint((Checkpoint) statement);
            case VIEW_CHANGE -> viewChange((ViewChange) statement);
            case NEW_VIEW -> newView((NewView) statement);
            case REPLY_ROOT -> replyRoot((ReplyRoot) statement);
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
                    STATE_NODES -> throw new IllegalStateException(statement.type() + " is no statement");
        }
    }

    void request(Request request) {
        if (!context.has(request.signer())) {
            throw new Refused(Rejection.UNKNOWN_SIGNER, "REQUEST by " + request.signer());
        }
        List<Bytes> operations = request.operations();
        int count = operations.size();
        within("operations", count, 1, Limits.REQUEST_OPERATIONS_MAX);
        within("epoch", request.epoch(), 0, Long.MAX_VALUE);
        within("lowest", request.lowest(), 1, Long.MAX_VALUE);
        within("first", request.first(), request.lowest(), Long.MAX_VALUE - count);
        within("replier", request.replier(), -1, quorum.replicas() - 1L);
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            int size = operations.get(i).size();
            within("bytes of an operation", size, 0, Limits.OPERATION_BYTES_MAX);
            bytes += size;
        }
        within("bytes of the operations", bytes, 0, Limits.REQUEST_BYTES_MAX);
    }

    private static void within(String field, long value, long min, long max) {
        if (value < min || value > max) {
            throw new Refused(Rejection.BAD_REQUEST, field + ": expected " + min + " to " + max + ", found " + value);
        }
    }

    /** What can be said of a batch without hashing it; the digest, duplicates and signatures are left. */
    void batch(Batch batch) {
        List<Signed<Request>> requests = batch.requests();
        boolean isNull = requests.isEmpty();
        if (isNull != (batch.timeMillis() == 0) || batch.timeMillis() < 0) {
            throw new Refused(Rejection.BAD_BATCH, requests.size() + " requests with the time " + batch.timeMillis());
        }
        if (requests.size() > Limits.BATCH_REQUESTS_MAX || batch.operations() > Limits.BATCH_OPERATIONS_MAX) {
            throw new Refused(
                    Rejection.BAD_BATCH, requests.size() + " requests with " + batch.operations() + " operations");
        }
        long bytes = Long.BYTES + Integer.BYTES;
        for (int i = 0; i < requests.size(); i++) {
            Signed<Request> request = requests.get(i);
            request(request.statement());
            bytes += Codec.size(request);
        }
        if (bytes > Limits.BATCH_BYTES_MAX) {
            throw new Refused(Rejection.BAD_BATCH, "at most " + Limits.BATCH_BYTES_MAX + " bytes, found " + bytes);
        }
    }

    private void vote(Vote vote) {
        if (!context.has(vote.signer())) {
            throw new Refused(Rejection.UNKNOWN_SIGNER, vote.type() + " by " + vote.signer());
        }
        view(vote, vote.view(), 0);
        if (vote.seq() < 1) {
            throw new Refused(Rejection.BAD_SEQ, vote.type() + " for seq " + vote.seq());
        }
    }

    private static void view(Statement statement, long view, long min) {
        if (view < min) {
            throw new Refused(Rejection.BAD_VIEW, statement.type() + " for view " + view);
        }
    }

    void prePrepare(PrePrepare statement) {
        vote(statement);
        byPrimary(statement, statement.view(), statement.replica());
    }

    private void byPrimary(Statement statement, long view, int replica) {
        if (replica != quorum.primary(view)) {
            throw new Refused(
                    Rejection.NOT_BY_PRIMARY,
                    statement.type() + " by replica " + replica + ", primary of view " + view + " is replica "
                            + quorum.primary(view));
        }
    }

    // TOCS'02, section 2.3.2: 2f PREPAREs from different backups. The primary's PRE-PREPARE is its agreement.
    private void prepare(Prepare statement) {
        vote(statement);
        if (statement.replica() == quorum.primary(statement.view())) {
            throw new Refused(
                    Rejection.PREPARE_BY_PRIMARY, "replica " + statement.replica() + " in view " + statement.view());
        }
    }

    private void checkpoint(Checkpoint statement) {
        if (!context.has(statement.signer())) {
            throw new Refused(Rejection.UNKNOWN_SIGNER, "CHECKPOINT by " + statement.signer());
        }
        if (statement.seq() < 1 || statement.seq() % context.parameters().checkpointInterval() != 0) {
            throw new Refused(
                    Rejection.BAD_SEQ,
                    "CHECKPOINT at " + statement.seq() + ", interval "
                            + context.parameters().checkpointInterval());
        }
    }

    private void replyRoot(ReplyRoot statement) {
        view(statement, statement.view(), 0);
        if (statement.leaves() < 1 || statement.leaves() > Limits.REPLY_LEAVES_MAX) {
            throw new Refused(Rejection.BAD_FIELD, "a tree of " + statement.leaves() + " leaves");
        }
    }

    // Certificates

    void prepared(PreparedCertificate certificate) {
        prePrepare(certificate.prePrepare().statement());
        List<Signed<Prepare>> prepares = certificate.prepares();
        count("PREPAREs of a certificate", prepares.size(), quorum.prepares());
        int previous = -1;
        for (int i = 0; i < prepares.size(); i++) {
            Prepare prepare = prepares.get(i).statement();
            prepare(prepare);
            previous = ascending("PREPAREs of a certificate", previous, prepare.replica());
            matches(prepare, certificate.view(), certificate.seq(), certificate.digest());
        }
    }

    void committed(CommitCertificate certificate) {
        List<Signed<Commit>> commits = certificate.commits();
        count("COMMITs of a certificate", commits.size(), quorum.quorum());
        int previous = -1;
        for (int i = 0; i < commits.size(); i++) {
            Commit commit = commits.get(i).statement();
            vote(commit);
            previous = ascending("COMMITs of a certificate", previous, commit.replica());
            matches(commit, certificate.view(), certificate.seq(), certificate.digest());
        }
    }

    private static void matches(Vote vote, long view, long seq, Digest digest) {
        if (vote.view() != view || vote.seq() != seq || !vote.digest().equals(digest)) {
            throw new Refused(
                    Rejection.VOTE_MISMATCH, "certificate of (" + view + ", " + seq + ", " + digest + ") with " + vote);
        }
    }

    void stable(CheckpointCertificate certificate) {
        if (certificate.seq() == 0) {
            if (!certificate.equals(CheckpointCertificate.GENESIS)) {
                throw new Refused(Rejection.BAD_GENESIS, "a checkpoint at 0 with a state or a proof");
            }
            return;
        }
        List<Signed<Checkpoint>> proof = certificate.proof();
        count("CHECKPOINTs of a certificate", proof.size(), quorum.quorum());
        int previous = -1;
        for (int i = 0; i < proof.size(); i++) {
            Checkpoint vote = proof.get(i).statement();
            checkpoint(vote);
            previous = ascending("CHECKPOINTs of a certificate", previous, vote.replica());
            if (vote.seq() != certificate.seq() || !vote.state().equals(certificate.state())) {
                throw new Refused(
                        Rejection.VOTE_MISMATCH,
                        "certificate of (" + certificate.seq() + ", " + certificate.state() + ") with " + vote);
            }
        }
    }

    private static void count(String what, int found, int expected) {
        if (found != expected) {
            throw new Refused(Rejection.WRONG_COUNT, what + ": expected " + expected + ", found " + found);
        }
    }

    private static int ascending(String what, int previous, int next) {
        if (next <= previous) {
            throw new Refused(Rejection.NOT_ASCENDING, what + ": replica " + next + " after " + previous);
        }
        return next;
    }

    // VIEW-CHANGE and NEW-VIEW (OSDI'99, section 4.4)

    private void viewChange(ViewChange change) {
        if (!context.has(change.signer())) {
            throw new Refused(Rejection.UNKNOWN_SIGNER, "VIEW-CHANGE by " + change.signer());
        }
        view(change, change.view(), 1);
        stable(change.stable());
        long low = change.stable().seq();
        long high = low + context.parameters().window();
        long previous = low;
        for (PreparedCertificate certificate : change.prepared()) {
            long seq = certificate.seq();
            if (seq <= low || seq > high) {
                throw new Refused(Rejection.BAD_SEQ, "prepared " + seq + " outside of the window " + low + ".." + high);
            }
            if (seq <= previous) {
                throw new Refused(Rejection.NOT_ASCENDING, "prepared " + seq + " after " + previous);
            }
            previous = seq;
            if (certificate.view() >= change.view()) {
                throw new Refused(
                        Rejection.BAD_VIEW,
                        "prepared in view " + certificate.view() + " by one who leaves for " + change.view());
            }
            prepared(certificate);
        }
    }

    private void newView(NewView newView) {
        view(newView, newView.view(), 1);
        byPrimary(newView, newView.view(), newView.replica());
        List<Signed<ViewChange>> viewChanges = newView.viewChanges();
        count("VIEW-CHANGEs of a NEW-VIEW", viewChanges.size(), quorum.quorum());
        int previous = -1;
        for (Signed<ViewChange> signed : viewChanges) {
            ViewChange change = signed.statement();
            previous = ascending("VIEW-CHANGEs of a NEW-VIEW", previous, change.replica());
            if (change.view() != newView.view()) {
                throw new Refused(
                        Rejection.BAD_VIEW,
                        "a VIEW-CHANGE for " + change.view() + " in the NEW-VIEW of " + newView.view());
            }
            viewChange(change);
        }
        proposals(newView);
    }

    // Whether O is the right one is decided where it is computed from V; here: that it is a gapless list of this
    // view's.
    private void proposals(NewView newView) {
        List<Signed<PrePrepare>> proposals = newView.proposals();
        int window = context.parameters().window();
        if (proposals.size() > window) {
            throw new Refused(
                    Rejection.WRONG_COUNT, "O: expected at most " + window + " entries, found " + proposals.size());
        }
        for (int i = 0; i < proposals.size(); i++) {
            PrePrepare proposal = proposals.get(i).statement();
            if (proposal.view() != newView.view()) {
                throw new Refused(
                        Rejection.BAD_VIEW,
                        "a PRE-PREPARE of view " + proposal.view() + " in the NEW-VIEW of " + newView.view());
            }
            prePrepare(proposal);
            long before = i == 0
                    ? proposal.seq() - 1
                    : proposals.get(i - 1).statement().seq();
            if (proposal.seq() - 1 != before) {
                throw new Refused(Rejection.NOT_ASCENDING, "O: seq " + proposal.seq() + " after " + before);
            }
        }
    }
}
