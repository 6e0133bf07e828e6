package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** The cache spares verifications and never changes a verdict. */
class VerifierCacheTest {
    private static final NodeId FROM = NodeId.replica(1);
    private static final Digest DIGEST = Digest.of(Bytes.utf8("d"));

    private final TestCluster cluster = TestCluster.of(4);
    private final CheapScheme scheme = (CheapScheme) cluster.scheme();

    private static boolean accepted(Verifier verifier, Message message) {
        return verifier.verify(FROM, message) instanceof Verdict.Accepted;
    }

    @Test
    void aKnownSignatureIsNotCheckedAgain() {
        Verifier verifier = new Verifier(cluster.config(), scheme, 100);
        Signed<Commit> commit = cluster.sign(new Commit(0, 1, DIGEST, 1));
        assertThat(accepted(verifier, commit)).isTrue();
        assertThat(accepted(verifier, commit)).isTrue();
        assertThat(scheme.verifications()).isEqualTo(1);
        assertThat(verifier.cacheHits()).isEqualTo(1);
        assertThat(verifier.cacheMisses()).isEqualTo(1);
    }

    @Test
    void votesSeenOneByOneAreNotCheckedAgainInACertificate() {
        Verifier verifier = new Verifier(cluster.config(), scheme, 100);
        PreparedCertificate certificate = cluster.prepared(0, 1, DIGEST);
        assertThat(accepted(verifier, certificate.prePrepare())).isTrue();
        certificate
                .prepares()
                .forEach(prepare -> assertThat(accepted(verifier, prepare)).isTrue());
        long before = scheme.verifications();
        assertThat(verifier.verify(certificate)).isEmpty();
        assertThat(scheme.verifications()).isEqualTo(before);
    }

    @Test
    void noPartOfAKnownSignatureMakesAnotherPass() {
        Verifier verifier = new Verifier(cluster.config(), scheme, 100);
        Commit statement = new Commit(0, 1, DIGEST, 1);
        Signature signature = cluster.sign(statement).signature();
        assertThat(accepted(verifier, new Signed<>(statement, signature))).isTrue();
        assertThat(accepted(verifier, new Signed<>(new Commit(0, 1, DIGEST, 2), signature)))
                .isFalse();
        assertThat(accepted(verifier, new Signed<>(new Commit(0, 2, DIGEST, 1), signature)))
                .isFalse();
        assertThat(accepted(verifier, new Signed<>(new Prepare(0, 1, DIGEST, 1), signature)))
                .as("the same bytes under another type")
                .isFalse();
        byte[] bytes = signature.toByteArray();
        for (int i = 0; i < bytes.length; i++) {
            byte[] changed = bytes.clone();
            changed[i] ^= 1;
            Signature other = Signature.copyOf(changed, 0, changed.length);
            assertThat(accepted(verifier, new Signed<>(statement, other))).isFalse();
        }
    }

    @Test
    void anInvalidSignatureIsNeverRemembered() {
        Verifier verifier = new Verifier(cluster.config(), scheme, 100);
        Signature wrong = cluster.sign(new Commit(0, 2, DIGEST, 1)).signature();
        Signed<Commit> forged = new Signed<>(new Commit(0, 1, DIGEST, 1), wrong);
        assertThat(accepted(verifier, forged)).isFalse();
        assertThat(accepted(verifier, forged)).isFalse();
        assertThat(verifier.cacheSize()).isZero();
    }

    @Test
    void theLeastRecentlyUsedIsForgotten() {
        Verifier verifier = new Verifier(cluster.config(), scheme, 3);
        List<Signed<Commit>> commits = new ArrayList<>();
        for (int seq = 1; seq <= 4; seq++) {
            commits.add(cluster.sign(new Commit(0, seq, DIGEST, 1)));
        }
        for (int i : new int[] {0, 1, 2, 0, 3}) {
            assertThat(accepted(verifier, commits.get(i))).isTrue();
        }
        assertThat(verifier.cacheSize()).isEqualTo(3);
        long before = scheme.verifications();
        assertThat(accepted(verifier, commits.get(0))).isTrue();
        assertThat(scheme.verifications())
                .as("used again before the fourth came")
                .isEqualTo(before);
        assertThat(accepted(verifier, commits.get(1))).isTrue();
        assertThat(scheme.verifications()).as("pushed out").isEqualTo(before + 1);
    }

    @Test
    void aCacheOfNothingRemembersNothing() {
        Verifier verifier = new Verifier(cluster.config(), scheme, 0);
        Signed<Commit> commit = cluster.sign(new Commit(0, 1, DIGEST, 1));
        assertThat(accepted(verifier, commit)).isTrue();
        assertThat(accepted(verifier, commit)).isTrue();
        assertThat(scheme.verifications()).isEqualTo(2);
        assertThatThrownBy(() -> new Verifier(cluster.config(), scheme, -1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theBoundHoldsAndVerdictsAreRightUnderConcurrentUse() throws Exception {
        int entriesMax = 2_048;
        Verifier verifier = new Verifier(cluster.config(), scheme, entriesMax);
        List<Signed<Commit>> good = new ArrayList<>();
        for (int seq = 1; seq <= 4_000; seq++) {
            good.add(cluster.sign(new Commit(0, seq, DIGEST, seq % 4)));
        }
        int threads = 4;
        CountDownLatch start = new CountDownLatch(1);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Integer>> wrong = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                Random random = new Random(t);
                wrong.add(pool.submit(() -> {
                    start.await();
                    return wrongVerdicts(verifier, good, random);
                }));
            }
            start.countDown();
            for (Future<Integer> count : wrong) {
                assertThat(count.get()).isZero();
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(verifier.cacheSize()).isPositive().isLessThanOrEqualTo(entriesMax);
        assertThat(verifier.cacheHits()).isPositive();
        assertThat(verifier.cacheHits() + verifier.cacheMisses()).isEqualTo(threads * 20_000L);
    }

    private static int wrongVerdicts(Verifier verifier, List<Signed<Commit>> good, Random random) {
        int wrong = 0;
        for (int i = 0; i < 20_000; i++) {
            Signed<Commit> one = good.get(random.nextInt(good.size()));
            boolean forge = random.nextInt(4) == 0;
            Signed<Commit> other = good.get((int) (one.statement().seq() % good.size()));
            Signed<Commit> shown = forge ? new Signed<>(one.statement(), other.signature()) : one;
            wrong += accepted(verifier, shown) == forge ? 1 : 0;
        }
        return wrong;
    }
}
