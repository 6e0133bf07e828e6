package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Signed;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * CHECKPOINTs above the last stable one: at most one for each sender and sequence number, the first; of each sender only those
 * with the highest sequence numbers, so that nobody fills the memory. NOT thread-safe.
 */
final class CheckpointVotes {
    /** Checkpoints of one sender that are kept. */
    static final int PER_SENDER_MAX = 8;

    private final TreeMap<Integer, TreeMap<Long, Signed<Checkpoint>>> bySender = new TreeMap<>();

    /** The earlier vote that {@code vote} contradicts, or null. */
    @Nullable
    Signed<Checkpoint> add(Signed<Checkpoint> vote) {
        Checkpoint checkpoint = vote.statement();
        TreeMap<Long, Signed<Checkpoint>> votes =
                bySender.computeIfAbsent(checkpoint.replica(), sender -> new TreeMap<>());
        Signed<Checkpoint> earlier = votes.putIfAbsent(checkpoint.seq(), vote);
        if (earlier != null) {
            return earlier.statement().state().equals(checkpoint.state()) ? null : earlier;
        }
        if (votes.size() > PER_SENDER_MAX) {
            votes.pollFirstEntry();
        }
        return null;
    }

    /** A certificate for {@code seq} once {@code quorum} senders agree on a state there, or null. */
    @Nullable
    CheckpointCertificate certificate(long seq, int quorum) {
        TreeMap<Digest, List<Signed<Checkpoint>>> byState = new TreeMap<>();
        for (TreeMap<Long, Signed<Checkpoint>> votes : bySender.values()) {
            Signed<Checkpoint> vote = votes.get(seq);
            if (vote == null) {
                continue;
            }
            List<Signed<Checkpoint>> equal =
                    byState.computeIfAbsent(vote.statement().state(), state -> new ArrayList<>());
            equal.add(vote);
            if (equal.size() == quorum) {
                return new CheckpointCertificate(seq, vote.statement().state(), equal);
            }
        }
        return null;
    }

    @Nullable
    Signed<Checkpoint> of(int sender, long seq) {
        TreeMap<Long, Signed<Checkpoint>> votes = bySender.get(sender);
        return votes == null ? null : votes.get(seq);
    }

    /** The last vote of {@code sender}, or null. */
    @Nullable
    Signed<Checkpoint> last(int sender) {
        TreeMap<Long, Signed<Checkpoint>> votes = bySender.get(sender);
        return votes == null || votes.isEmpty() ? null : votes.lastEntry().getValue();
    }

    void dropUpTo(long seq) {
        for (TreeMap<Long, Signed<Checkpoint>> votes : bySender.values()) {
            votes.headMap(seq, true).clear();
        }
    }
}
