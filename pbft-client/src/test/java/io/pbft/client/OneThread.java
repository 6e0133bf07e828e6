package io.pbft.client;

import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.jspecify.annotations.Nullable;

/** One thread that knows itself: what an event loop is to a client. */
final class OneThread extends ScheduledThreadPoolExecutor {
    private volatile @Nullable Thread thread;

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

    boolean isCurrent() {
        return Thread.currentThread() == thread;
    }
}
