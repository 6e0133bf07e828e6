package io.pbft.simulator.check;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.crypto.Digest;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Codec;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Promise;
import io.pbft.replica.core.ReplicaReport;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * What a correct replica has made durable it stands by, through changes of view and restarts:
 *
 * <ul>
 *   <li>its view: it never goes back;
 *   <li>what its view began with: there it agrees to nothing else at a number that the NEW-VIEW carries over, and votes for
 *       nothing at or below the checkpoint that the NEW-VIEW proves;
 *   <li>what has prepared: a VIEW-CHANGE shows, for each number, nothing older than the newest certificate it wrote down
 *       (OSDI'99, section 4.4);
 *   <li>the batches of what has prepared: it never has to ask for one (trap 17 of docs/protocol.md);
 *   <li>its COMMITs: an up-to-date read is answered only from a state that has executed every number for which it had
 *       promised COMMIT when the read came (SRDS'21, docs/divergence.md).
 * </ul>
 *
 * <p>Agreement and linearizability need all of them, but show it only when several replicas forget the same at the worst moment.
 * Single votes are the business of {@link Promises}. NOT thread-safe.
 */
public final class Bonds {
    private record Read(int client, long nonce) {}

    private record Certified(long view, Digest digest) {}

    /** One replica's. */
    private static final class Bound {
        /** The highest view of a durable VIEW-CHANGE or NEW-VIEW. */
        long view;

        /** The view of the durable NEW-VIEW, the checkpoint that it proves, and what it carries over. */
        long begunView = -1;

        long beginsAt;
        final TreeMap<Long, Digest> carriedOver = new TreeMap<>();

        /** By sequence number, the highest view of a durable prepared certificate. */
        final TreeMap<Long, Long> prepared = new TreeMap<>();

        /** By sequence number, the certificate that it wanted to write down last. */
        final TreeMap<Long, Certified> certified = new TreeMap<>();

        /** The highest number of a durable COMMIT. */
        long committed;

        /** What was {@link #committed} when a read came. Looked up, never iterated over. */
        final Map<Read, Long> reads = new HashMap<>();
    }

    private final Findings findings;
    private final TreeMap<Integer, Bound> replicas = new TreeMap<>();

    public Bonds(Findings findings) {
        this.findings = findings;
    }

    private Bound of(int replica) {
        return replicas.computeIfAbsent(replica, r -> new Bound());
    }

    /** An entry became durable at a correct replica. */
    public void durable(int replica, JournalEntry entry) {
        Bound bound = of(replica);
        switch (entry.kind()) {
            case VIEW_CHANGE ->
                bound.view =
                        Math.max(bound.view, decoded(entry, ViewChange.class).view());
            case NEW_VIEW -> begins(bound, decoded(entry, NewView.class));
            case PREPARED -> bound.prepared.merge(entry.seq(), entry.view(), Math::max);
            case PREPARE -> {
                voted(replica, bound, entry);
                Digest carriedOver = entry.view() == bound.begunView ? bound.carriedOver.get(entry.seq()) : null;
                if (carriedOver != null) {
                    demand(
                            decoded(entry, Prepare.class).digest().equals(carriedOver),
                            () -> "replica " + replica + " agrees to something else at " + entry.seq()
                                    + " than what view " + entry.view() + " carries over");
                }
            }
            case COMMIT -> {
                voted(replica, bound, entry);
                bound.committed = Math.max(bound.committed, entry.seq());
            }
            case PROPOSAL, CHECKPOINT, STABLE -> {}
        }
    }

    private void voted(int replica, Bound bound, JournalEntry entry) {
        demand(
                entry.view() != bound.begunView || entry.seq() > bound.beginsAt,
                () -> "replica " + replica + " signs a " + entry.kind() + " at " + entry.seq() + " in view "
                        + entry.view() + ", which begins at the checkpoint " + bound.beginsAt);
    }

    private static void begins(Bound bound, NewView newView) {
        bound.view = Math.max(bound.view, newView.view());
        bound.begunView = newView.view();
        bound.beginsAt = newView.viewChanges().stream()
                .mapToLong(change -> change.statement().stable().seq())
                .max()
                .orElse(0);
        bound.carriedOver.clear();
        for (Signed<PrePrepare> proposal : newView.proposals()) {
            bound.carriedOver.put(
                    proposal.statement().seq(), proposal.statement().digest());
        }
    }

    /** Where a correct replica stands, at any time, and first of all when it has started. */
    public void reported(int replica, ReplicaReport report) {
        long view = of(replica).view;
        demand(
                report.view() >= view,
                () -> "replica " + replica + " is in view " + report.view() + " after view " + view);
    }

    /** A correct replica's core gets a read. */
    public void asked(int replica, int client, ReadRequest request) {
        if (request.upToDate()) {
            Bound bound = of(replica);
            bound.reads.putIfAbsent(new Read(client, request.nonce()), bound.committed);
        }
    }

    /** A correct replica asks others for batches; {@code stable} is its stable checkpoint. */
    public void fetches(int replica, BatchFetch fetch, long stable) {
        Bound bound = of(replica);
        bound.certified.tailMap(stable, false).forEach((seq, certificate) -> {
            Long durable = bound.prepared.get(seq);
            demand(
                    durable == null
                            || durable != certificate.view
                            || !fetch.digests().contains(certificate.digest),
                    () -> "replica " + replica + " asks for the batch at " + seq + ", which it has prepared in view "
                            + certificate.view);
        });
    }

    /** A correct replica's core wants this done. */
    public void wanted(int replica, Effect effect) {
        if (effect instanceof Effect.Query query) {
            Long committed = of(replica).reads.remove(new Read(query.client(), query.nonce()));
            demand(
                    committed == null || query.seq() >= committed,
                    () -> "replica " + replica + " answers a read of client " + query.client()
                            + " from its state after " + query.seq() + ", though it had promised COMMIT for "
                            + committed + " when the read came");
        } else if (effect instanceof Effect.Bind bind) {
            if (bind.promise() instanceof Promise.LeaveView leave) {
                shows(replica, leave.viewChange());
            } else if (bind.promise() instanceof Promise.CommitTo commit) {
                PreparedCertificate c = commit.certificate();
                of(replica).certified.put(c.seq(), new Certified(c.view(), c.digest()));
            }
        }
    }

    private void shows(int replica, ViewChange change) {
        Map<Long, Long> shown = new HashMap<>();
        for (PreparedCertificate certificate : change.prepared()) {
            shown.put(certificate.seq(), certificate.view());
        }
        of(replica).prepared.tailMap(change.stable().seq(), false).forEach((seq, view) -> {
            Long best = shown.get(seq);
            demand(
                    best != null && best >= view,
                    () -> "replica " + replica + " shows "
                            + (best == null ? "nothing" : "the certificate of view " + best)
                            + " for " + seq + " in its VIEW-CHANGE to " + change.view()
                            + ", and has prepared there in view " + view);
        });
    }

    private static <S> S decoded(JournalEntry entry, Class<S> kind) {
        return kind.cast(((Signed<?>) Codec.decode(entry.content())).statement());
    }

    private void demand(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            findings.report(Check.PROMISES, otherwise.get());
        }
    }
}
