package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * What a new view begins with, as it follows from a quorum of verified VIEW-CHANGEs alone: everyone computes it and gets the
 * same (OSDI'99, section 4.4).
 *
 * <p>min-s is the highest stable checkpoint that one of them proves; max-s the highest sequence number in any prepared
 * certificate. Each number between gets the digest of the certificate of the highest view for it, or the null request where
 * there is none. Anything that committed has prepared at a quorum, so one of these VIEW-CHANGEs shows it, and no certificate
 * of a higher view can contradict it.
 *
 * @param stable the checkpoint at min-s
 * @param digests digest i is for sequence number min-s + 1 + i
 */
record NewViewPlan(CheckpointCertificate stable, List<Digest> digests) {
    NewViewPlan {
        digests = List.copyOf(digests);
    }

    static NewViewPlan of(List<Signed<ViewChange>> viewChanges, Digest nullDigest) {
        CheckpointCertificate stable = CheckpointCertificate.GENESIS;
        for (Signed<ViewChange> viewChange : viewChanges) {
            CheckpointCertificate proven = viewChange.statement().stable();
            if (proven.seq() > stable.seq()) {
                stable = proven;
            }
        }
        TreeMap<Long, PreparedCertificate> highest = new TreeMap<>();
        for (Signed<ViewChange> viewChange : viewChanges) {
            for (PreparedCertificate certificate : viewChange.statement().prepared()) {
                if (certificate.seq() > stable.seq()) {
                    highest.merge(certificate.seq(), certificate, NewViewPlan::ofHigherView);
                }
            }
        }
        List<Digest> digests = new ArrayList<>();
        if (!highest.isEmpty()) {
            for (long seq = stable.seq() + 1; seq <= highest.lastKey(); seq++) {
                PreparedCertificate certificate = highest.get(seq);
                digests.add(certificate == null ? nullDigest : certificate.digest());
            }
        }
        return new NewViewPlan(stable, digests);
    }

    private static PreparedCertificate ofHigherView(PreparedCertificate one, PreparedCertificate other) {
        return other.view() > one.view() ? other : one;
    }

    /** min-s. */
    long minSeq() {
        return stable.seq();
    }

    /** max-s; min-s where nothing is proposed again. */
    long maxSeq() {
        return stable.seq() + digests.size();
    }

    /** The digest that the new view proposes for {@code seq}, above min-s and up to max-s. */
    Digest digest(long seq) {
        return digests.get((int) (seq - stable.seq() - 1));
    }
}
