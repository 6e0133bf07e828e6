package io.pbft.replica;

import io.pbft.checkpoint.Journal;
import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.StateStore;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.protocol.Verified;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Core;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Effects;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.Promise;
import io.pbft.replica.core.ReplicaReport;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Carries out what a replica's core wants done: the one class between the protocol and the world, and the same one in a
 * server and in a simulation. It has no thread, no clock and no randomness of its own.
 *
 * <p><b>Order.</b> The core takes one input at a time. Its effects are carried out one after the other, and only when none is
 * left does the core see the next input. What an effect gives rise to at once (an execution, say) becomes an input behind those
 * that wait, so nothing here recurses, however long a chain of causes is:
 *
 * <pre>
 *   handle(input) -> inputs -> core.step -> effects -> carried out -> inputs (Executed, one's own promise, ...) -> ...
 * </pre>
 *
 * <p><b>Promises.</b> A promise goes to the journal, which signs it at its leisure, makes it durable with its evidence, and
 * then calls back: only there does it leave, and only there does the core learn that it has been given. Nothing else in this
 * class sends what the core binds itself to, so that no vote can leave before it is durable (persist before send).
 *
 * <p><b>The end.</b> A failing disk, a broken invariant of the core or an {@link Error} of the state machine halts the driver:
 * from then on it takes nothing and sends nothing. There is no way back but a new start from what is durable.
 *
 * <p>NOT thread-safe: one thread calls {@link #handle}, and the callbacks of the journal and of the state store come on it.
 */
public final class ReplicaDriver {
    /**
     * What the driver works with. A server and a simulation differ here and nowhere else.
     *
     * @param sealer signs; used on the journal's thread and on that of {@code replies}
     * @param replies where replies are signed and sent; their order means nothing. {@code Runnable::run} does it at once
     */
    public record Seams(
            Sealer sealer,
            Journal journal,
            StateStore store,
            StateMachine stateMachine,
            Outbox outbox,
            DriverListener listener,
            Executor replies) {}

    private final Core core;
    private final Seams seams;
    private final PromiseSealer promises;
    private final ReplySealer replies;
    private final OperationRunner operations;
    private final StateSync stateSync;
    private final StateServer stateServer;
    private final StateRestore stateRestore;

    private final Deque<Input> inputs = new ArrayDeque<>();
    private final Deque<Effect> pending = new ArrayDeque<>();
    private final Effects emitted = new Effects();
    private boolean running;

    /** Read by the replies' executor too. */
    private volatile boolean halted;

    public ReplicaDriver(Config config, Core core, Seams seams) {
        this.core = core;
        this.seams = seams;
        this.promises = new PromiseSealer(config.self(), seams.sealer());
        this.replies = new ReplySealer(config.self(), seams.sealer());
        this.operations = new OperationRunner(seams.stateMachine(), seams.store());
        int tickMillis = config.parameters().tickMillis();
        StateSync.Notes notes = (event, seq, detail) ->
                seams.listener().note(new Effect.Note(event, core.report().view(), seq, detail));
        this.stateSync = new StateSync(
                config.self(),
                config.quorum().replicas(),
                tickMillis,
                seams.store(),
                seams.outbox(),
                notes,
                this::handle);
        this.stateServer = new StateServer(seams.store(), seams.outbox(), tickMillis);
        this.stateRestore = new StateRestore(
                config.self(), config.quorum().replicas(), tickMillis, seams.store(), seams.outbox(), notes);
    }

    /** Takes an input and carries out all that follows from it at once. Does nothing once halted. */
    public void handle(Input input) {
        if (halted) {
            return;
        }
        inputs.add(input);
        if (running) {
            return;
        }
        running = true;
        try {
            work();
        } catch (Throwable cause) {
            halt(cause);
        } finally {
            running = false;
        }
    }

    /** Stops for good; on the thread that calls {@link #handle}. The first cause counts. */
    public void halt(Throwable cause) {
        inputs.clear();
        pending.clear();
        stateSync.stop();
        if (!halted) {
            halted = true;
            seams.listener().halted(cause);
        }
    }

    /** Any thread may ask. */
    public boolean halted() {
        return halted;
    }

    public ReplicaReport report() {
        return core.report();
    }

    /** How far a state transfer is; nothing when there is none. On the thread that calls {@link #handle}. */
    public Optional<TransferReport> transfer() {
        return stateSync.report();
    }

    private void work() {
        while (!halted) {
            Effect effect = pending.poll();
            if (effect != null) {
                carryOut(effect);
                continue;
            }
            Input input = inputs.poll();
            if (input == null) {
                return;
            }
            if (!forStateSync(input)) {
                core.step(input, emitted);
                pending.addAll(emitted.drain());
            }
        }
    }

    /** State transfer is between the stores of replicas: the core asks for it and learns its end, its messages are not for it. */
    private boolean forStateSync(Input input) {
        if (input instanceof Input.Tick) {
            stateSync.tick();
            stateServer.tick();
            if (!stateSync.isAtWork()) {
                stateRestore.tick();
            }
            return false;
        }
        if (!(input instanceof Input.Received received)) {
            return false;
        }
        if (received.message().message() instanceof StateFetch fetch) {
            stateServer.onFetch(received.message().from().index(), fetch);
            return true;
        }
        if (received.message().message() instanceof StateNodes nodes) {
            int from = received.message().from().index();
            if (stateSync.isAtWork()) {
                stateSync.onNodes(from, nodes);
            } else {
                stateRestore.onNodes(from, nodes);
            }
            return true;
        }
        return false;
    }

    private void carryOut(Effect effect) {
        if (effect instanceof Effect.Bind e) {
            bind(e.promise());
        } else if (effect instanceof Effect.Send e) {
            seams.outbox().send(e.to(), e.message());
        } else if (effect instanceof Effect.Broadcast e) {
            seams.outbox().broadcast(e.message());
        } else if (effect instanceof Effect.Execute e) {
            handle(new Input.Executed(e.seq(), operations.run(e)));
        } else if (effect instanceof Effect.Reply e) {
            reply(e);
        } else if (effect instanceof Effect.Query e) {
            query(e);
        } else if (effect instanceof Effect.TakeSnapshot e) {
            seams.store()
                    .checkpoint(e.seq(), e.systemChanges(), root -> handle(new Input.SnapshotTaken(e.seq(), root)));
        } else if (effect instanceof Effect.InstallState e) {
            stateSync.start(e.checkpoint());
        } else if (effect instanceof Effect.KeepProof e) {
            keepProof(e.stable());
        } else if (effect instanceof Effect.Truncate e) {
            truncate(e.stable());
        } else if (effect instanceof Effect.Accuse e) {
            seams.listener().accuse(e.first(), e.second());
        } else if (effect instanceof Effect.Note e) {
            seams.listener().note(e);
        } else {
            throw new IllegalStateException("an effect that nobody carries out: " + effect);
        }
    }

    private void bind(Promise promise) {
        Bound bound = new Bound(promise);
        seams.journal().append(bound, bound);
    }

    /** A promise on its way through the journal, whose thread signs it before the driver's thread sends it. */
    private final class Bound implements Supplier<List<JournalEntry>>, Runnable {
        private final Promise promise;
        private Optional<Verified<?>> message = Optional.empty();

        Bound(Promise promise) {
            this.promise = promise;
        }

        @Override
        public List<JournalEntry> get() {
            PromiseSealer.Sealed sealed = promises.seal(promise);
            message = sealed.message();
            return sealed.entries();
        }

        @Override
        public void run() {
            if (halted || message.isEmpty()) {
                return;
            }
            Verified<?> durable = message.get();
            try {
                seams.outbox().broadcast(durable.message());
            } catch (Throwable cause) {
                halt(cause);
            }
            handle(new Input.Received(durable));
        }
    }

    private void reply(Effect.Reply effect) {
        seams.replies().execute(() -> {
            if (!halted) {
                replies.seal(effect, seams.outbox()::send);
            }
        });
    }

    private void query(Effect.Query query) {
        Input.Result result = operations.query(query);
        Digest digest = Digest.of(result.content());
        Optional<Bytes> content = query.full() ? Optional.of(result.content()) : Optional.empty();
        seams.outbox()
                .send(
                        NodeId.client(query.client()),
                        new ReadReply(
                                query.nonce(), query.seq(), query.timeMillis(), result.outcome(), digest, content));
    }

    private void keepProof(CheckpointCertificate stable) {
        seams.journal().append(() -> List.of(PromiseSealer.stable(stable)), () -> {});
    }

    private void truncate(CheckpointCertificate stable) {
        // The proof goes first, so that what it makes superfluous is never gone before it is there.
        keepProof(stable);
        seams.journal().truncate(stable.seq());
        stateServer.release(stable.seq());
    }
}
