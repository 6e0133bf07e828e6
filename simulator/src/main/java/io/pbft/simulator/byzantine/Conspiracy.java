package io.pbft.simulator.byzantine;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongUnaryOperator;

/**
 * What colluding replicas have in common: who they are, every vote and proposal that any of them heard or gave, and the plans
 * that they draw up together. Keys are not shared: whoever says something signs it as itself. What is kept is bounded, the
 * lowest sequence numbers go first. NOT thread-safe.
 */
public final class Conspiracy {
    private static final int BATCHES_MAX = 256;
    private static final int PLANS_MAX = 64;

    /** A batch that somebody proposed. */
    private record Place(long seq, long view, Digest digest) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            int bySeq = Long.compare(seq, other.seq);
            int byView = bySeq != 0 ? bySeq : Long.compare(view, other.view);
            return byView != 0 ? byView : digest.compareTo(other.digest);
        }
    }

    /** What is known about a batch. */
    private static final class Known {
        private Optional<Signed<PrePrepare>> header = Optional.empty();
        private final SortedMap<Integer, Signed<Prepare>> prepares = new TreeMap<>();
    }

    /** When the conspirators give their COMMITs in a slot about which they lie. */
    enum Timing {
        AT_ONCE,
        /** To a single replica, which then may be the only one to have committed. */
        TO_ONE,
        /** Not before one of them heard that somebody wants to leave the view. */
        AT_VIEW_CHANGE
    }

    /**
     * A slot in which one half of the cluster is told of one batch and the other half of another.
     *
     * @param second what the second half hears
     */
    record Plan(Digest first, Digest second, long chance) {
        Timing timing() {
            return switch ((int) (chance & 3)) {
                case 0, 1 -> Timing.AT_ONCE;
                case 2 -> Timing.TO_ONE;
                default -> Timing.AT_VIEW_CHANGE;
            };
        }
    }

    private final Quorum quorum;
    private final LongUnaryOperator chance;
    private final SortedSet<Integer> members = new TreeSet<>();
    private final TreeMap<Place, Known> batches = new TreeMap<>();
    private final TreeMap<Long, TreeMap<Long, Plan>> plans = new TreeMap<>();
    private long viewWanted;

    /** @param chance 64 bits about a number, the same for all conspirators */
    public Conspiracy(Quorum quorum, LongUnaryOperator chance) {
        this.quorum = quorum;
        this.chance = chance;
    }

    void join(int replica) {
        members.add(replica);
    }

    /** Which half a replica belongs to, in this slot. The conspirators stand in the first half, so that it can commit. */
    boolean isSecondHalf(long view, long seq, NodeId replica) {
        return !members.contains(replica.index()) && (chance.applyAsLong(Mix.mix(view, seq, replica.index())) & 1) == 1;
    }

    /** 64 bits that all of them draw alike. */
    long chance(long about) {
        return chance.applyAsLong(about);
    }

    void agree(long view, long seq, Digest first, Digest second) {
        plans.computeIfAbsent(seq, at -> new TreeMap<>())
                .putIfAbsent(view, new Plan(first, second, chance.applyAsLong(Mix.mix(seq, view))));
        if (plans.size() > PLANS_MAX) {
            plans.pollFirstEntry();
        }
    }

    Optional<Plan> plan(long view, long seq) {
        return Optional.ofNullable(plans.getOrDefault(seq, new TreeMap<>()).get(view));
    }

    /** One of them heard {@code message} from {@code from}, or said it. Only what its signer says itself is believed. */
    void learn(NodeId from, Message message) {
        if (message instanceof Proposal proposal) {
            learn(from, proposal.prePrepare());
        } else if (message instanceof Signed<?> signed
                && signed.statement().signer().equals(from)) {
            if (signed.statement() instanceof PrePrepare s) {
                known(s.seq(), s.view(), s.digest()).header = Optional.of(signed.as(PrePrepare.class));
            } else if (signed.statement() instanceof Prepare s) {
                known(s.seq(), s.view(), s.digest()).prepares.put(s.replica(), signed.as(Prepare.class));
            } else if (signed.statement() instanceof ViewChange s && !members.contains(s.replica())) {
                viewWanted = Math.max(viewWanted, s.view());
            }
        }
    }

    private Known known(long seq, long view, Digest digest) {
        Known known = batches.computeIfAbsent(new Place(seq, view, digest), place -> new Known());
        if (batches.size() > BATCHES_MAX) {
            batches.pollFirstEntry();
        }
        return known;
    }

    /** Whether somebody who does not belong to them wants to leave {@code view}. */
    boolean isLeaving(long view) {
        return viewWanted > view;
    }

    /** Every prepared certificate about {@code seq} that what they know amounts to, by ascending view, all below {@code view}. */
    List<PreparedCertificate> certificates(long seq, long view) {
        List<PreparedCertificate> found = new ArrayList<>();
        batches.forEach((place, known) -> {
            if (place.seq == seq && place.view < view && known.header.isPresent()) {
                int primary = quorum.primary(place.view);
                List<Signed<Prepare>> prepares = known.prepares.values().stream()
                        .filter(prepare -> prepare.statement().replica() != primary)
                        .limit(quorum.prepares())
                        .toList();
                if (prepares.size() == quorum.prepares()) {
                    found.add(new PreparedCertificate(known.header.get(), prepares));
                }
            }
        });
        return found;
    }

    /** The sequence numbers above {@code stable} about which they know anything. */
    SortedSet<Long> seqsAbove(long stable) {
        SortedSet<Long> seqs = new TreeSet<>();
        batches.keySet().forEach(place -> {
            if (place.seq > stable) {
                seqs.add(place.seq);
            }
        });
        return seqs;
    }
}
