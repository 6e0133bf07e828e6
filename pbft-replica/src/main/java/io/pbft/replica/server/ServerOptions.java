package io.pbft.replica.server;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * What is particular to one run of a replica.
 *
 * @param rejoin its disk was lost and it was told so: it votes only beyond what it could have voted for before
 * @param verifierThreads threads that check signatures; 0: the network's own thread does, and the core's thread signs
 *     replies. On a small machine a hand-over from thread to thread costs more than it gains
 * @param onHalt told once, on a thread of its own, when the replica has stopped for good; usually ends the process
 * @param corruption what makes the replica Byzantine, in a trial; empty for every other
 */
public record ServerOptions(
        boolean rejoin, int verifierThreads, Consumer<Throwable> onHalt, Optional<Corruption> corruption) {
    private static final int VERIFIER_THREADS_MAX = 64;

    /** No threads of their own for signatures on a machine with up to two processors, two on a larger one. */
    public static final ServerOptions DEFAULT = new ServerOptions(
            false, Runtime.getRuntime().availableProcessors() > 2 ? 2 : 0, cause -> {}, Optional.empty());

    public ServerOptions {
        if (verifierThreads < 0 || verifierThreads > VERIFIER_THREADS_MAX) {
            throw new IllegalArgumentException(
                    "verifierThreads: expected 0 to " + VERIFIER_THREADS_MAX + ", found " + verifierThreads);
        }
    }

    public ServerOptions withRejoin(boolean other) {
        return new ServerOptions(other, verifierThreads, onHalt, corruption);
    }

    public ServerOptions withVerifierThreads(int other) {
        return new ServerOptions(rejoin, other, onHalt, corruption);
    }

    public ServerOptions withOnHalt(Consumer<Throwable> other) {
        return new ServerOptions(rejoin, verifierThreads, other, corruption);
    }

    public ServerOptions withCorruption(Corruption other) {
        return new ServerOptions(rejoin, verifierThreads, onHalt, Optional.of(other));
    }
}
