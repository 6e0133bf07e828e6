package io.pbft.checkpoint;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks through journal and state while they are in use, so that damage is found before what is damaged is needed: at leisure,
 * a few pages of the state at a time, everything once in each pass. What it finds is put right as far as it can be; see {@link
 * SegmentJournal#scrub} and {@link LmdbStateStore#lost}.
 *
 * <p>Thread-safe. Close it before journal and state.
 */
public final class Scrub implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Scrub.class);

    /** What one step reads of the state, about. */
    private static final long STEP_BYTES = StateScrub.LEAVES_PER_STEP * 4096L;

    private static final long PAUSE_NANOS_MAX = TimeUnit.SECONDS.toNanos(60);

    /** @param journalDamages what is wrong with the journal, as of the last pass */
    public record Report(long passes, List<String> journalDamages) {
        public Report {
            journalDamages = List.copyOf(journalDamages);
        }
    }

    private final SegmentJournal journal;
    private final LmdbStateStore state;
    private final Duration pass;
    private final Consumer<StorageFailure> onFailure;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;
    private final Set<String> told = new TreeSet<>();
    private volatile Report report = new Report(0, List.of());

    private Scrub(SegmentJournal journal, LmdbStateStore state, Duration pass, Consumer<StorageFailure> onFailure) {
        this.journal = journal;
        this.state = state;
        this.pass = pass;
        this.onFailure = onFailure;
        this.thread = new Thread(this::run, "pbft-scrub");
        thread.setDaemon(true);
    }

    /**
     * Begins to look, again and again.
     *
     * @param pass how long one look at everything takes, if the disk can do it
     * @param onFailure told once, on a thread of its own, of damage that cannot be put right; it looks no further then
     */
    public static Scrub start(
            SegmentJournal journal, LmdbStateStore state, Duration pass, Consumer<StorageFailure> onFailure) {
        Scrub scrub = new Scrub(journal, state, pass, onFailure);
        scrub.thread.start();
        return scrub;
    }

    public Report report() {
        return report;
    }

    private void run() {
        try {
            while (closing.getCount() > 0) {
                look();
            }
        } catch (StorageFailure failure) {
            onFailure.accept(failure);
        } catch (IOException e) {
            onFailure.accept(new StorageFailure("a file cannot be looked at (" + StorageFailure.reason(e) + ")", e));
        } catch (InterruptedException e) {
            LOG.debug("interrupted", e);
        }
    }

    /** One pass: the state slowly, then the journal, which is small. */
    private void look() throws IOException, InterruptedException {
        long begin = System.nanoTime();
        long steps = Math.max(1, state.fileBytes() / STEP_BYTES);
        long pause = Math.min(PAUSE_NANOS_MAX, pass.toNanos() / steps);
        boolean end = false;
        while (!end) {
            if (isClosingAfter(pause)) {
                return;
            }
            end = state.scrub();
        }
        List<String> damages = journal.scrub();
        damages.stream().filter(told::add).forEach(Scrub::warn);
        report = new Report(report.passes() + 1, damages);
        LOG.info(
                "looked through journal and state, {} MB: {}",
                (journal.fileBytes() + state.fileBytes()) / 1_000_000,
                damages.isEmpty() && state.lost().nodes().isEmpty() ? "nothing is damaged now" : "damage remains");
        long left = begin + pass.toNanos() - System.nanoTime();
        while (left > 0 && !isClosingAfter(Math.min(left, PAUSE_NANOS_MAX))) {
            left = begin + pass.toNanos() - System.nanoTime();
        }
    }

    private static void warn(String damage) {
        LOG.warn(
                "{}: this replica still knows what it promised, and the next stable checkpoint supersedes what is"
                        + " damaged; should it stop before, it has to rejoin. Check the disk's health",
                damage);
    }

    private boolean isClosingAfter(long nanos) throws InterruptedException {
        return closing.await(nanos, TimeUnit.NANOSECONDS);
    }

    /** May be called twice. Returns when nothing is being read any more. */
    @Override
    public void close() {
        closing.countDown();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                // The files may not be closed under a thread that reads them.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
