package io.pbft.protocol;

import io.pbft.crypto.Digest;
import io.pbft.crypto.Signer;
import java.util.ArrayList;
import java.util.List;

/**
 * Signs one node's own statements: a replica's or a client's. What it signs is verified by construction, since a node
 * trusts itself. Thread-safe when its {@link Signer} is.
 *
 * <p>It throws {@link IllegalArgumentException} when it is asked to sign for somebody else, or a proposal whose
 * digest is not its batch's: that is a broken invariant of the node itself.
 */
public final class Sealer {
    private final Digest clusterId;
    private final NodeId self;
    private final Signer signer;

    public Sealer(Digest clusterId, NodeId self, Signer signer) {
        this.clusterId = clusterId;
        this.self = self;
        this.signer = signer;
    }

    public NodeId self() {
        return self;
    }

    /** The same node as a member of another cluster: no replica and no client of this one believes what it signs. */
    public Sealer inCluster(Digest otherId) {
        return new Sealer(otherId, self, signer);
    }

    public <S extends Statement> Verified<Signed<S>> seal(S statement) {
        return new Verified<>(self, sign(statement));
    }

    /** Signs a PRE-PREPARE and puts its batch beside it. */
    public Verified<Proposal> propose(PrePrepare header, Batch batch) {
        if (!header.digest().equals(batch.digest())) {
            throw new IllegalArgumentException(header + " for a batch with digest " + batch.digest());
        }
        return new Verified<>(self, new Proposal(sign(header), batch));
    }

    /** Signs each PRE-PREPARE of O and then the NEW-VIEW that holds them (OSDI'99, section 4.4). */
    public Verified<Signed<NewView>> newView(
            long view, List<Signed<ViewChange>> viewChanges, List<PrePrepare> proposals, int replica) {
        List<Signed<PrePrepare>> signed = new ArrayList<>(proposals.size());
        for (PrePrepare proposal : proposals) {
            signed.add(sign(proposal));
        }
        return seal(new NewView(view, viewChanges, signed, replica));
    }

    private <S extends Statement> Signed<S> sign(S statement) {
        if (!statement.signer().equals(self)) {
            throw new IllegalArgumentException(
                    self + " cannot sign for " + statement.signer() + ": " + statement.type());
        }
        return new Signed<>(statement, signer.sign(SigningPayload.of(clusterId, statement)));
    }
}
