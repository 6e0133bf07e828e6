package io.pbft.replica.server;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What is particular to one run of a replica.
 *
 * @param rejoin its disk was lost and it was told so: it votes only beyond what it could have voted for before
 * @param verifierThreads threads that check signatures; 0: the network's own thread does, and the core's thread signs
 *     replies. On a small machine a hand-over from thread to thread costs more than it gains
 * @param scrub how long a look through all that is on the disk takes, again and again; zero: it does not look
 * @param onHalt told once, on a thread of its own, when the replica has stopped for good; usually ends the process
 * @param corruption what makes the replica Byzantine, in a trial; empty for every other
 */
public record ServerOptions(
        boolean rejoin,
        int verifierThreads,
        Duration scrub,
        Consumer<Throwable> onHalt,
        Optional<Corruption> corruption) {
    /** Disks lose little in a day, and a day is long enough to look at much without being in the way. */
    public static final Duration SCRUB = Duration.ofDays(1);

    private static final int VERIFIER_THREADS_MAX = 64;

    /** No threads of their own for signatures on a machine with up to two processors, two on a larger one. */
    public static final ServerOptions DEFAULT = new ServerOptions(
            false, Runtime.getRuntime().availableProcessors() > 2 ? 2 : 0, SCRUB, cause -> {}, Optional.empty());

    public ServerOptions {
        if (verifierThreads < 0 || verifierThreads > VERIFIER_THREADS_MAX) {
            throw new IllegalArgumentException(
                    "verifierThreads: expected 0 to " + VERIFIER_THREADS_MAX + ", found " + verifierThreads);
        }
        if (scrub.isNegative()) {
            throw new IllegalArgumentException("scrub: expected no negative time, found " + scrub);
        }
    }

    public ServerOptions withRejoin(boolean other) {
        return new ServerOptions(other, verifierThreads, scrub, onHalt, corruption);
    }

    public ServerOptions withVerifierThreads(int other) {
        return new ServerOptions(rejoin, other, scrub, onHalt, corruption);
    }

    public ServerOptions withScrub(Duration other) {
        return new ServerOptions(rejoin, verifierThreads, other, onHalt, corruption);
    }

    public ServerOptions withOnHalt(Consumer<Throwable> other) {
        return new ServerOptions(rejoin, verifierThreads, scrub, other, corruption);
    }

    public ServerOptions withCorruption(Corruption other) {
        return new ServerOptions(rejoin, verifierThreads, scrub, onHalt, Optional.of(other));
    }
}
