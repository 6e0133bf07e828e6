package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.crypto.Bytes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryJournalTest {
    private final Deque<Runnable> writes = new ArrayDeque<>();
    private final List<StorageFailure> failures = new ArrayList<>();
    private final List<String> durable = new ArrayList<>();
    private MemoryJournal.Disk disk = new MemoryJournal.Disk();

    private MemoryJournal open() {
        return new MemoryJournal(disk, writes::add, failures::add);
    }

    private static JournalEntry entry(Kind kind, long seq, String content) {
        return new JournalEntry(kind, seq, 0, Bytes.utf8(content));
    }

    private void append(Journal journal, JournalEntry entry) {
        journal.append(() -> List.of(entry), () -> durable.add(entry.content().toUtf8()));
    }

    @Test
    void whatGathersDuringAWriteSharesTheNext() {
        MemoryJournal journal = open();
        append(journal, entry(Kind.PREPARE, 1, "a"));
        append(journal, entry(Kind.PREPARE, 2, "b"));
        append(journal, entry(Kind.PREPARE, 3, "c"));
        assertThat(writes).hasSize(1);
        assertThat(disk.entries()).isEmpty();

        writes.remove().run();
        assertThat(durable).containsExactly("a");
        writes.remove().run();
        assertThat(durable).containsExactly("a", "b", "c");
        assertThat(writes).isEmpty();
        assertThat(journal.writes()).isEqualTo(2);
    }

    @Test
    void aCrashLosesWhatWasNotWrittenAndReportsNothingOfIt() {
        MemoryJournal journal = open();
        append(journal, entry(Kind.PREPARE, 1, "a"));
        writes.remove().run();
        append(journal, entry(Kind.PREPARE, 2, "b"));
        MemoryJournal after = open();
        writes.remove().run();
        assertThat(durable).containsExactly("a");
        assertThat(after.load()).containsExactly(entry(Kind.PREPARE, 1, "a"));
    }

    @Test
    void aLaterEntryInThePlaceReplacesTheFormer() {
        MemoryJournal journal = new MemoryJournal(disk);
        append(journal, entry(Kind.STABLE, 0, "old"));
        append(journal, entry(Kind.STABLE, 0, "new"));
        assertThat(journal.load()).containsExactly(entry(Kind.STABLE, 0, "new"));
    }

    @Test
    void truncationTakesWhatLiesBehindTheCheckpointWithTheNextAppend() {
        MemoryJournal journal = new MemoryJournal(disk);
        for (Kind kind : Kind.values()) {
            for (long seq = 1; seq <= 3; seq++) {
                append(journal, entry(kind, seq, kind + "" + seq));
            }
        }
        journal.truncate(2);
        assertThat(journal.load()).hasSize(24);
        append(journal, entry(Kind.PREPARE, 9, "next"));
        assertThat(journal.load())
                .extracting(entry -> entry.content().toUtf8())
                .containsExactly(
                        "PROPOSAL3",
                        "PREPARED3",
                        "PREPARE3",
                        "next",
                        "COMMIT3",
                        "CHECKPOINT2",
                        "CHECKPOINT3",
                        "STABLE1",
                        "STABLE2",
                        "STABLE3",
                        "VIEW_CHANGE1",
                        "VIEW_CHANGE2",
                        "VIEW_CHANGE3",
                        "NEW_VIEW1",
                        "NEW_VIEW2",
                        "NEW_VIEW3");
    }

    @Test
    void nothingIsDurableAfterAFailedWrite() {
        disk = new MemoryJournal.Disk(new MemoryJournal.Fault() {
            @Override
            public List<JournalEntry> write(List<JournalEntry> group) {
                if (group.get(0).seq() == 2) {
                    throw new StorageFailure("the virtual disk is full");
                }
                return group;
            }
        });
        MemoryJournal journal = open();
        append(journal, entry(Kind.PREPARE, 1, "a"));
        writes.remove().run();
        append(journal, entry(Kind.PREPARE, 2, "b"));
        writes.remove().run();
        append(journal, entry(Kind.PREPARE, 3, "c"));
        assertThat(writes).isEmpty();
        assertThat(durable).containsExactly("a");
        assertThat(failures).hasSize(1);
    }

    @Test
    void aDiskCanTearAndRot() {
        disk = new MemoryJournal.Disk(new MemoryJournal.Fault() {
            @Override
            public List<JournalEntry> write(List<JournalEntry> group) {
                return group.subList(0, 1);
            }

            @Override
            public JournalEntry read(JournalEntry entry) {
                throw new StorageFailure("damaged " + entry.kind());
            }
        });
        MemoryJournal journal = new MemoryJournal(disk);
        journal.append(() -> List.of(entry(Kind.PROPOSAL, 1, "p"), entry(Kind.PREPARE, 1, "v")), () -> {});
        assertThat(disk.entries()).containsExactly(entry(Kind.PROPOSAL, 1, "p"));
        assertThatThrownBy(journal::load).isInstanceOf(StorageFailure.class);
    }
}
