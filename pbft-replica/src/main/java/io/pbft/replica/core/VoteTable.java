package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Vote;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The votes of one type for one sequence number: at most one for each sender and view, the first. Of each sender only the
 * votes of its highest views are kept, so that a faulty one can press out its own votes and nobody else's.
 */
final class VoteTable<V extends Vote> {
    /** Votes of one sender that are kept, of different views. */
    static final int VIEWS_PER_SENDER_MAX = 3;

    private final TreeMap<Integer, TreeMap<Long, Signed<V>>> bySender = new TreeMap<>();

    /** The earlier vote that {@code vote} contradicts, or null. Takes the vote when it is the sender's first for its view. */
    @Nullable
    Signed<V> add(Signed<V> vote) {
        V statement = vote.statement();
        TreeMap<Long, Signed<V>> votes = bySender.computeIfAbsent(statement.replica(), sender -> new TreeMap<>());
        Signed<V> earlier = votes.putIfAbsent(statement.view(), vote);
        if (earlier != null) {
            return earlier.statement().digest().equals(statement.digest()) ? null : earlier;
        }
        if (votes.size() > VIEWS_PER_SENDER_MAX) {
            votes.pollFirstEntry();
        }
        return null;
    }

    int count(long view, Digest digest) {
        int count = 0;
        for (TreeMap<Long, Signed<V>> votes : bySender.values()) {
            Signed<V> vote = votes.get(view);
            if (vote != null && vote.statement().digest().equals(digest)) {
                count++;
            }
        }
        return count;
    }

    /** Matching votes in ascending order of their sender, at most {@code max}. */
    List<Signed<V>> matching(long view, Digest digest, int max) {
        List<Signed<V>> matching = new ArrayList<>(max);
        for (TreeMap<Long, Signed<V>> votes : bySender.values()) {
            Signed<V> vote = votes.get(view);
            if (vote != null && vote.statement().digest().equals(digest) && matching.size() < max) {
                matching.add(vote);
            }
        }
        return matching;
    }

    /** The votes of one view, in ascending order of their sender. */
    List<Signed<V>> in(long view) {
        List<Signed<V>> votes = new ArrayList<>();
        for (TreeMap<Long, Signed<V>> ofSender : bySender.values()) {
            Signed<V> vote = ofSender.get(view);
            if (vote != null) {
                votes.add(vote);
            }
        }
        return votes;
    }

    @Nullable
    Signed<V> of(int sender, long view) {
        TreeMap<Long, Signed<V>> votes = bySender.get(sender);
        return votes == null ? null : votes.get(view);
    }

    int size() {
        int size = 0;
        for (TreeMap<Long, Signed<V>> votes : bySender.values()) {
            size += votes.size();
        }
        return size;
    }
}
