package io.pbft.replica.core;

import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Commit;
import io.pbft.protocol.NewView;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.List;

/**
 * What binds a replica once it has left. The driver signs it, makes it durable together with the evidence that justifies it,
 * and only then sends it to all other replicas and hands it back to the core as {@link Input.Received}: so a replica's own
 * vote counts in its own quorums only when it can no longer be forgotten. Promises become durable, leave and come back in the
 * order in which the core made them.
 */
public sealed interface Promise {
    /** PRE-PREPARE of a new batch by the primary. Sent, and handed back, as a {@link Proposal}. */
    record Propose(PrePrepare prePrepare, Batch batch) implements Promise {}

    /**
     * PREPARE; the evidence is the proposal that it agrees to, batch included. In a new view the PRE-PREPARE is one of the
     * NEW-VIEW's and the batch was held already or fetched by its digest.
     */
    record AgreeTo(Prepare prepare, Proposal proposal) implements Promise {}

    /** COMMIT; the evidence is the prepared certificate. The batch is durable already. */
    record CommitTo(Commit commit, PreparedCertificate certificate) implements Promise {}

    /** CHECKPOINT: the state it speaks of is durable already. */
    record Vouch(Checkpoint checkpoint) implements Promise {}

    /** VIEW-CHANGE: from now on no vote in a lower view. */
    record LeaveView(ViewChange viewChange) implements Promise {}

    /**
     * NEW-VIEW by the new primary. The driver signs each PRE-PREPARE of O, then the whole.
     *
     * @param proposals O
     * @param batches the batches of O, in its order: durable with it
     */
    record LeadView(long view, List<Signed<ViewChange>> viewChanges, List<PrePrepare> proposals, List<Batch> batches)
            implements Promise {
        public LeadView {
            viewChanges = List.copyOf(viewChanges);
            proposals = List.copyOf(proposals);
            batches = List.copyOf(batches);
        }
    }

    /**
     * A backup enters a view: nothing is sent, but it is durable before any vote in that view is, since promises keep their
     * order. Not handed back.
     */
    record EnterView(Signed<NewView> newView) implements Promise {}
}
