package io.pbft.client.core;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Signed;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One operation that was sent, and what the replicas said of it: at most one leaf, one root and one path from each, and
 * until they agree at most one result from each, out of {@link HeldBytes}. NOT thread-safe.
 *
 * <p>A replica's first leaf is its word. A correct replica never says two different things of one number, as the leaf is part
 * of the replicated state; so a second, different leaf is ignored, and f liars have f votes, whatever they send.
 */
final class PendingOperation {
    final long number;
    final long ticket;
    final Bundle bundle;
    /** Whether this is a read that had to be ordered. */
    final boolean read;

    private final Digest operation;
    private final Vote[] votes;
    private final HeldBytes held;
    private @Nullable ReplyLeaf agreed;
    private @Nullable Bytes result;
    private boolean abandoned;

    /** When the next replica is asked for the result, and how often that was done; of use once a leaf is agreed on. */
    long fetchAtTick;

    int fetches;

    PendingOperation(
            long number, long ticket, boolean read, Bundle bundle, Digest operation, int replicas, HeldBytes held) {
        this.number = number;
        this.ticket = ticket;
        this.read = read;
        this.bundle = bundle;
        this.operation = operation;
        this.votes = new Vote[replicas];
        this.held = held;
    }

    /** What one replica said. */
    private static final class Vote {
        private final ReplyLeaf leaf;
        private final Answer.Attestation attestation;
        private @Nullable Bytes result;

        Vote(ReplyLeaf leaf, Answer.Attestation attestation) {
            this.leaf = leaf;
            this.attestation = attestation;
        }
    }

    /** Takes one replica's word, or says why not. */
    Optional<Ignored> offer(Signed<ReplyRoot> root, Reply.Item item) {
        int replica = root.statement().replica();
        ReplyLeaf leaf = item.leaf();
        if (!leaf.operation().equals(operation)) {
            return Optional.of(Ignored.WRONG_OPERATION);
        }
        Vote vote = votes[replica];
        boolean first = vote == null;
        if (vote == null) {
            vote = new Vote(leaf, new Answer.Attestation(root, item.index(), item.path()));
            votes[replica] = vote;
        } else if (!vote.leaf.equals(leaf)) {
            return Optional.of(Ignored.CONTRADICTION);
        }
        if (item.result().isEmpty() || vote.result != null || result != null) {
            return first ? Optional.empty() : Optional.of(Ignored.REPEATED);
        }
        return offerResult(replica, vote, item.result().get());
    }

    /** That the bytes have the digest in the leaf, the verifier has seen to. */
    private Optional<Ignored> offerResult(int replica, Vote vote, Bytes bytes) {
        if (agreed != null) {
            if (vote.leaf.result().equals(agreed.result())) {
                result = bytes;
            }
            return Optional.empty();
        }
        if (!held.take(replica, bytes.size())) {
            return Optional.of(Ignored.TOO_MUCH_HELD);
        }
        vote.result = bytes;
        return Optional.empty();
    }

    /**
     * Whether f + 1 replicas have just come to say the same. From then on only the result's bytes may be missing.
     */
    boolean agree(Quorum quorum) {
        if (agreed != null) {
            return false;
        }
        for (int i = 0; i < votes.length; i++) {
            Vote candidate = votes[i];
            if (candidate != null && countEqual(candidate.leaf) >= quorum.weak()) {
                agreed = candidate.leaf;
                keepOnlyResultOf(candidate.leaf);
                return true;
            }
        }
        return false;
    }

    private int countEqual(ReplyLeaf leaf) {
        int count = 0;
        for (Vote vote : votes) {
            if (vote != null && vote.leaf.equals(leaf)) {
                count++;
            }
        }
        return count;
    }

    private void keepOnlyResultOf(ReplyLeaf leaf) {
        for (Vote vote : votes) {
            if (vote != null && vote.result != null && vote.leaf.result().equals(leaf.result())) {
                result = vote.result;
            }
        }
        releaseHeld();
    }

    /** Gives back what {@link HeldBytes} counts for this operation. */
    void releaseHeld() {
        for (int i = 0; i < votes.length; i++) {
            Vote vote = votes[i];
            if (vote != null && vote.result != null) {
                held.release(i, vote.result.size());
                vote.result = null;
            }
        }
    }

    boolean agreed() {
        return agreed != null;
    }

    /** The answer, once f + 1 replicas agree on it and its bytes are here. */
    Optional<Answer> answer(Quorum quorum) {
        if (agreed == null || result == null) {
            return Optional.empty();
        }
        List<Answer.Attestation> attestations = new ArrayList<>(quorum.weak());
        for (Vote vote : votes) {
            if (vote != null && vote.leaf.equals(agreed) && attestations.size() < quorum.weak()) {
                attestations.add(vote.attestation);
            }
        }
        return Optional.of(new Answer(agreed, result, attestations));
    }

    /** Whether this replica stands for the leaf that was agreed on, and so has the result's bytes if it is correct. */
    boolean vouches(int replica) {
        Vote vote = votes[replica];
        return vote != null && agreed != null && vote.leaf.equals(agreed);
    }

    boolean heardFrom(int replica) {
        return votes[replica] != null;
    }

    boolean abandoned() {
        return abandoned;
    }

    void abandon() {
        abandoned = true;
    }
}
