package io.pbft.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void doublesUpToItsLimitAndStaysInTheUpperHalf() {
        for (int seed = 0; seed < 100; seed++) {
            Backoff backoff = new Backoff(50, 2_000, new Random(seed));
            for (int span : new int[] {50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000}) {
                assertThat(backoff.nextMillis()).isBetween(span / 2, span);
            }
        }
    }

    @Test
    void startsAfreshAfterAConnectionThatLivedForAWhileOnly() {
        Backoff backoff = new Backoff(50, 2_000, new Random(1));
        for (int i = 0; i < 10; i++) {
            backoff.nextMillis();
        }
        backoff.connectionLived(1_999);
        assertThat(backoff.nextMillis()).isBetween(1_000, 2_000);
        backoff.connectionLived(2_000);
        assertThat(backoff.nextMillis()).isBetween(25, 50);
    }

    @Test
    void nodesThatStartTogetherDoNotDialInStep() {
        Backoff one = new Backoff(1_000, 64_000, new Random(1));
        Backoff two = new Backoff(1_000, 64_000, new Random(2));
        assertThat(one.nextMillis()).isNotEqualTo(two.nextMillis());
    }

    @Test
    void theSmallestAndTheLargestSpansWork() {
        Backoff smallest = new Backoff(1, 1, new Random(1));
        assertThat(smallest.nextMillis()).isEqualTo(1);
        Backoff largest = new Backoff(Integer.MAX_VALUE, Integer.MAX_VALUE, new Random(1));
        largest.nextMillis();
        assertThat(largest.nextMillis()).isGreaterThanOrEqualTo(Integer.MAX_VALUE / 2);
    }
}
