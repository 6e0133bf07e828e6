package io.pbft.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Trap 1: quorums for every n, not only for n = 3f + 1. */
class QuorumTest {
    @Test
    void theSizesAreThoseOfTheFormulas() {
        for (int n = 1; n <= Limits.REPLICAS_MAX; n++) {
            Quorum quorum = new Quorum(n);
            int f = (int) Math.floor((n - 1) / 3.0);
            assertThat(quorum.faulty()).isEqualTo(f);
            assertThat(quorum.quorum()).isEqualTo((int) Math.ceil((n + f + 1) / 2.0));
            assertThat(quorum.weak()).isEqualTo(f + 1);
            assertThat(quorum.prepares()).isEqualTo(quorum.quorum() - 1);
        }
    }

    @Test
    void atThreeFPlusOneAQuorumIsTwoFPlusOne() {
        for (int f = 0; f <= 10; f++) {
            Quorum quorum = new Quorum(3 * f + 1);
            assertThat(quorum.faulty()).isEqualTo(f);
            assertThat(quorum.quorum()).isEqualTo(2 * f + 1);
        }
    }

    @Test
    void sizesForSomeClusters() {
        int[][] expected = {{4, 1, 3}, {5, 1, 4}, {6, 1, 4}, {7, 2, 5}, {8, 2, 6}, {9, 2, 6}, {10, 3, 7}, {31, 10, 21}};
        for (int[] row : expected) {
            assertThat(new Quorum(row[0]).faulty()).as("f of %d", row[0]).isEqualTo(row[1]);
            assertThat(new Quorum(row[0]).quorum()).as("quorum of %d", row[0]).isEqualTo(row[2]);
        }
    }

    /** The properties that the proofs use, as arithmetic, for every n. */
    @Test
    void quorumsIntersectAndAreAvailable() {
        for (int n = 1; n <= Limits.REPLICAS_MAX; n++) {
            Quorum quorum = new Quorum(n);
            int f = quorum.faulty();
            assertThat(n).as("n > 3f").isGreaterThan(3 * f);
            assertThat(3 * (f + 1)).as("f is the most that n allows").isGreaterThanOrEqualTo(n);
            assertThat(n - f).as("the correct replicas alone are a quorum").isGreaterThanOrEqualTo(quorum.quorum());
            assertThat(2 * quorum.quorum() - n)
                    .as("two quorums share a correct one")
                    .isGreaterThanOrEqualTo(f + 1);
            assertThat(2 * (quorum.quorum() - 1) - n)
                    .as("and none smaller would do")
                    .isLessThan(f + 1);
            assertThat(quorum.quorum())
                    .as("a quorum has a weak quorum of correct ones")
                    .isGreaterThanOrEqualTo(f + quorum.weak());
        }
    }

    /** The same by looking at all pairs of sets, where that is feasible. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void everyTwoQuorumsShareACorrectReplicaWhoeverIsFaulty(int n) {
        Quorum quorum = new Quorum(n);
        int smallest = Integer.MAX_VALUE;
        for (int a = 0; a < 1 << n; a++) {
            if (Integer.bitCount(a) != quorum.quorum()) {
                continue;
            }
            for (int b = a; b < 1 << n; b++) {
                if (Integer.bitCount(b) == quorum.quorum()) {
                    smallest = Math.min(smallest, Integer.bitCount(a & b));
                }
            }
        }
        assertThat(smallest).as("the faulty ones may all be in it").isGreaterThan(quorum.faulty());
    }

    @Test
    void primariesTakeTurns() {
        Quorum quorum = new Quorum(7);
        for (long view = 0; view < 30; view++) {
            assertThat(quorum.primary(view)).isEqualTo((int) (view % 7));
        }
        assertThat(quorum.primary(Long.MAX_VALUE)).isBetween(0, 6);
    }

    @Test
    void aClusterHasAtLeastOneReplica() {
        assertThatThrownBy(() -> new Quorum(0)).isInstanceOf(IllegalArgumentException.class);
    }
}
