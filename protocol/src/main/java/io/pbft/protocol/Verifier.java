package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.MerkleTree;
import io.pbft.crypto.SignatureScheme;
import io.pbft.protocol.NodeId.Kind;
import io.pbft.protocol.Rules.Refused;
import io.pbft.protocol.Verdict.Rejected;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Decides whether a message is to be believed as far as it goes: that its sender may send it, that its fields make
 * sense together, that every certificate in it is whole and every signature in it, however deep, is its signer's.
 * What it accepts becomes a {@link Verified}; there is no other way to get one of what a peer sent.
 *
 * <p>It holds no protocol state: whether a valid message is of use now is for the core.
 *
 * <p>The order of the checks bounds what a hostile peer can make a replica spend: first the sender's kind and
 * everything that {@link Rules} can see without hashing, over the whole message; then the outermost signature, so
 * that whoever makes us check a thousand nested ones has signed for it; then digests, and last the nested signatures.
 * Signatures that were found valid before are not checked again while the cache remembers them.
 *
 * <p>Thread-safe.
 */
public final class Verifier {
    private final VerifierContext context;
    private final Rules rules;
    private final SignatureScheme scheme;
    private final SignatureCache cache;

    /** @param cacheEntriesMax valid signatures that are remembered, at some 250 bytes each; 0: none */
    public Verifier(VerifierContext context, SignatureScheme scheme, int cacheEntriesMax) {
        this(context, scheme, new SignatureCache(cacheEntriesMax));
    }

    private Verifier(VerifierContext context, SignatureScheme scheme, SignatureCache cache) {
        this.context = context;
        this.rules = new Rules(context);
        this.scheme = scheme;
        this.cache = cache;
    }

    public Verifier(ClusterConfig config, SignatureScheme scheme, int cacheEntriesMax) {
        this(VerifierContext.of(config), scheme, cacheEntriesMax);
    }

    /**
     * The same for another node of the same cluster in this process: what one of them has found valid, all remember. One
     * signature under a tree of replies is for all clients with a leaf in it.
     */
    public Verifier withSelf(NodeId self) {
        return new Verifier(context.withSelf(self), scheme, cache);
    }

    /**
     * Checks a message whole.
     *
     * @param from the node at the other end of the connection, as the connection proved it
     */
    public Verdict verify(NodeId from, Message message) {
        try {
            if (!context.has(from)) {
                throw new Refused(Rejection.WRONG_SENDER, message.type() + " from " + from);
            }
            check(from, message);
            return new Verdict.Accepted(new Verified<>(from, message));
        } catch (Refused e) {
            return e.verdict();
        }
    }

    /** Checks a checkpoint's proof by itself; empty: it holds. */
    public Optional<Rejected> verify(CheckpointCertificate certificate) {
        return verdict(() -> {
            rules.stable(certificate);
            signatures(certificate.proof());
        });
    }

    /** Checks a prepared certificate by itself; empty: it holds. */
    public Optional<Rejected> verify(PreparedCertificate certificate) {
        return verdict(() -> {
            rules.prepared(certificate);
            signatures(certificate);
        });
    }

    /** Checks a commit certificate by itself; empty: it holds. */
    public Optional<Rejected> verify(CommitCertificate certificate) {
        return verdict(() -> {
            rules.committed(certificate);
            signatures(certificate.commits());
        });
    }

    /** Whether a statement is its signer's, whatever it says: all that evidence against the signer needs. */
    public boolean isSigned(Signed<?> signed) {
        return context.has(signed.statement().signer()) && signatureHolds(signed);
    }

    /** Signatures that the cache spared. */
    public long cacheHits() {
        return cache.hits();
    }

    /** Signatures that were not in the cache and were checked. */
    public long cacheMisses() {
        return cache.misses();
    }

    /** Valid signatures that are remembered now. */
    public int cacheSize() {
        return cache.size();
    }

    private static Optional<Rejected> verdict(Runnable check) {
        try {
            check.run();
            return Optional.empty();
        } catch (Refused e) {
            return Optional.of(e.verdict());
        }
    }

    private void check(NodeId from, Message message) {
        switch (message.type()) {
            case REQUEST -> checkRequest(from, ((Signed<?>) message).as(Request.class));
            case PRE_PREPARE, PREPARE, COMMIT, CHECKPOINT, VIEW_CHANGE, NEW_VIEW, REPLY_ROOT -> {
                // Replicas pass each other's statements on: who signed is what counts, not who sent.
                sentBy(Kind.REPLICA, from, message);
                Signed<?> signed = (Signed<?>) message;
                rules.statement(signed.statement());
                signaturesWithin(signed);
            }
            case PROPOSAL -> checkProposal(from, (Proposal) message);
            case DECISION -> checkDecision(from, (Decision) message);
            case BATCH_BODY -> {
                sentBy(Kind.REPLICA, from, message);
                Batch batch = ((BatchBody) message).batch();
                rules.batch(batch);
                requests(batch);
            }
            case STABLE_PROOF -> {
                sentBy(Kind.REPLICA, from, message);
                CheckpointCertificate certificate = ((StableProof) message).certificate();
                rules.stable(certificate);
                signatures(certificate.proof());
            }
            case REPLY -> checkReply(from, (Reply) message);
            case READ_REPLY -> checkReadReply(from, (ReadReply) message);
            case READ_REQUEST -> {
                sentBy(Kind.CLIENT, from, message);
                fieldWithin("operation", ((ReadRequest) message).operation().size(), Limits.OPERATION_BYTES_MAX);
            }
            case REPLY_FETCH -> {
                sentBy(Kind.CLIENT, from, message);
                ReplyFetch fetch = (ReplyFetch) message;
                fieldWithin("epoch", fetch.epoch(), Long.MAX_VALUE);
                fieldWithin("number", fetch.number(), Long.MAX_VALUE);
            }
            case REFUSAL -> sentBy(Kind.REPLICA, from, message);
            case STATUS -> checkStatus(from, (Status) message);
            case BATCH_FETCH -> {
                sentBy(Kind.REPLICA, from, message);
                fieldWithin("digests", ((BatchFetch) message).digests().size(), Limits.FETCH_BATCHES_MAX);
            }
            case STATE_FETCH -> {
                sentBy(Kind.REPLICA, from, message);
                fieldWithin("seq", ((StateFetch) message).seq(), Long.MAX_VALUE);
                fieldWithin("paths", ((StateFetch) message).paths().size(), Limits.STATE_NODES_MAX);
            }
            case STATE_NODES -> {
                sentBy(Kind.REPLICA, from, message);
                StateNodes nodes = (StateNodes) message;
                fieldWithin("seq", nodes.seq(), Long.MAX_VALUE);
                fieldWithin("nodes", nodes.nodes().size(), nodes.available() ? Limits.STATE_NODES_MAX : 0);
            }
        }
    }

    private static void sentBy(Kind kind, NodeId from, Message message) {
        if (from.kind() != kind) {
            throw new Refused(Rejection.WRONG_SENDER, message.type() + " from " + from);
        }
    }

    private static void fieldWithin(String field, long value, long max) {
        if (value < 0 || value > max) {
            throw new Refused(Rejection.BAD_FIELD, field + ": expected 0 to " + max + ", found " + value);
        }
    }

    // A replica may forward a client's request; a client sends its own alone.
    private void checkRequest(NodeId from, Signed<Request> signed) {
        NodeId client = signed.statement().signer();
        if (from.isClient() && !from.equals(client)) {
            throw new Refused(Rejection.WRONG_SENDER, "a REQUEST of " + client + " from " + from);
        }
        rules.statement(signed.statement());
        signature(signed);
    }

    private void checkProposal(NodeId from, Proposal proposal) {
        sentBy(Kind.REPLICA, from, proposal);
        rules.statement(proposal.prePrepare().statement());
        rules.batch(proposal.batch());
        signature(proposal.prePrepare());
        digestMatches(proposal.prePrepare().statement().digest(), proposal.batch());
        requests(proposal.batch());
    }

    private void checkDecision(NodeId from, Decision decision) {
        sentBy(Kind.REPLICA, from, decision);
        rules.committed(decision.certificate());
        rules.batch(decision.batch());
        digestMatches(decision.certificate().digest(), decision.batch());
        signatures(decision.certificate().commits());
        requests(decision.batch());
    }

    private static void digestMatches(Digest expected, Batch batch) {
        if (!batch.digest().equals(expected)) {
            throw new Refused(
                    Rejection.DIGEST_MISMATCH,
                    "expected a batch with digest " + expected + ", found " + batch.digest());
        }
    }

    private static void checkStatus(NodeId from, Status status) {
        sentBy(Kind.REPLICA, from, status);
        fieldWithin("view", status.view(), Long.MAX_VALUE);
        fieldWithin("lastExecuted", status.lastExecuted(), Long.MAX_VALUE);
        fieldWithin("stable", status.stable(), Long.MAX_VALUE);
        fieldWithin("awaited", status.awaited(), Long.MAX_VALUE);
    }

    private void checkReadReply(NodeId from, ReadReply reply) {
        sentBy(Kind.REPLICA, from, reply);
        if (reply.outcome() != Outcome.EXECUTED && reply.outcome() != Outcome.FAILED) {
            throw new Refused(Rejection.BAD_FIELD, "outcome " + reply.outcome() + " of a read");
        }
        resultMatches(reply.digest(), reply.result());
    }

    /** A reply counts for the replica whose signature is on its root, whoever sent it (trap 72). */
    private void checkReply(NodeId from, Reply reply) {
        sentBy(Kind.REPLICA, from, reply);
        ReplyRoot root = reply.root().statement();
        rules.statement(root);
        int previous = -1;
        for (Reply.Item item : reply.items()) {
            if (item.index() <= previous) {
                throw new Refused(Rejection.NOT_ASCENDING, "leaf " + item.index() + " after " + previous);
            }
            previous = item.index();
            NodeId client = NodeId.client(item.leaf().client());
            if (!context.has(client)
                    || context.self()
                            .filter(NodeId::isClient)
                            .filter(self -> !self.equals(client))
                            .isPresent()) {
                throw new Refused(Rejection.WRONG_CLIENT, "a REPLY to " + client);
            }
        }
        signature(reply.root());
        for (Reply.Item item : reply.items()) {
            Digest leaf = MerkleTree.leafHash(Codec.leafBytes(item.leaf()));
            if (!MerkleTree.verify(root.root(), leaf, item.index(), root.leaves(), item.path())) {
                throw new Refused(Rejection.BAD_PATH, "leaf " + item.index() + " of " + root.leaves());
            }
            resultMatches(item.leaf().result(), item.result());
        }
    }

    private static void resultMatches(Digest expected, Optional<Bytes> result) {
        if (result.isPresent() && !Digest.of(result.get()).equals(expected)) {
            throw new Refused(Rejection.DIGEST_MISMATCH, "a result that does not have the digest " + expected);
        }
    }

    // Signatures

    /** That no request stands twice, and that each is its client's. */
    private void requests(Batch batch) {
        List<Signed<Request>> requests = batch.requests();
        if (requests.size() > 1) {
            Set<Digest> seen = new HashSet<>();
            for (Signed<Request> request : requests) {
                if (!seen.add(request.statement().digest())) {
                    throw new Refused(
                            Rejection.DUPLICATE_REQUEST, request.statement().toString());
                }
            }
        }
        signatures(requests);
    }

    /** The signature of a statement, and then those of the statements in it. */
    private void signaturesWithin(Signed<?> signed) {
        signature(signed);
        if (signed.statement() instanceof ViewChange change) {
            signaturesIn(change);
        } else if (signed.statement() instanceof NewView newView) {
            signatures(newView.proposals());
            signatures(newView.viewChanges());
            for (Signed<ViewChange> change : newView.viewChanges()) {
                signaturesIn(change.statement());
            }
        }
    }

    private void signaturesIn(ViewChange change) {
        signatures(change.stable().proof());
        for (PreparedCertificate certificate : change.prepared()) {
            signatures(certificate);
        }
    }

    private void signatures(PreparedCertificate certificate) {
        signature(certificate.prePrepare());
        signatures(certificate.prepares());
    }

    private <S extends Statement> void signatures(List<Signed<S>> all) {
        for (int i = 0; i < all.size(); i++) {
            signature(all.get(i));
        }
    }

    private void signature(Signed<?> signed) {
        if (!signatureHolds(signed)) {
            throw new Refused(
                    Rejection.BAD_SIGNATURE,
                    "not " + signed.statement().signer() + "'s on "
                            + signed.statement().type());
        }
    }

    private boolean signatureHolds(Signed<?> signed) {
        Statement statement = signed.statement();
        NodeId signer = statement.signer();
        Digest digest = Codec.digest(statement);
        SignatureCache.Key key = new SignatureCache.Key(signer, statement.type(), digest, signed.signature());
        if (cache.has(key)) {
            return true;
        }
        byte[] payload = SigningPayload.of(context.clusterId(), statement.type(), digest);
        boolean holds = scheme.verify(context.key(signer), payload, signed.signature());
        if (holds) {
            cache.add(key);
        }
        return holds;
    }
}
