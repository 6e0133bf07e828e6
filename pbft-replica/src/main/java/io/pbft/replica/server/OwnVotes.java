package io.pbft.replica.server;

import io.pbft.checkpoint.StorageFailure;
import io.pbft.checkpoint.StorageFailure.Part;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Message;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StableProof;
import io.pbft.protocol.ViewChange;
import io.pbft.replica.core.Recovered;
import java.util.EnumMap;
import java.util.TreeMap;

/**
 * Notices that a journal is not all that this replica promised. An old copy of a replica's whole folder looks as the
 * folder did then: nothing in it tells that there was more (trap 53). But the others have seen more. When a verified
 * certificate holds a PRE-PREPARE, PREPARE, COMMIT or CHECKPOINT of this replica's own that neither its journal nor
 * this process knows, above what the journal may have forgotten, then a part of what it promised is lost, and it must
 * not vote; and so it is where a NEW-VIEW is its own, or holds its VIEW-CHANGE, and it knows neither that nor a later
 * one.
 *
 * <p>Nobody can forge such a vote, so nobody else can halt a replica by it; and one that did not forget knows all its
 * votes before they leave. It is no protection against voting twice before such a certificate comes by.
 *
 * <p>NOT thread-safe: the core's thread uses it.
 */
final class OwnVotes {
    /** Sequence numbers that are remembered, far more than a window: below these nothing is noticed. */
    static final int REMEMBERED_MAX = 4_096;

    private final int self;
    private final boolean rejoining;

    /** The highest view of a vote for each sequence number; of CHECKPOINTs, which have none, 0. */
    private final EnumMap<MessageType, TreeMap<Long, Long>> known = new EnumMap<>(MessageType.class);

    /** Up to here a vote may have been forgotten rightly. */
    private long forgotten;

    /** PRE-PREPAREs of lower views may have been forgotten rightly, with the NEW-VIEW that held them. */
    private final long viewBegunBefore;

    /** The highest view for which it sent a NEW-VIEW, or took one. */
    private long viewBegun;

    /** The highest view that it asked for, or took. */
    private long viewAsked;

    /** @param recovered what the journal knows; where it rejoins, that is nothing, and nothing is noticed */
    OwnVotes(int self, Recovered recovered) {
        this.self = self;
        this.rejoining = recovered.rejoining();
        this.forgotten = recovered.stable().seq();
        this.viewBegunBefore =
                recovered.newView().map(known -> known.statement().view()).orElse(0L);
        this.viewBegun = viewBegunBefore;
        this.viewAsked = viewBegunBefore;
        recovered.viewChange().ifPresent(this::sent);
        recovered.newView().ifPresent(this::sent);
        recovered.proposals().forEach(this::sent);
        recovered.prepares().forEach(this::sent);
        recovered.commits().forEach(this::sent);
        recovered.checkpoints().forEach(this::sent);
    }

    /** Remembers what this replica promises, before it leaves. */
    void sent(Message message) {
        if (message instanceof Proposal proposal) {
            remember(proposal.prePrepare());
        } else if (message instanceof Signed<?> signed) {
            if (signed.statement() instanceof Prepare vote) {
                remember(MessageType.PREPARE, vote.seq(), vote.view());
            } else if (signed.statement() instanceof Commit vote) {
                remember(MessageType.COMMIT, vote.seq(), vote.view());
            } else if (signed.statement() instanceof Checkpoint vote) {
                remember(MessageType.CHECKPOINT, vote.seq(), 0);
            } else if (signed.statement() instanceof ViewChange viewChange) {
                viewAsked = Math.max(viewAsked, viewChange.view());
            } else if (signed.statement() instanceof NewView newView) {
                viewBegun = Math.max(viewBegun, newView.view());
                newView.proposals().forEach(this::remember);
            }
        }
    }

    private void remember(Signed<PrePrepare> proposal) {
        PrePrepare header = proposal.statement();
        if (header.signer().index() == self) {
            remember(MessageType.PRE_PREPARE, header.seq(), header.view());
        }
    }

    private void remember(MessageType type, long seq, long view) {
        TreeMap<Long, Long> votes = known.computeIfAbsent(type, none -> new TreeMap<>());
        votes.merge(seq, view, Math::max);
        while (votes.size() > REMEMBERED_MAX) {
            forgotten = Math.max(forgotten, votes.pollFirstEntry().getKey());
        }
    }

    /**
     * Looks at the certificates in a verified message.
     *
     * @throws StorageFailure when one holds a vote that this replica does not know of
     */
    void check(Message message) {
        if (rejoining) {
            return;
        }
        if (message instanceof Decision decision) {
            for (Signed<Commit> vote : decision.certificate().commits()) {
                check(
                        MessageType.COMMIT,
                        vote.statement().replica(),
                        decision.certificate().seq(),
                        decision.certificate().view());
            }
        } else if (message instanceof StableProof proof) {
            check(proof.certificate());
        } else if (message instanceof Signed<?> signed) {
            if (signed.statement() instanceof ViewChange viewChange) {
                check(viewChange);
            } else if (signed.statement() instanceof NewView newView) {
                check(newView);
            }
        }
    }

    private void check(NewView newView) {
        if (newView.replica() == self && newView.view() > viewBegun) {
            throw lost("a NEW-VIEW of its own for view " + newView.view());
        }
        for (Signed<ViewChange> part : newView.viewChanges()) {
            ViewChange viewChange = part.statement();
            if (viewChange.replica() == self && viewChange.view() > viewAsked) {
                throw lost("a VIEW-CHANGE of its own for view " + viewChange.view());
            }
            check(viewChange);
        }
    }

    private void check(ViewChange viewChange) {
        check(viewChange.stable());
        for (PreparedCertificate certificate : viewChange.prepared()) {
            PrePrepare proposal = certificate.prePrepare().statement();
            if (proposal.view() >= viewBegunBefore) {
                check(MessageType.PRE_PREPARE, proposal.signer().index(), proposal.seq(), proposal.view());
            }
            for (Signed<Prepare> vote : certificate.prepares()) {
                check(MessageType.PREPARE, vote.statement().replica(), certificate.seq(), certificate.view());
            }
        }
    }

    private void check(CheckpointCertificate certificate) {
        for (Signed<Checkpoint> vote : certificate.proof()) {
            check(MessageType.CHECKPOINT, vote.statement().replica(), certificate.seq(), 0);
        }
    }

    private void check(MessageType type, int replica, long seq, long view) {
        if (replica != self || seq <= forgotten) {
            return;
        }
        TreeMap<Long, Long> votes = known.get(type);
        if (votes == null || votes.getOrDefault(seq, -1L) < view) {
            throw lost("a " + type + " of its own for sequence number " + seq + " in view " + view);
        }
    }

    private static StorageFailure lost(String what) {
        return StorageFailure.damaged(
                Part.JOURNAL,
                "the journal is not all that this replica promised: the others hold " + what
                        + ", of which it knows nothing. An old copy of its folder was put back, or another process"
                        + " runs with its key. Stop that one, and start this replica once with --rejoin");
    }
}
