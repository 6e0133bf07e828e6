package io.pbft.cli;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** An orderly end on SIGTERM, SIGINT and SIGHUP. */
final class EndSignal {
    private static final long END_SECONDS_MAX = 15;

    private EndSignal() {}

    /**
     * Runs {@code body}. When the process is told to end meanwhile, runs {@code stop}, which has to make the body return, and
     * exits with 0 when it has, or with 3 when it does not.
     */
    static <T> T during(Callable<T> body, Runnable stop) throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        Thread hook = new Thread(
                () -> {
                    stop.run();
                    try {
                        boolean orderly = ended.await(END_SECONDS_MAX, TimeUnit.SECONDS);
                        // The JVM would exit with the signal's number now; that it was asked to end is no failure.
                        Runtime.getRuntime().halt(orderly ? Exit.OK : Exit.UNREACHABLE);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "end-signal");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            return body.call();
        } finally {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The hook runs already, and waits for the next line.
            }
            ended.countDown();
        }
    }
}
