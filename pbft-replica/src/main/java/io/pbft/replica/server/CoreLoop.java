package io.pbft.replica.server;

import io.pbft.protocol.Message;
import io.pbft.replica.ReplicaDriver;
import io.pbft.replica.TransferReport;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.ReplicaReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The core's thread, pass by pass: take what waits, up to a bound; then a tick, when one is due; then, now and then, publish
 * what observers may read. A pass that comes late brings one tick, however much time went by: a process that was paused or
 * starved does not know what the others did meanwhile, and so does not accuse them of it (trap 64).
 *
 * <p>One thread calls {@link #pass}; any thread may read {@link #report}.
 */
final class CoreLoop {
    /** Messages that one pass takes at most, so that a flood delays a tick by no more than these. */
    static final int MESSAGES_PER_PASS_MAX = 256;

    static final long REPORT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final ReplicaDriver driver;
    private final Consumer<Message> guard;
    private final Inbox inbox;
    private final Admission admission;
    private final LongSupplier nanoClock;
    private final LongSupplier wallClock;
    private final long tickNanos;

    private final List<Runnable> completions = new ArrayList<>();
    private final List<Inbox.Admitted> messages = new ArrayList<>();
    private long tickDue;
    private long reportDue;
    private volatile ReplicaReport report;
    private volatile Optional<TransferReport> transfer = Optional.empty();

    /**
     * @param guard sees each message before the driver does; what it throws leaves {@link #pass}
     * @param nanoClock monotonic, in nanoseconds
     * @param wallClock milliseconds since 1970
     */
    CoreLoop(
            ReplicaDriver driver,
            Consumer<Message> guard,
            Inbox inbox,
            Admission admission,
            int tickMillis,
            LongSupplier nanoClock,
            LongSupplier wallClock) {
        this.driver = driver;
        this.guard = guard;
        this.inbox = inbox;
        this.admission = admission;
        this.nanoClock = nanoClock;
        this.wallClock = wallClock;
        this.tickNanos = TimeUnit.MILLISECONDS.toNanos(tickMillis);
        this.tickDue = nanoClock.getAsLong() + tickNanos;
        this.reportDue = nanoClock.getAsLong() + REPORT_NANOS;
        this.report = driver.report();
    }

    /** One pass; waits until the next tick at most. */
    void pass() {
        inbox.drain(completions, messages, MESSAGES_PER_PASS_MAX, Inbox.untilNanos(tickDue, nanoClock.getAsLong()));
        for (Runnable completion : completions) {
            completion.run();
        }
        completions.clear();
        for (Inbox.Admitted message : messages) {
            guard.accept(message.message().message());
            driver.handle(new Input.Received(message.message()));
            admission.release(message.message().from(), message.bytes());
        }
        messages.clear();
        long now = nanoClock.getAsLong();
        if (now - tickDue >= 0) {
            driver.handle(new Input.Tick(wallClock.getAsLong()));
            tickDue = now + tickNanos;
        }
        // A core that halted may be broken: what it said last stays.
        if (now - reportDue >= 0 && !driver.halted()) {
            report = driver.report();
            transfer = driver.transfer();
            reportDue = now + REPORT_NANOS;
        }
    }

    /** What the core last reported, at most some hundred milliseconds old. */
    ReplicaReport report() {
        return report;
    }

    /** The state transfer under way, as old. */
    Optional<TransferReport> transfer() {
        return transfer;
    }
}
