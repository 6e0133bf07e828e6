package io.pbft.client;

import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One thread that knows itself: what an event loop is to a client. */
final class OneThread extends ScheduledThreadPoolExecutor {
    private volatile @Nullable Thread thread;
    private volatile boolean held;

    OneThread() {
        super(1);
        setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        setThreadFactory(task -> {
            Thread made = new Thread(task, "network");
            made.setDaemon(true);
            thread = made;
            return made;
        });
    }

    /** From now on nothing that is to run later runs: no ticks. */
    void holdTicks() {
        held = true;
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        return held && delay > 0 ? super.schedule(task, 1, TimeUnit.DAYS) : super.schedule(task, delay, unit);
    }

    boolean isCurrent() {
        return Thread.currentThread() == thread;
    }
}
