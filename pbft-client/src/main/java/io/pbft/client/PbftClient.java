package io.pbft.client;

import io.pbft.client.core.ClientReport;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Limits;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * A client of a replicated service that f faulty replicas cannot lie to: it believes what f + 1 replicas have signed.
 *
 * <pre>{@code
 *   try (PbftClient client = PbftClient.connect(ClientConfig.fromDirectory(dir, 0))) {
 *       CompletableFuture<Reply> reply = client.submit(operation);    // asynchronous
 *       Reply done = client.call(operation);                          // the same, waiting
 *       Reply seen = client.query(question, ReadMode.FAST);
 *   }
 * }</pre>
 *
 * <p>A client is one identity of the cluster's. A process that has many lets them share {@link ClientThreads}.
 *
 * <p>Thread-safe: one client serves a whole process, and operations of many threads that wait at the same time share one
 * signature. Operations that are outstanding at the same time may be executed in any order; who needs an order waits for the
 * first result before the second call.
 *
 * <p><b>Retries.</b> Every operation is executed once at most. The client itself sends it again, under the same number, as long
 * as it has no answer: there is never a need to submit it twice. When its deadline passes, the error says what is certain:
 * {@link NotSentException}, it was not executed and will not be; {@link OutcomeUnknownException}, it was sent, and
 * {@link OutcomeUnknownException#later()} has the outcome if it becomes known.
 *
 * <p>Futures fail with a {@link PbftException}: {@link OperationFailedException}, {@link RejectedException},
 * {@link OverloadedException}, {@link NotSentException}, {@link OutcomeUnknownException}, {@link ReadTimeoutException} or
 * {@link ClosedException}. To cancel a future means that nobody waits any longer; what was sent may still be executed.
 */
public final class PbftClient implements AutoCloseable {
    /** Signatures that are remembered: one comes again with each retransmitted or fetched result. Some 250 bytes each. */
    private static final int SIGNATURES_REMEMBERED = 4_096;

    private static final String INTERRUPTED = "interrupted while waiting for the outcome";

    private final ClientConfig config;
    private final Admission admission;
    private final Network network;
    private final Optional<ClientThreads> shared;
    private final ClientLoop loop;

    private PbftClient(ClientConfig config, Network network, Verifier verifier, Optional<ClientThreads> shared) {
        this.config = config;
        this.network = network;
        this.shared = shared;
        this.admission = new Admission(config.outstandingMax(), config.outstandingBytesMax());
        this.loop = new ClientLoop(config, network, verifier, admission);
        shared.ifPresent(threads -> threads.enter(this));
        loop.start();
    }

    /**
     * Makes a client. It connects by itself, and again whenever a connection breaks; what is submitted meanwhile waits.
     *
     * @throws ConfigException when the configuration cannot be used, with the field
     */
    public static PbftClient connect(ClientConfig config) {
        return connect(config, new NettyNetwork(config, Optional.empty()));
    }

    /**
     * Makes a client that shares its threads with others: for processes that have many identities.
     *
     * @throws ConfigException when the configuration cannot be used, with the field
     * @throws ClosedException when the threads are closed
     */
    public static PbftClient connect(ClientConfig config, ClientThreads threads) {
        Optional<ClientThreads> shared = Optional.of(threads);
        return new PbftClient(config, new NettyNetwork(config, shared), threads.verifier(config), shared);
    }

    /**
     * Makes a client with the default bounds.
     *
     * @param keyFile the client's private key, as {@code pbft init} writes it
     * @throws ConfigException when the key file cannot be used
     * @throws NotAuthorisedException when the cluster does not know the client, or not by this key
     */
    public static PbftClient connect(ClusterConfig cluster, int clientId, Path keyFile) {
        return connect(ClientConfig.of(cluster, clientId, keyFile));
    }

    /** Makes a client on a network of the caller's. */
    static PbftClient connect(ClientConfig config, Network network) {
        VerifierContext context = VerifierContext.of(config.cluster()).withSelf(NodeId.client(config.clientId()));
        Verifier verifier = new Verifier(context, config.scheme(), SIGNATURES_REMEMBERED);
        return new PbftClient(config, network, verifier, Optional.empty());
    }

    /** Submits an operation, to be answered within {@link ClientConfig#deadline()}. */
    public CompletableFuture<Reply> submit(Bytes operation) {
        return submit(operation, config.deadline());
    }

    /**
     * Submits an operation: it is ordered, executed on all replicas, and its result is what f + 1 of them agree on.
     *
     * @param operation at most {@link Limits#OPERATION_BYTES_MAX} bytes
     * @param deadline how long to wait for the outcome, and, with {@link ClientConfig.WhenFull#WAIT}, for room
     * @throws IllegalArgumentException when the operation is too large, or the deadline is not positive
     */
    public CompletableFuture<Reply> submit(Bytes operation, Duration deadline) {
        return begin(operation, Call.Kind.OPERATION, deadline, false);
    }

    /** Reads, to be answered within {@link ClientConfig#deadline()}. */
    public CompletableFuture<Reply> read(Bytes operation, ReadMode mode) {
        return read(operation, mode, config.deadline());
    }

    /**
     * Asks for the result of an operation that changes nothing. Where it has to be ordered, the service's state machine runs it
     * like any other operation.
     *
     * @throws IllegalArgumentException when the operation is too large, or the deadline is not positive
     */
    public CompletableFuture<Reply> read(Bytes operation, ReadMode mode, Duration deadline) {
        return begin(operation, kind(mode), deadline, false);
    }

    private static Call.Kind kind(ReadMode mode) {
        return switch (mode) {
            case ORDERED -> Call.Kind.OPERATION;
            case FAST -> Call.Kind.FAST_READ;
            case STALE -> Call.Kind.STALE_READ;
        };
    }

    /**
     * Submits an operation and waits for its result.
     *
     * @throws PbftException as the future would; interrupted, it throws {@link OutcomeUnknownException}
     */
    public Reply call(Bytes operation) {
        return beginAndWait(operation, Call.Kind.OPERATION);
    }

    /**
     * Reads and waits for the result.
     *
     * @throws PbftException as the future would; interrupted, it throws {@link OutcomeUnknownException}
     */
    public Reply query(Bytes operation, ReadMode mode) {
        return beginAndWait(operation, kind(mode));
    }

    private Reply beginAndWait(Bytes operation, Call.Kind kind) {
        requireAnotherThread();
        CompletableFuture<Reply> future = begin(operation, kind, config.deadline(), true);
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OutcomeUnknownException(INTERRUPTED, future.thenApplyAsync(reply -> reply, config.callbacks()));
        } catch (ExecutionException e) {
            throw unwrapped(e);
        }
    }

    /**
     * Waits for a future of this client, or for one that was derived from it, so that its failure is thrown as it is.
     *
     * @throws PbftException the future's; {@link OutcomeUnknownException} when this thread is interrupted: the future is still
     *     there to be waited for
     * @throws CancellationException when the future was cancelled
     */
    public static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OutcomeUnknownException(INTERRUPTED, future.thenApply(result -> {
                if (result instanceof Reply reply) {
                    return reply;
                }
                throw new IllegalStateException("the future that was waited for has the outcome");
            }));
        } catch (ExecutionException e) {
            throw unwrapped(e);
        }
    }

    private static RuntimeException unwrapped(ExecutionException e) {
        return e.getCause() instanceof RuntimeException why
                ? why
                : new IllegalStateException("the operation's future failed", e);
    }

    private CompletableFuture<Reply> begin(Bytes operation, Call.Kind kind, Duration deadline, boolean waitedFor) {
        if (operation.size() > Limits.OPERATION_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "an operation has at most " + Limits.OPERATION_BYTES_MAX + " bytes, not " + operation.size());
        }
        if (deadline.isNegative() || deadline.isZero()) {
            throw new IllegalArgumentException("a deadline lies in the future, not " + deadline);
        }
        long now = System.nanoTime();
        long waitNanos = nanos(deadline);
        boolean waits = config.whenFull() == ClientConfig.WhenFull.WAIT && !loop.isOwnThread();
        return switch (admission.enter(operation.size(), waits ? waitNanos : 0)) {
            case ADMITTED -> {
                Call call = new Call(operation, kind, now + waitNanos, waitedFor, loop::cancel);
                loop.begin(call);
                yield call;
            }
            case FULL ->
                CompletableFuture.failedFuture(new OverloadedException("the client has as much outstanding as it may: "
                        + config.outstandingMax() + " operations or " + config.outstandingBytesMax() + " bytes"));
            case CLOSED -> CompletableFuture.failedFuture(new ClosedException("the client is closed"));
            case INTERRUPTED ->
                CompletableFuture.failedFuture(
                        new NotSentException("interrupted while waiting for room; the operation was not sent"));
        };
    }

    /** With callbacks that run on the client's own thread, to wait there would be to wait for ever. */
    private void requireAnotherThread() {
        if (loop.isOwnThread()) {
            throw new IllegalStateException("a callback on the client's own thread cannot wait for the client;"
                    + " give the client an executor for callbacks, or do not wait");
        }
    }

    /** Half of what a long holds at most, so that sums of times do not overflow. */
    private static long nanos(Duration time) {
        return time.toSeconds() > 4_000_000_000L ? Long.MAX_VALUE / 2 : time.toNanos();
    }

    /** Where the client stands: what waits, what is outstanding, which view it believes in, what it ignored. */
    public CompletableFuture<ClientReport> report() {
        return loop.report();
    }

    /** Closes the client within {@link ClientConfig#closeTimeout()}. */
    @Override
    public void close() {
        close(config.closeTimeout());
    }

    /**
     * Takes nothing new, waits for what is outstanding, and closes the connections. What has not been answered when the time has
     * passed fails: with {@link ClosedException} what was not sent, with {@link OutcomeUnknownException} what was. To close
     * again does nothing.
     *
     * @return how many operations ended with their outcome unknown; 0 when a callback on the client's own thread closes it, as
     *     then nobody can wait
     */
    public int close(Duration timeout) {
        CompletableFuture<Integer> unknown = beginToClose(timeout);
        if (loop.isOwnThread()) {
            return unknown.getNow(0);
        }
        int count = unknown.join();
        network.close();
        shared.ifPresent(threads -> threads.leave(this));
        return count;
    }

    /** Does not wait: for who has many to close. */
    void beginToClose() {
        var unused = beginToClose(config.closeTimeout());
    }

    private CompletableFuture<Integer> beginToClose(Duration timeout) {
        admission.close();
        return loop.close(System.nanoTime() + nanos(timeout));
    }
}
