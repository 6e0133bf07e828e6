package io.pbft.simulator.check;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import io.pbft.protocol.Vote;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Promise;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Verifies anew every certificate that a correct replica writes down or sends, with rules written from the paper (OSDI'99,
 * sections 4.2 to 4.4) and not shared with the product: it counts on its own, and computes O on its own. NOT thread-safe.
 */
public final class Certificates {
    private final Findings findings;
    private final int replicas;
    private final int interval;
    private final Predicate<Signed<?>> isSigned;

    /** What was found to be signed, by identity: the same votes come in many certificates. Looked up, never iterated over. */
    private final Set<Signed<?>> signed = Collections.newSetFromMap(new IdentityHashMap<>());

    /** Likewise, the certificates and NEW-VIEWs that were looked at: they are values, and come again and again. */
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    /** Made only for a violation: there are many certificates and hardly any of those. */
    private Supplier<String> place = () -> "";

    /** @param isSigned whether a statement has the signature of the one that it names */
    public Certificates(Findings findings, int replicas, int interval, Predicate<Signed<?>> isSigned) {
        this.findings = findings;
        this.replicas = replicas;
        this.interval = interval;
        this.isSigned = isSigned;
    }

    /** A correct replica sends {@code message}. */
    public void sent(int replica, Message message) {
        place = () -> "replica " + replica + " sends a " + message.type();
        if (message instanceof Decision decision) {
            committed(decision.certificate());
            batch(decision.certificate().digest(), decision.batch());
        } else if (message instanceof StableProof proof) {
            stable(proof.certificate());
        } else if (message instanceof Signed<?> statement && statement.statement() instanceof NewView newView) {
            newView(newView);
        }
    }

    /** A correct replica wants this done: what it binds itself to it writes down with its evidence. */
    public void wanted(int replica, Effect effect) {
        if (effect instanceof Effect.Bind bind) {
            place = () -> "replica " + replica + " writes down a "
                    + bind.promise().getClass().getSimpleName();
            promised(bind.promise());
        } else if (effect instanceof Effect.KeepProof keep) {
            place = () -> "replica " + replica + " moves its window";
            stable(keep.stable());
        } else if (effect instanceof Effect.Truncate truncate) {
            place = () -> "replica " + replica + " forgets what is behind its stable checkpoint";
            stable(truncate.stable());
        } else if (effect instanceof Effect.InstallState install) {
            place = () -> "replica " + replica + " fetches a state";
            stable(install.checkpoint());
        }
    }

    private void promised(Promise promise) {
        if (promise instanceof Promise.AgreeTo p) {
            proposal(p.proposal());
            demand(
                    p.prepare().view() == p.proposal().prePrepare().statement().view(),
                    () -> "agrees in view " + p.prepare().view() + " to "
                            + p.proposal().prePrepare().statement());
        } else if (promise instanceof Promise.CommitTo p) {
            prepared(p.certificate());
        } else if (promise instanceof Promise.LeaveView p) {
            viewChange(p.viewChange());
        } else if (promise instanceof Promise.EnterView p) {
            newView(p.newView().statement());
        } else if (promise instanceof Promise.LeadView p) {
            viewChanges(p.view(), p.viewChanges());
            proposals(p.view(), p.viewChanges(), p.proposals());
        }
    }

    private void proposal(Proposal proposal) {
        PrePrepare header = proposal.prePrepare().statement();
        demand(header.replica() == header.view() % replicas, () -> "not by the primary of its view: " + header);
        signed(proposal.prePrepare());
        batch(header.digest(), proposal.batch());
    }

    private void batch(Digest digest, Batch batch) {
        demand(batch.digest().equals(digest), () -> "a batch with the digest " + batch.digest() + " for " + digest);
        batch.requests().forEach(this::signed);
    }

    private void prepared(PreparedCertificate certificate) {
        if (!seen.add(certificate)) {
            return;
        }
        PrePrepare header = certificate.prePrepare().statement();
        long primary = header.view() % replicas;
        demand(header.replica() == primary, () -> "prepared, though not proposed by the primary: " + header);
        signed(certificate.prePrepare());
        Set<Integer> backups = votes(certificate.prepares(), header.view(), header.seq(), header.digest());
        backups.remove((int) primary);
        demand(backups.size() + 1 >= quorum(), () -> "prepared by the backups " + backups + " alone: " + header);
    }

    private void committed(CommitCertificate certificate) {
        Set<Integer> voters = votes(certificate.commits(), certificate.view(), certificate.seq(), certificate.digest());
        demand(voters.size() >= quorum(), () -> "committed by " + voters + " alone at " + certificate.seq());
    }

    private Set<Integer> votes(List<? extends Signed<? extends Vote>> votes, long view, long seq, Digest digest) {
        Set<Integer> voters = new TreeSet<>();
        for (Signed<? extends Vote> vote : votes) {
            Vote statement = vote.statement();
            if (statement.view() == view
                    && statement.seq() == seq
                    && statement.digest().equals(digest)) {
                signed(vote);
                voters.add(statement.replica());
            } else {
                demand(
                        false,
                        () -> "a certificate for " + digest + " at " + seq + " in view " + view + " with " + statement);
            }
        }
        return voters;
    }

    private void stable(CheckpointCertificate certificate) {
        if (certificate.seq() == 0) {
            demand(certificate.state().equals(Digest.ZERO), () -> "a beginning with the state " + certificate.state());
            return;
        }
        if (!seen.add(certificate)) {
            return;
        }
        demand(certificate.seq() % interval == 0, () -> "a stable checkpoint at " + certificate.seq());
        Set<Integer> voters = new TreeSet<>();
        certificate.proof().forEach(vote -> {
            signed(vote);
            boolean equal = vote.statement().seq() == certificate.seq()
                    && vote.statement().state().equals(certificate.state());
            demand(equal, () -> "the stable checkpoint " + certificate.seq() + " with " + vote.statement());
            voters.add(vote.statement().replica());
        });
        demand(voters.size() >= quorum(), () -> "stable at " + certificate.seq() + " by " + voters + " alone");
    }

    private void viewChange(ViewChange change) {
        stable(change.stable());
        Set<Long> numbers = new TreeSet<>();
        for (PreparedCertificate certificate : change.prepared()) {
            boolean fits = certificate.seq() > change.stable().seq()
                    && certificate.view() < change.view()
                    && numbers.add(certificate.seq());
            demand(
                    fits,
                    () -> "a VIEW-CHANGE for " + change.view() + " with "
                            + certificate.prePrepare().statement());
            prepared(certificate);
        }
    }

    private void newView(NewView newView) {
        if (!seen.add(newView)) {
            return;
        }
        demand(
                newView.replica() == newView.view() % replicas,
                () -> "a NEW-VIEW for " + newView.view() + " by " + newView.replica());
        viewChanges(newView.view(), newView.viewChanges());
        List<PrePrepare> proposals = new ArrayList<>();
        for (Signed<PrePrepare> proposal : newView.proposals()) {
            signed(proposal);
            proposals.add(proposal.statement());
        }
        proposals(newView.view(), newView.viewChanges(), proposals);
    }

    private void viewChanges(long view, List<Signed<ViewChange>> changes) {
        Set<Integer> senders = new TreeSet<>();
        for (Signed<ViewChange> change : changes) {
            signed(change);
            demand(
                    change.statement().view() == view,
                    () -> "a VIEW-CHANGE for " + change.statement().view() + " in V of " + view);
            viewChange(change.statement());
            senders.add(change.statement().replica());
        }
        demand(senders.size() >= quorum(), () -> "view " + view + " begins with VIEW-CHANGEs of " + senders + " alone");
    }

    /** O, from the highest stable checkpoint that V shows to the highest number that has prepared (OSDI'99, section 4.4). */
    private void proposals(long view, List<Signed<ViewChange>> changes, List<PrePrepare> proposals) {
        long low = changes.stream()
                .mapToLong(c -> c.statement().stable().seq())
                .max()
                .orElse(0);
        TreeMap<Long, PreparedCertificate> latest = new TreeMap<>();
        for (Signed<ViewChange> change : changes) {
            for (PreparedCertificate certificate : change.statement().prepared()) {
                PreparedCertificate other = latest.get(certificate.seq());
                if (certificate.seq() > low && (other == null || other.view() < certificate.view())) {
                    latest.put(certificate.seq(), certificate);
                }
            }
        }
        List<PrePrepare> expected = new ArrayList<>();
        for (long seq = low + 1; !latest.isEmpty() && seq <= latest.lastKey(); seq++) {
            PreparedCertificate certificate = latest.get(seq);
            Digest digest = certificate == null ? Batch.NULL.digest() : certificate.digest();
            expected.add(new PrePrepare(view, seq, digest, (int) (view % replicas)));
        }
        demand(
                expected.equals(proposals),
                () -> "view " + view + " begins with " + proposals + " instead of " + expected);
    }

    private void signed(Signed<? extends Statement> statement) {
        if (!signed.contains(statement)) {
            demand(isSigned.test(statement), () -> "without its signer's signature: " + statement.statement());
            signed.add(statement);
        }
    }

    /** ceil((n + f + 1) / 2) with f = floor((n - 1) / 3). */
    private int quorum() {
        return (replicas + (replicas - 1) / 3 + 2) / 2;
    }

    private void demand(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            findings.report(Check.CERTIFICATES, place.get() + ": " + otherwise.get());
        }
    }
}
