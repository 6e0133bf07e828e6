package io.pbft.client.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.client.testing.TestCluster;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Message;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.ReadRequest;
import io.pbft.protocol.ReplyFetch;
import io.pbft.protocol.Request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What reads promise, and how soon a large result comes, against replicas that are no more than what the promises rest on: how
 * far each has sent COMMIT, how far it has executed, and f that lie together. Small enough for thousands of runs.
 */
class PromisesTest {
    private static final int RUNS = 1_500;
    private static final long EPOCH = 1_000;

    private int answered;
    private int ordered;

    @ParameterizedTest
    @ValueSource(ints = {4, 7})
    void aFastReadSeesEveryWriteThatWasFinishedBeforeIt(int n) {
        TestCluster cluster = new TestCluster(n);
        assertThat(run(cluster, true, true)).isEmpty();
        assertThat(answered).as("some are answered without being ordered").isGreaterThan(RUNS / 20);
        assertThat(ordered).as("and some are not").isGreaterThan(RUNS / 20);
    }

    /** Trap 76: with writes finished at f + 1 replies, 2f + 1 equal answers are not enough by themselves. */
    @ParameterizedTest
    @ValueSource(ints = {4, 7})
    void withoutTheRuleOfCommitsStaleLiarsAndLaggardsAreBelieved(int n) {
        assertThat(run(new TestCluster(n), true, false)).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 7})
    void aStaleReadWasTrueOnceAndIsNoOlderThanItSays(int n) {
        assertThat(run(new TestCluster(n), false, true)).isEmpty();
        assertThat(answered).isGreaterThan(RUNS / 4);
    }

    private List<String> run(TestCluster cluster, boolean upToDate, boolean rule) {
        List<String> broken = new ArrayList<>();
        for (long seed = 0; seed < RUNS; seed++) {
            long at = seed;
            new Run(cluster, seed, upToDate, rule)
                    .violation()
                    .ifPresent(what -> broken.add("seed " + at + ": " + what));
        }
        return broken;
    }

    /** One read of a register that is written 1, 2, 3 and so on; the replicas up to f lie. */
    private final class Run {
        private final TestCluster cluster;
        private final SplittableRandom random;
        private final boolean upToDate;
        private final boolean rule;
        private final int f;
        private final int[] commitSent;
        private final int[] executed;
        private final int[] barrier;
        private final ClientCore core;
        private final Effects effects = new Effects();
        private int proposed;

        Run(TestCluster cluster, long seed, boolean upToDate, boolean rule) {
            this.cluster = cluster;
            this.random = new SplittableRandom(seed);
            this.upToDate = upToDate;
            this.rule = rule;
            int n = cluster.quorum().replicas();
            this.f = cluster.quorum().faulty();
            this.commitSent = new int[n];
            this.executed = new int[n];
            this.barrier = new int[n];
            this.core = new ClientCore(Config.of(0, cluster.quorum(), ProtocolParameters.DEFAULT), EPOCH);
        }

        /** The last write that any correct replica executed: with f liars' replies it is finished. */
        private int finished() {
            return Arrays.stream(executed).skip(f).max().orElseThrow();
        }

        /** One step of the correct replicas; some are left behind more than others. */
        private void progress() {
            int replica = f + Math.min(random.nextInt(executed.length - f), random.nextInt(executed.length - f));
            switch (random.nextInt(3)) {
                case 0 -> proposed++;
                case 1 -> commitSent[replica] = Math.min(proposed, commitSent[replica] + 1);
                default -> {
                    int next = executed[replica] + 1;
                    long senders = f
                            + Arrays.stream(commitSent)
                                    .skip(f)
                                    .filter(sent -> sent >= next)
                                    .count();
                    executed[replica] = senders >= cluster.quorum().quorum() ? next : executed[replica];
                }
            }
        }

        private Optional<String> violation() {
            for (int i = random.nextInt(60); i > 0; i--) {
                progress();
            }
            int before = finished();
            int lie = random.nextInt(before + 1);
            core.step(new Input.Read(1, Bytes.utf8("read"), upToDate), effects);
            long nonce = 0;
            List<Integer> asked = new ArrayList<>();
            for (Effect effect : effects.drain()) {
                Effect.Send send = (Effect.Send) effect;
                nonce = ((ReadRequest) send.message()).nonce();
                asked.add(send.to());
            }
            Arrays.fill(barrier, -1);
            while (!asked.isEmpty()) {
                progress();
                int replica = asked.get(random.nextInt(asked.size()));
                if (barrier[replica] < 0) {
                    barrier[replica] = upToDate && rule ? commitSent[replica] : 0;
                }
                if (replica < f || executed[replica] >= barrier[replica]) {
                    asked.remove(Integer.valueOf(replica));
                    receive(replica, reply(nonce, replica, lie));
                }
                for (Effect effect : effects.drain()) {
                    if (effect instanceof Effect.CompleteRead complete) {
                        answered++;
                        return judge(complete.answer(), before);
                    } else if (effect instanceof Effect.SendRequest) {
                        ordered++;
                        return Optional.empty();
                    }
                }
            }
            return Optional.of("neither answered nor ordered");
        }

        private ReadReply reply(long nonce, int replica, int lie) {
            int value = replica < f ? lie : executed[replica];
            int claimed = replica < f ? random.nextInt(1_000) : value;
            Bytes result = Bytes.utf8(Integer.toString(value));
            return new ReadReply(nonce, claimed, claimed, Outcome.EXECUTED, Digest.of(result), Optional.of(result));
        }

        private void receive(int replica, Message message) {
            core.step(new Input.Received(cluster.verified(replica, message)), effects);
        }

        private Optional<String> judge(ReadAnswer answer, int before) {
            int value = Integer.parseInt(answer.result().toUtf8());
            if (value > finished()) {
                return Optional.of("read " + value + ", which nobody has executed");
            }
            if (upToDate && value < before) {
                return Optional.of("read " + value + " after " + before + " was finished");
            }
            return answer.seq() > value || answer.timeMillis() > value
                    ? Optional.of("read " + value + " and was told that it is not older than " + answer.seq())
                    : Optional.empty();
        }
    }

    /**
     * Large results come in full from one replica, which may fail or lie, and so may those that are asked next. Messages take one
     * tick. Each replica that fails costs the time until the next one is asked, {@link Config#fetchTicks}, which is 20
     * milliseconds by default, and a round trip at most.
     */
    @Test
    void whoeverIsChosenToSendALargeResultItComesSoon() {
        int roundTrip = 2;
        for (int n : new int[] {4, 7}) {
            TestCluster cluster = new TestCluster(n);
            Config config = Config.of(0, cluster.quorum(), ProtocolParameters.DEFAULT);
            int worst = 0;
            for (int first = 0; first < n; first++) {
                for (boolean vouches : new boolean[] {false, true}) {
                    worst = Math.max(worst, new LargeResult(cluster, config, first, vouches).ticks());
                }
            }
            int f = cluster.quorum().faulty();
            assertThat(worst).isLessThanOrEqualTo(roundTrip + f * (config.fetchTicks() + roundTrip));
            assertThat(worst * ProtocolParameters.DEFAULT.tickMillis()).isLessThanOrEqualTo(100);
        }
    }

    /** The f replicas from {@code firstFaulty} on say nothing, or what is true but never the bytes. */
    private static final class LargeResult {
        private final TestCluster cluster;
        private final ClientCore core;
        private final int firstFaulty;
        private final boolean vouches;
        private final Effects effects = new Effects();
        private final TreeMap<Integer, List<Input>> arrivals = new TreeMap<>();
        private Optional<Request> request = Optional.empty();
        private int now;
        private boolean done;

        LargeResult(TestCluster cluster, Config config, int firstFaulty, boolean vouches) {
            this.cluster = cluster;
            this.core = new ClientCore(config, EPOCH);
            this.firstFaulty = firstFaulty;
            this.vouches = vouches;
        }

        private boolean faulty(int replica) {
            int n = cluster.quorum().replicas();
            return Math.floorMod(replica - firstFaulty, n) < cluster.quorum().faulty();
        }

        /** The ticks from asking to the answer, at its worst over as many operations as there are repliers to choose. */
        int ticks() {
            int worst = 0;
            for (int i = 1; i <= 8 + cluster.quorum().replicas(); i++) {
                int asked = now;
                done = false;
                core.step(new Input.Submit(i, TestCluster.large(10_000, i)), effects);
                carryOut();
                while (!done) {
                    now++;
                    core.step(new Input.Tick(), effects);
                    carryOut();
                    for (Input input : Optional.ofNullable(arrivals.remove(now)).orElse(List.of())) {
                        core.step(input, effects);
                        carryOut();
                    }
                }
                // Of the first ones nobody knows yet that results are large: all replicas send them.
                worst = i <= 8 ? worst : Math.max(worst, now - asked);
            }
            return worst;
        }

        private void carryOut() {
            for (Effect effect : effects.drain()) {
                if (effect instanceof Effect.SendRequest send) {
                    request = Optional.of(send.request());
                    for (int replica = 0; replica < cluster.quorum().replicas(); replica++) {
                        int replier = send.request().replier();
                        answer(replica, replier < 0 || replier == replica);
                    }
                } else if (effect instanceof Effect.Send send && send.message() instanceof ReplyFetch) {
                    answer(send.to(), true);
                } else if (effect instanceof Effect.Complete) {
                    done = true;
                }
            }
        }

        private void answer(int replica, boolean full) {
            if (faulty(replica) && !vouches) {
                return;
            }
            Request about = request.orElseThrow();
            Message reply =
                    cluster.reply(replica, 0, about, about.first(), operation -> operation, full && !faulty(replica));
            arrivals.computeIfAbsent(now + 2, tick -> new ArrayList<>())
                    .add(new Input.Received(cluster.verified(replica, reply)));
        }
    }
}
