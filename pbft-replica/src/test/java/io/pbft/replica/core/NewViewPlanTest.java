package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The choice of O (OSDI'99, section 4.4) against an oracle that tries every digest for every number and keeps those for which
 * the paper's sentences hold, word for word, over the whole of V.
 */
class NewViewPlanTest {
    private static final Digest NULL = Digest.of(Bytes.utf8("null"));
    private static final Signature ANY = Signature.copyOf(new byte[Signature.SIZE], 0, Signature.SIZE);
    private static final int SEQ_MAX = 4;
    private static final int VIEW_MAX = 3;

    /** In one view a number prepares with one digest only: that is what quorums of PREPAREs guarantee. */
    private static Digest preparedIn(long[][] choice, long seq, long view) {
        return Digest.of(Bytes.utf8("digest " + choice[(int) seq][(int) view]));
    }

    private static PreparedCertificate certificate(long view, long seq, Digest digest) {
        return new PreparedCertificate(
                new Signed<>(new PrePrepare(view, seq, digest, (int) (view % 4)), ANY), List.of());
    }

    private static Signed<ViewChange> viewChange(int replica, long stable, List<PreparedCertificate> prepared) {
        CheckpointCertificate certificate = stable == 0
                ? CheckpointCertificate.GENESIS
                : new CheckpointCertificate(stable, Digest.of(Bytes.utf8("state " + stable)), List.of());
        return new Signed<>(new ViewChange(VIEW_MAX + 1, certificate, prepared, replica), ANY);
    }

    /** min-s: "the sequence number of the latest stable checkpoint in V". */
    private static long minSeq(List<Signed<ViewChange>> v) {
        return v.stream()
                .mapToLong(vote -> vote.statement().stable().seq())
                .max()
                .orElseThrow();
    }

    /** max-s: "the highest sequence number in a prepare message in V", at least min-s. */
    private static long maxSeq(List<Signed<ViewChange>> v) {
        long max = minSeq(v);
        for (Signed<ViewChange> vote : v) {
            for (PreparedCertificate certificate : vote.statement().prepared()) {
                max = Math.max(max, certificate.seq());
            }
        }
        return max;
    }

    /** Case 1: "there is at least one set in P of some VIEW-CHANGE with n", and d is that of the highest view in V. */
    private static boolean allowed(List<Signed<ViewChange>> v, long seq, Digest digest) {
        List<PreparedCertificate> all = new ArrayList<>();
        for (Signed<ViewChange> vote : v) {
            for (PreparedCertificate certificate : vote.statement().prepared()) {
                if (certificate.seq() == seq) {
                    all.add(certificate);
                }
            }
        }
        if (all.isEmpty()) {
            return digest.equals(NULL);
        }
        Optional<PreparedCertificate> chosen = all.stream()
                .filter(one -> one.digest().equals(digest))
                .filter(one -> all.stream().noneMatch(other -> other.view() > one.view()))
                .findFirst();
        return chosen.isPresent();
    }

    private static void agreesWithOracle(List<Signed<ViewChange>> v, List<Digest> candidates) {
        NewViewPlan plan = NewViewPlan.of(v, NULL);
        assertThat(plan.minSeq()).isEqualTo(minSeq(v));
        assertThat(plan.maxSeq()).isEqualTo(maxSeq(v));
        for (long seq = plan.minSeq() + 1; seq <= plan.maxSeq(); seq++) {
            List<Digest> allowed = new ArrayList<>();
            for (Digest candidate : candidates) {
                if (allowed(v, seq, candidate)) {
                    allowed.add(candidate);
                }
            }
            assertThat(allowed).as("V decides number %d alone", seq).hasSize(1);
            assertThat(plan.digest(seq)).isEqualTo(allowed.get(0));
        }
    }

    @Test
    void agreesWithTheOracleOnRandomViewChanges() {
        Random random = new Random(99);
        for (int round = 0; round < 20_000; round++) {
            long[][] choice = new long[SEQ_MAX + 1][VIEW_MAX + 1];
            List<Digest> candidates = new ArrayList<>(List.of(NULL));
            for (int seq = 1; seq <= SEQ_MAX; seq++) {
                for (int view = 0; view <= VIEW_MAX; view++) {
                    choice[seq][view] = random.nextInt(4);
                }
            }
            for (int i = 0; i < 4; i++) {
                candidates.add(Digest.of(Bytes.utf8("digest " + i)));
            }
            List<Signed<ViewChange>> v = new ArrayList<>();
            for (int replica = 0; replica < 3; replica++) {
                long stable = random.nextInt(3);
                TreeMap<Long, PreparedCertificate> prepared = new TreeMap<>();
                for (long seq = stable + 1; seq <= SEQ_MAX; seq++) {
                    if (random.nextBoolean()) {
                        long view = random.nextInt(VIEW_MAX + 1);
                        prepared.put(seq, certificate(view, seq, preparedIn(choice, seq, view)));
                    }
                }
                v.add(viewChange(replica, stable, List.copyOf(prepared.values())));
            }
            agreesWithOracle(v, candidates);
        }
    }

    @Test
    void everyCombinationForOneNumber() {
        // Each of three replicas: nothing, or prepared in view 0, 1, 2 or 3, or a stable checkpoint at the number
        // itself.
        Digest[] digests = {
            Digest.of(Bytes.utf8("digest 0")), Digest.of(Bytes.utf8("digest 1")),
            Digest.of(Bytes.utf8("digest 2")), Digest.of(Bytes.utf8("digest 3"))
        };
        List<Digest> candidates = new ArrayList<>(List.of(digests));
        candidates.add(NULL);
        for (int code = 0; code < 6 * 6 * 6; code++) {
            List<Signed<ViewChange>> v = new ArrayList<>();
            int rest = code;
            for (int replica = 0; replica < 3; replica++) {
                int what = rest % 6;
                rest /= 6;
                List<PreparedCertificate> prepared =
                        what >= 1 && what <= 4 ? List.of(certificate(what - 1, 1, digests[what - 1])) : List.of();
                v.add(viewChange(replica, what == 5 ? 1 : 0, prepared));
            }
            agreesWithOracle(v, candidates);
        }
    }

    @Test
    void theOrderOfViewChangesDoesNotMatter() {
        List<Signed<ViewChange>> v = new ArrayList<>(List.of(
                viewChange(0, 0, List.of(certificate(1, 2, Digest.of(Bytes.utf8("digest 1"))))),
                viewChange(1, 1, List.of(certificate(2, 2, Digest.of(Bytes.utf8("digest 2"))))),
                viewChange(2, 0, List.of(certificate(0, 4, Digest.of(Bytes.utf8("digest 0")))))));
        NewViewPlan plan = NewViewPlan.of(v, NULL);
        Collections.reverse(v);
        assertThat(NewViewPlan.of(v, NULL)).isEqualTo(plan);
        assertThat(plan.digests())
                .containsExactly(Digest.of(Bytes.utf8("digest 2")), NULL, Digest.of(Bytes.utf8("digest 0")));
    }
}
