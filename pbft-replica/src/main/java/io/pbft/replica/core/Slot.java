package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Commit;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Vote;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a replica knows of one sequence number of its window. NOT thread-safe. */
final class Slot {
    /** The view of a promise that was never made. */
    static final long NEVER = -1;

    final long seq;
    final VoteTable<Prepare> prepares = new VoteTable<>();
    final VoteTable<Commit> commits = new VoteTable<>();

    /** The PRE-PREPARE accepted last; it counts only in its own view. */
    private @Nullable Proposal accepted;

    /** The digest of a batch that was proposed but not accepted; one commit certificate makes it good. */
    private @Nullable Digest spare;

    private @Nullable PreparedCertificate prepared;
    private @Nullable CommitCertificate committed;

    /** Batches by digest: of the accepted proposal, the prepared certificate and the commit certificate, no others. */
    private final TreeMap<Digest, Batch> batches = new TreeMap<>();

    /** To whom the PRE-PREPARE accepted here was shown, and in which view last. */
    private final TreeMap<Integer, Long> shown = new TreeMap<>();

    /** The highest view in which this replica promised a PREPARE (or, as primary, a PRE-PREPARE), and a COMMIT. */
    long agreedView = NEVER;

    long commitView = NEVER;

    /** Requests of the accepted batch, from its first on, that were found to be settled. */
    int settledRequests;

    private final LogSize logSize;

    Slot(long seq, LogSize logSize) {
        this.seq = seq;
        this.logSize = logSize;
    }

    @Nullable
    Proposal accepted() {
        return accepted;
    }

    /** The proposal accepted in {@code view}, or null. */
    @Nullable
    Proposal acceptedIn(long view) {
        return accepted != null && accepted.prePrepare().statement().view() == view ? accepted : null;
    }

    /** The PRE-PREPARE of {@code view} that this replica accepted or knows to be prepared, or null. */
    @Nullable
    Signed<PrePrepare> prePrepareIn(long view) {
        Proposal proposal = acceptedIn(view);
        if (proposal != null) {
            return proposal.prePrepare();
        }
        return prepared != null && prepared.view() == view ? prepared.prePrepare() : null;
    }

    /** All votes of {@code view}, PREPAREs first, each in ascending order of their sender. */
    List<Vote> votesIn(long view) {
        List<Vote> votes = new ArrayList<>();
        prepares.in(view).forEach(vote -> votes.add(vote.statement()));
        commits.in(view).forEach(vote -> votes.add(vote.statement()));
        return votes;
    }

    /** Whether {@code replica} was not shown this slot's PRE-PREPARE of {@code view} yet; from now on it was. */
    boolean showsFirst(int replica, long view) {
        long last = shown.getOrDefault(replica, NEVER);
        shown.put(replica, Math.max(last, view));
        return last < view;
    }

    void accept(Proposal proposal) {
        accepted = proposal;
        settledRequests = 0;
        put(proposal.prePrepare().statement().digest(), proposal.batch());
        dropOtherBatches();
    }

    /** Keeps the content of a proposal that is not vouched for here, lest it must be fetched when the others commit it. */
    void keepSpare(Digest digest, Batch batch) {
        spare = digest;
        put(digest, batch);
        dropOtherBatches();
    }

    @Nullable
    PreparedCertificate prepared() {
        return prepared;
    }

    /** Keeps the certificate of the highest view (OSDI'99, section 4.4: what VIEW-CHANGE shows). */
    void prepared(PreparedCertificate certificate) {
        if (prepared == null || prepared.view() < certificate.view()) {
            prepared = certificate;
            dropOtherBatches();
        }
    }

    @Nullable
    CommitCertificate committed() {
        return committed;
    }

    void committed(CommitCertificate certificate) {
        InvariantViolation.check(committed == null, "a sequence number commits once");
        committed = certificate;
        dropOtherBatches();
    }

    @Nullable
    Batch batch(Digest digest) {
        return batches.get(digest);
    }

    /** Of the batches that are here: three at most. */
    Set<Digest> digests() {
        return batches.keySet();
    }

    /** Takes a batch that something here waits for. */
    boolean offer(Digest digest, Batch batch) {
        if (!wanted(digest)) {
            return false;
        }
        put(digest, batch);
        return true;
    }

    /** The committed batch once both its proof and its content are here. */
    @Nullable
    Batch executable() {
        return committed == null ? null : batches.get(committed.digest());
    }

    private boolean wanted(Digest digest) {
        return (spare != null && spare.equals(digest))
                || (accepted != null
                        && accepted.prePrepare().statement().digest().equals(digest))
                || (prepared != null && prepared.digest().equals(digest))
                || (committed != null && committed.digest().equals(digest));
    }

    private void put(Digest digest, Batch batch) {
        if (batches.putIfAbsent(digest, batch) == null) {
            logSize.add(batch);
        }
    }

    private void dropOtherBatches() {
        batches.entrySet().removeIf(entry -> {
            boolean dropped = !wanted(entry.getKey());
            if (dropped) {
                logSize.remove(entry.getValue());
            }
            return dropped;
        });
    }

    /**
     * {@code view} has begun. What an earlier one proposed here and this one does not is forgotten: where it prepared, or
     * committed, it is kept for that.
     */
    void viewBegan(long view) {
        if (accepted != null && accepted.prePrepare().statement().view() < view) {
            accepted = null;
            settledRequests = 0;
        }
        spare = null;
        dropOtherBatches();
    }

    /** The window moves past this slot. */
    void leavesLog() {
        batches.values().forEach(logSize::remove);
    }
}
