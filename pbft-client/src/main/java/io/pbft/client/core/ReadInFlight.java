package io.pbft.client.core;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.ReadReply;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One read outside of the order and the answers to it, one from each replica at most. NOT thread-safe.
 *
 * <p>A linearizable read needs a quorum of equal answers. A write is finished when f + 1 replicas have answered, which they do
 * once a quorum has sent COMMIT; each quorum of answers to a later read shares a correct replica with those senders, and that
 * one answers only after it has executed what it had sent COMMIT for. So the common answer contains the write (after Berger,
 * Reiser, Bessani, SRDS'21, and Paxos Quorum Reads). A read that may be old needs f + 1, so that one of them is correct.
 */
final class ReadInFlight {
    final long nonce;
    final long ticket;
    final Bytes operation;
    final boolean upToDate;
    final long sentAtTick;

    /** The replica that sends the result in full, or -1: all. */
    final int replier;

    private final int needed;
    private final ReadReply[] answers;
    private final HeldBytes held;

    ReadInFlight(
            long nonce,
            long ticket,
            Bytes operation,
            boolean upToDate,
            int replier,
            long nowTick,
            Quorum quorum,
            HeldBytes held) {
        this.nonce = nonce;
        this.ticket = ticket;
        this.operation = operation;
        this.upToDate = upToDate;
        this.replier = replier;
        this.sentAtTick = nowTick;
        this.needed = upToDate ? quorum.quorum() : quorum.weak();
        this.answers = new ReadReply[quorum.replicas()];
        this.held = held;
    }

    boolean full(int replica) {
        return replier < 0 || replier == replica;
    }

    boolean heardFrom(int replica) {
        return answers[replica] != null;
    }

    Optional<Ignored> offer(int replica, ReadReply answer) {
        if (answers[replica] != null) {
            return Optional.of(answers[replica].equals(answer) ? Ignored.REPEATED : Ignored.CONTRADICTION);
        }
        if (answer.result().isEmpty()) {
            answers[replica] = answer;
            return Optional.empty();
        }
        Bytes result = answer.result().get();
        if (!held.take(replica, result.size())) {
            answers[replica] = new ReadReply(
                    nonce, answer.seq(), answer.timeMillis(), answer.outcome(), answer.digest(), Optional.empty());
            return Optional.of(Ignored.TOO_MUCH_HELD);
        }
        answers[replica] = answer;
        return Optional.empty();
    }

    void releaseHeld() {
        for (int i = 0; i < answers.length; i++) {
            if (answers[i] != null && answers[i].result().isPresent()) {
                held.release(i, answers[i].result().get().size());
            }
        }
    }

    /** The answer, once enough replicas give it and its bytes are here. */
    Optional<ReadAnswer> answer(Quorum quorum) {
        for (ReadReply candidate : answers) {
            if (candidate != null && candidate.result().isPresent() && countEqual(candidate) >= needed) {
                return Optional.of(new ReadAnswer(
                        candidate.outcome(),
                        candidate.result().get(),
                        vouched(candidate, quorum, true),
                        vouched(candidate, quorum, false)));
            }
        }
        return Optional.empty();
    }

    /** Whether the answers that may still come from {@code reachable} replicas cannot make an answer any more. */
    boolean hopeless(boolean[] reachable) {
        int missing = 0;
        boolean fullMissing = false;
        for (int i = 0; i < answers.length; i++) {
            if (answers[i] == null && reachable[i]) {
                missing++;
                fullMissing |= full(i);
            }
        }
        @Nullable ReadReply best = null;
        int bestCount = 0;
        for (ReadReply candidate : answers) {
            if (candidate != null && (fullMissing || bytesOf(candidate)) && countEqual(candidate) > bestCount) {
                best = candidate;
                bestCount = countEqual(candidate);
            }
        }
        return best == null ? !fullMissing || missing < needed : bestCount + missing < needed;
    }

    private boolean bytesOf(ReadReply answer) {
        return Arrays.stream(answers)
                .anyMatch(other -> other != null && other.result().isPresent() && sameAnswer(other, answer));
    }

    private int countEqual(ReadReply answer) {
        int count = 0;
        for (ReadReply other : answers) {
            if (other != null && sameAnswer(other, answer)) {
                count++;
            }
        }
        return count;
    }

    private static boolean sameAnswer(ReadReply one, ReadReply other) {
        return one.outcome() == other.outcome() && one.digest().equals(other.digest());
    }

    /**
     * The greatest value that f + 1 of the replicas with this answer have reached: equal answers may come from different
     * sequence numbers, and liars may claim any.
     */
    private long vouched(ReadReply answer, Quorum quorum, boolean seq) {
        long[] claimed = new long[answers.length];
        int count = 0;
        for (ReadReply other : answers) {
            if (other != null && sameAnswer(other, answer)) {
                claimed[count++] = seq ? other.seq() : other.timeMillis();
            }
        }
        Arrays.sort(claimed, 0, count);
        return claimed[count - quorum.weak()];
    }
}
