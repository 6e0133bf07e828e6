package io.pbft.client;

import io.pbft.crypto.Bytes;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** One operation or read of the application, from the call to its end: the future that the application holds. */
final class Call extends CompletableFuture<Reply> {
    /** What was asked. */
    enum Kind {
        OPERATION,
        FAST_READ,
        STALE_READ
    }

    final Bytes operation;
    final Kind kind;
    final long deadlineNanos;

    /**
     * Whether a thread of the application's waits for it and nothing else depends on it: to complete it wakes that thread and
     * runs nobody's code, and so needs no other thread.
     */
    final boolean waitedFor;

    private final Consumer<Call> onCancel;

    /** Given by the loop, and known to it alone. */
    long ticket;

    Call(Bytes operation, Kind kind, long deadlineNanos, boolean waitedFor, Consumer<Call> onCancel) {
        this.operation = operation;
        this.kind = kind;
        this.deadlineNanos = deadlineNanos;
        this.waitedFor = waitedFor;
        this.onCancel = onCancel;
    }

    /** Nobody waits any longer; an operation that was sent may be executed all the same, once. */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled) {
            onCancel.accept(this);
        }
        return cancelled;
    }

    /** What {@code thenApply} and the like return is an ordinary future: to cancel that cancels nothing here. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }

    boolean isRead() {
        return kind != Kind.OPERATION;
    }
}
