package io.pbft.simulator.node;

import io.pbft.replica.core.ReplicaReport;
import io.pbft.replica.core.ReplicaReport.Timer;
import io.pbft.simulator.world.Trace;
import java.util.Optional;

/**
 * Writes into the trace what a picture of the run draws below its arrows: when the stable checkpoint, and with it the window of
 * sequence numbers, moved, and when a timer was started, started anew or stopped. NOT thread-safe.
 */
final class Standing {
    private final Trace trace;
    private final String name;
    private long stable = -1;
    private long executed = -1;
    private Optional<Timer> timer = Optional.empty();

    Standing(Trace trace, String name) {
        this.trace = trace;
        this.name = name;
    }

    /** What a replica says of itself at {@code tick}, its number of ticks since this start. */
    void look(ReplicaReport report, long tick) {
        if (report.stableCheckpoint() != stable || report.lastExecuted() != executed) {
            stable = report.stableCheckpoint();
            executed = report.lastExecuted();
            trace.remark("marks", name, stable, executed, "");
        }
        if (!report.timer().equals(timer)) {
            timer = report.timer();
            // A timer that is started anew with every batch has run for no time at all.
            long ran = timer.map(t -> tick - t.sinceTick()).orElse(0L);
            long lasts = timer.map(Timer::ticks).orElse(0L);
            trace.remark(
                    "timer",
                    name,
                    ran,
                    lasts,
                    timer.map(t -> t.awaited().name()).orElse(""));
        }
    }
}
