package io.pbft.simulator.world;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.JournalEntry;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What a virtual disk does to a journal. */
class SimJournalTest {
    private final EventQueue events = new EventQueue();
    private final FaultPlan plan = new FaultPlan();
    private final Keyed keyed = new Keyed(7, plan);
    private final SimJournal.Disk disk = new SimJournal.Disk();
    private final DiskHealth health = new DiskHealth();
    private final List<Throwable> failures = new ArrayList<>();
    private final List<Long> durable = new ArrayList<>();

    private SimJournal open() {
        return new SimJournal(disk, health, failures::add, events, keyed, 1, 100, 100);
    }

    private static JournalEntry prepare(long seq) {
        return new JournalEntry(JournalEntry.Kind.PREPARE, seq, 0, Bytes.utf8("prepare " + seq));
    }

    private void append(SimJournal journal, long seq) {
        journal.append(() -> List.of(prepare(seq)), () -> durable.add(seq));
    }

    private void run() {
        while (events.step()) {
            // Until nothing is left to do.
        }
    }

    @Test
    void whatWaitsBecomesDurableInOrder() {
        SimJournal journal = open();
        LongStream.rangeClosed(1, 5).forEach(seq -> append(journal, seq));
        run();
        assertThat(durable).containsExactly(1L, 2L, 3L, 4L, 5L);
        assertThat(disk.entries()).hasSize(5);
        assertThat(failures).isEmpty();
    }

    @Test
    void anErrorOfTheDiskIsTheEndOfTheJournalAndNothingIsReportedDurable() {
        SimJournal journal = open();
        health.failing(true);
        append(journal, 1);
        append(journal, 2);
        run();
        health.failing(false);
        append(journal, 3);
        run();
        assertThat(failures).singleElement().isInstanceOf(StorageFailure.class);
        assertThat(durable).isEmpty();
        // What was under way when the error came may be there or not; what came later is not.
        assertThat(disk.holds(JournalEntry.Kind.PREPARE, 2, 0)).isFalse();
        assertThat(disk.holds(JournalEntry.Kind.PREPARE, 3, 0)).isFalse();
    }

    @Test
    void theNextJournalOnThatDiskWritesAgain() {
        SimJournal journal = open();
        health.failing(true);
        append(journal, 1);
        run();
        health.failing(false);
        SimJournal next = open();
        append(next, 2);
        run();
        assertThat(durable).containsExactly(2L);
    }

    @Test
    void nothingIsForgottenBeforeWhatWasAppendedBeforeIsDurable() {
        SimJournal journal = open();
        append(journal, 1);
        append(journal, 2);
        journal.truncate(1);
        events.step();
        assertThat(durable).containsExactly(1L);
        assertThat(disk.entries()).containsExactly(prepare(1));
        run();
        assertThat(disk.entries()).containsExactly(prepare(2));
    }

    @Test
    void aSlowDiskTakesTenTimesAsLongAtLeast() {
        SimJournal journal = open();
        health.slow(true);
        append(journal, 1);
        run();
        assertThat(events.now()).isBetween(1_000L, 10_000L);
        health.slow(false);
        long before = events.now();
        append(journal, 2);
        run();
        assertThat(events.now() - before).isEqualTo(100);
    }

    @Test
    void aMisdirectedWriteLandsOnAnotherEntry() {
        SimJournal journal = open();
        LongStream.rangeClosed(1, 3).forEach(seq -> append(journal, seq));
        run();
        disk.misdirect();
        LongStream.rangeClosed(4, 30).forEach(seq -> append(journal, seq));
        run();
        List<JournalEntry> misplaced = disk.entries().stream()
                .filter(entry -> !entry.content().toUtf8().equals("prepare " + entry.seq()))
                .toList();
        assertThat(misplaced).isNotEmpty();
        assertThat(disk.entries()).hasSizeLessThan(30);
        assertThat(durable).hasSize(30);
        assertThat(plan.fired()).allMatch(decision -> decision.kind() == Fault.MISDIRECT);
    }
}
