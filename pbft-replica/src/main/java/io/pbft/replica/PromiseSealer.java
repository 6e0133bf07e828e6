package io.pbft.replica;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Verified;
import io.pbft.replica.core.Promise;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Turns a promise into what is sent and what must be durable before. It says, for each kind of promise, which evidence goes
 * with it: what a replica would need to justify it, or to stand by it, after losing its memory.
 *
 * <p>Stateless and thread-safe: the journal's thread calls it.
 */
final class PromiseSealer {
    private final int self;
    private final Sealer sealer;

    PromiseSealer(int self, Sealer sealer) {
        this.self = self;
        this.sealer = sealer;
    }

    /**
     * A promise, signed.
     *
     * @param message what leaves, and comes back to the core, once the entries are durable; empty: nothing does
     */
    record Sealed(Optional<Verified<?>> message, List<JournalEntry> entries) {
        Sealed {
            entries = List.copyOf(entries);
        }
    }

    /** Signs {@code promise} and writes down what it rests on. */
    Sealed seal(Promise promise) {
        if (promise instanceof Promise.Propose p) {
            Verified<Proposal> proposal = sealer.propose(p.prePrepare(), p.batch());
            return new Sealed(Optional.of(proposal), List.of(entry(proposal.message())));
        }
        if (promise instanceof Promise.AgreeTo p) {
            return vote(
                    p.prepare(), Kind.PREPARE, p.prepare().seq(), p.prepare().view(), entry(p.proposal()));
        }
        if (promise instanceof Promise.CommitTo p) {
            JournalEntry evidence = new JournalEntry(
                    Kind.PREPARED,
                    p.certificate().seq(),
                    p.certificate().view(),
                    Bytes.wrap(Codec.encode(p.certificate())));
            return vote(p.commit(), Kind.COMMIT, p.commit().seq(), p.commit().view(), evidence);
        }
        if (promise instanceof Promise.Vouch p) {
            return vote(p.checkpoint(), Kind.CHECKPOINT, p.checkpoint().seq(), 0);
        }
        if (promise instanceof Promise.LeaveView p) {
            return vote(p.viewChange(), Kind.VIEW_CHANGE, 0, 0);
        }
        if (promise instanceof Promise.LeadView p) {
            return lead(p);
        }
        if (promise instanceof Promise.EnterView p) {
            return new Sealed(Optional.empty(), List.of(newView(p.newView())));
        }
        throw new IllegalStateException("a promise that nobody seals: " + promise);
    }

    /** The entry that keeps a stable checkpoint's proof. */
    static JournalEntry stable(CheckpointCertificate certificate) {
        return new JournalEntry(Kind.STABLE, 0, 0, Bytes.wrap(Codec.encode(certificate)));
    }

    private Sealed vote(Statement statement, Kind kind, long seq, long view, JournalEntry... evidence) {
        Verified<? extends Signed<?>> signed = sealer.seal(statement);
        List<JournalEntry> entries = new ArrayList<>(List.of(evidence));
        entries.add(new JournalEntry(kind, seq, view, encoded(signed.message())));
        return new Sealed(Optional.of(signed), entries);
    }

    private Sealed lead(Promise.LeadView lead) {
        Verified<Signed<NewView>> newView = sealer.newView(lead.view(), lead.viewChanges(), lead.proposals(), self);
        List<Signed<PrePrepare>> signed = newView.message().statement().proposals();
        List<JournalEntry> entries = new ArrayList<>(signed.size() + 1);
        for (int i = 0; i < signed.size(); i++) {
            entries.add(entry(new Proposal(signed.get(i), lead.batches().get(i))));
        }
        entries.add(newView(newView.message()));
        return new Sealed(Optional.of(newView), entries);
    }

    private static JournalEntry newView(Signed<NewView> newView) {
        return new JournalEntry(Kind.NEW_VIEW, 0, 0, encoded(newView));
    }

    private static JournalEntry entry(Proposal proposal) {
        PrePrepare prePrepare = proposal.prePrepare().statement();
        return new JournalEntry(Kind.PROPOSAL, prePrepare.seq(), prePrepare.view(), encoded(proposal));
    }

    private static Bytes encoded(Message message) {
        return Bytes.wrap(Codec.encode(message));
    }
}
