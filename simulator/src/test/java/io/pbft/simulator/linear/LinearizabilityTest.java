package io.pbft.simulator.linear;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.simulator.linear.Linearizability.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LinearizabilityTest {
    private static final long STEPS = 1_000_000;

    /** A register: {@code null} reads, a number writes. */
    private static final Model<Integer, Optional<Integer>, Integer> REGISTER = new Model<>() {
        @Override
        public Integer initial() {
            return 0;
        }

        @Override
        public Optional<Integer> apply(Integer state, Optional<Integer> input, Optional<Integer> output) {
            if (input.isPresent()) {
                return input;
            }
            return output.isEmpty() || output.get().equals(state) ? Optional.of(state) : Optional.empty();
        }
    };

    private static Entry<Optional<Integer>, Integer> write(int client, int value, long from, long to) {
        Optional<Integer> answer = to == Entry.NEVER ? Optional.empty() : Optional.of(value);
        return new Entry<>(client, Optional.of(value), from, answer, to);
    }

    private static Entry<Optional<Integer>, Integer> read(int client, int value, long from, long to) {
        return new Entry<>(client, Optional.empty(), from, Optional.of(value), to);
    }

    @Test
    void anEmptyHistoryIsLinearizable() {
        assertThat(Linearizability.check(REGISTER, List.of(), STEPS)).isEqualTo(Verdict.LINEARIZABLE);
    }

    @Test
    void aReadMayReturnAConcurrentWriteOrWhatWasBefore() {
        assertThat(check(write(0, 1, 0, 10), read(1, 1, 2, 3), read(2, 1, 4, 5)))
                .isEqualTo(Verdict.LINEARIZABLE);
        assertThat(check(write(0, 1, 0, 10), read(1, 0, 2, 3), read(2, 1, 4, 5)))
                .isEqualTo(Verdict.LINEARIZABLE);
    }

    @Test
    void aReadThatGoesBackIsFound() {
        assertThat(check(write(0, 1, 0, 10), read(1, 1, 2, 3), read(2, 0, 4, 5)))
                .isEqualTo(Verdict.NOT_LINEARIZABLE);
    }

    @Test
    void aStaleReadAfterAFinishedWriteIsFound() {
        assertThat(check(write(0, 1, 0, 1), read(1, 0, 2, 3))).isEqualTo(Verdict.NOT_LINEARIZABLE);
    }

    @Test
    void aReadOfWhatNobodyWroteIsFound() {
        assertThat(check(write(0, 1, 0, 1), read(1, 7, 2, 3))).isEqualTo(Verdict.NOT_LINEARIZABLE);
    }

    @Test
    void aWriteWithoutAnAnswerMayTakeEffectLateOrNever() {
        assertThat(check(write(0, 1, 0, Entry.NEVER), read(1, 0, 2, 3), read(1, 1, 4, 5)))
                .isEqualTo(Verdict.LINEARIZABLE);
        assertThat(check(write(0, 1, 0, Entry.NEVER), read(1, 0, 2, 3))).isEqualTo(Verdict.LINEARIZABLE);
        assertThat(check(write(0, 1, 5, Entry.NEVER), read(1, 1, 2, 3))).isEqualTo(Verdict.NOT_LINEARIZABLE);
    }

    @Test
    void twoReadersThatDisagreeOnTheOrderOfTwoWritesAreFound() {
        assertThat(check(
                        write(0, 1, 0, 20),
                        write(1, 2, 0, 20),
                        read(2, 1, 1, 2),
                        read(2, 2, 3, 4),
                        read(3, 2, 1, 2),
                        read(3, 1, 3, 4)))
                .isEqualTo(Verdict.NOT_LINEARIZABLE);
    }

    @Test
    void aSearchThatRunsOutOfStepsSaysSo() {
        List<Entry<Optional<Integer>, Integer>> history = new ArrayList<>();
        for (int i = 1; i <= 12; i++) {
            history.add(write(i, i, 0, 100));
        }
        history.add(read(0, 99, 0, 100));
        assertThat(Linearizability.check(REGISTER, history, 50)).isEqualTo(Verdict.UNKNOWN);
        assertThat(Linearizability.check(REGISTER, history, 10_000_000)).isEqualTo(Verdict.NOT_LINEARIZABLE);
    }

    /** Histories are made by running the register at points inside the intervals, so they are linearizable by construction. */
    @Test
    void historiesThatRanOneAfterTheOtherAreAcceptedAndSpoiltOnesAgreeWithBruteForce() {
        int refused = 0;
        for (int seed = 0; seed < 2_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<Entry<Optional<Integer>, Integer>> history = new ArrayList<>();
            int value = 0;
            for (int i = 0; i < 6; i++) {
                long point = i * 10L;
                long from = point - random.nextLong(25);
                long to = point + random.nextLong(25);
                if (random.nextBoolean()) {
                    value = i + 1;
                    history.add(write(i, value, from, to));
                } else {
                    history.add(read(i, value, from, to));
                }
            }
            assertThat(Linearizability.check(REGISTER, history, STEPS))
                    .as("seed %d", seed)
                    .isEqualTo(Verdict.LINEARIZABLE);

            int victim = random.nextInt(history.size());
            Entry<Optional<Integer>, Integer> old = history.get(victim);
            history.set(victim, read(old.client(), random.nextInt(7), old.invokedAt(), old.returnedAt()));
            boolean expected = bruteForce(history, 0, 0, 0);
            refused += expected ? 0 : 1;
            assertThat(Linearizability.check(REGISTER, history, STEPS))
                    .as("spoilt history of seed %d", seed)
                    .isEqualTo(expected ? Verdict.LINEARIZABLE : Verdict.NOT_LINEARIZABLE);
        }
        assertThat(refused).isGreaterThan(500);
    }

    private static boolean bruteForce(List<Entry<Optional<Integer>, Integer>> history, int done, int count, int state) {
        if (count == history.size()) {
            return true;
        }
        for (int i = 0; i < history.size(); i++) {
            if ((done & 1 << i) != 0 || !isMinimal(history, done, i)) {
                continue;
            }
            Entry<Optional<Integer>, Integer> entry = history.get(i);
            Optional<Integer> after = REGISTER.apply(state, entry.input(), entry.output());
            if (after.isPresent() && bruteForce(history, done | 1 << i, count + 1, after.get())) {
                return true;
            }
        }
        return false;
    }

    private static boolean isMinimal(List<Entry<Optional<Integer>, Integer>> history, int done, int candidate) {
        for (int j = 0; j < history.size(); j++) {
            if ((done & 1 << j) == 0
                    && history.get(j).returnedAt() < history.get(candidate).invokedAt()) {
                return false;
            }
        }
        return true;
    }

    @SafeVarargs
    @SuppressWarnings("varargs")
    private static Verdict check(Entry<Optional<Integer>, Integer>... history) {
        return Linearizability.check(REGISTER, List.of(history), STEPS);
    }
}
