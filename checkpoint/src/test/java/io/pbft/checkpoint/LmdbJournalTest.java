package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;

@Timeout(120)
class LmdbJournalTest {
    @TempDir
    Path folder;

    private final LinkedBlockingQueue<StorageFailure> failures = new LinkedBlockingQueue<>();

    private LmdbJournal open() {
        return LmdbJournal.open(folder, Runnable::run, failures::add);
    }

    private static JournalEntry entry(Kind kind, long seq, long view, String content) {
        return new JournalEntry(kind, seq, view, Bytes.utf8(content));
    }

    private static void appendAndWait(Journal journal, JournalEntry... entries) {
        CompletableFuture<Boolean> durable = new CompletableFuture<>();
        journal.append(() -> List.of(entries), () -> durable.complete(true));
        assertThat(durable.join()).isTrue();
    }

    @Test
    void whatWasReportedDurableIsThereAfterAReopenInOrder() {
        JournalEntry big = new JournalEntry(Kind.PROPOSAL, 7, 2, StateStoreContract.large(1, 4 << 20));
        try (LmdbJournal journal = open()) {
            assertThat(journal.load()).isEmpty();
            appendAndWait(journal, entry(Kind.COMMIT, 300, 0, "c"), entry(Kind.COMMIT, 2, 0, "b"), big);
            appendAndWait(journal, entry(Kind.COMMIT, 2, 1, "b1"), entry(Kind.STABLE, 0, 0, ""));
            appendAndWait(journal, entry(Kind.COMMIT, 2, 1, "b2"));
        }
        try (LmdbJournal journal = open()) {
            assertThat(journal.load())
                    .containsExactly(
                            big,
                            entry(Kind.COMMIT, 2, 0, "b"),
                            entry(Kind.COMMIT, 2, 1, "b2"),
                            entry(Kind.COMMIT, 300, 0, "c"),
                            entry(Kind.STABLE, 0, 0, ""));
        }
    }

    @Test
    void whatWaitsSharesOneSynchronousWriteAndCompletesInOrder() throws InterruptedException {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Integer> order = new ArrayList<>();
        try (LmdbJournal journal = open()) {
            journal.append(
                    () -> {
                        started.countDown();
                        await(go);
                        return List.of(entry(Kind.PREPARE, 1, 0, "first"));
                    },
                    () -> order.add(0));
            started.await();
            for (int i = 1; i <= 100; i++) {
                int number = i;
                journal.append(() -> List.of(entry(Kind.PREPARE, 1 + number, 0, "x")), () -> order.add(number));
            }
            go.countDown();
            appendAndWait(journal, entry(Kind.PREPARE, 500, 0, "last"));
            assertThat(journal.counters().entries()).isEqualTo(102);
            assertThat(journal.counters().writes()).isLessThanOrEqualTo(2);
            assertThat(journal.counters().bytes()).isEqualTo(5 + 100 + 4);
        }
        assertThat(order).hasSize(101).isSorted();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void closeWritesWhatWaits() {
        LmdbJournal journal = open();
        for (int i = 0; i < 50; i++) {
            JournalEntry entry = entry(Kind.PREPARE, i, 0, "x");
            journal.append(() -> List.of(entry), () -> {});
        }
        journal.close();
        journal.close();
        assertThatThrownBy(() -> journal.truncate(1)).isInstanceOf(IllegalStateException.class);
        try (LmdbJournal again = open()) {
            assertThat(again.load()).hasSize(50);
        }
    }

    @Test
    void truncationTakesWhatLiesBehindTheCheckpointWithTheNextAppend() {
        try (LmdbJournal journal = open()) {
            for (Kind kind : Kind.values()) {
                for (long seq = 1; seq <= 3; seq++) {
                    appendAndWait(journal, entry(kind, seq, 1, kind + "" + seq), entry(kind, seq, 5, kind + "" + seq));
                }
            }
            journal.truncate(1);
            journal.truncate(2);
            appendAndWait(journal, entry(Kind.PREPARE, 2, 9, "next"));
        }
        MemoryJournal.Disk disk = new MemoryJournal.Disk();
        MemoryJournal model = new MemoryJournal(disk);
        for (Kind kind : Kind.values()) {
            for (long seq = 1; seq <= 3; seq++) {
                appendAndWait(model, entry(kind, seq, 1, kind + "" + seq), entry(kind, seq, 5, kind + "" + seq));
            }
        }
        model.truncate(2);
        appendAndWait(model, entry(Kind.PREPARE, 2, 9, "next"));
        try (LmdbJournal journal = open()) {
            assertThat(journal.load()).isEqualTo(model.load()).hasSize(2 * (5 + 2 + 9) + 1);
        }
    }

    @Test
    void theMapGrowsByItself() {
        List<JournalEntry> all = new ArrayList<>();
        try (LmdbJournal journal = LmdbJournal.open(folder, 1 << 18, Runnable::run, failures::add)) {
            for (int i = 0; i < 40; i++) {
                JournalEntry entry = new JournalEntry(Kind.PROPOSAL, i, 0, StateStoreContract.large(i, 100_000));
                all.add(entry);
                appendAndWait(journal, entry);
            }
            assertThat(journal.mapBytes()).isGreaterThan(4_000_000);
            assertThat(journal.load()).isEqualTo(all);
        }
        assertThat(failures).isEmpty();
        try (LmdbJournal journal = LmdbJournal.open(folder, 1 << 18, Runnable::run, failures::add)) {
            assertThat(journal.load()).isEqualTo(all);
            appendAndWait(journal, new JournalEntry(Kind.PROPOSAL, 99, 0, StateStoreContract.large(9, 4 << 20)));
        }
    }

    @Test
    void aFolderIsOpenedOnce() {
        try (LmdbJournal journal = open()) {
            assertThat(journal.load()).isEmpty();
            assertThatThrownBy(this::open)
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining(folder.resolve("journal").toString())
                    .hasMessageContaining("in use");
        }
        open().close();
    }

    @Test
    void aFileInTheWayIsNamed() throws IOException {
        Files.writeString(folder.resolve("journal"), "not a folder");
        assertThatThrownBy(this::open)
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining("not a folder")
                .hasMessageContaining(folder.resolve("journal").toString());
    }

    @Test
    void aFolderThatMayNotBeWrittenIsNamed() throws IOException {
        Path journal = Files.createDirectory(folder.resolve("journal"));
        Files.setPosixFilePermissions(journal, PosixFilePermissions.fromString("r-xr-xr-x"));
        // The superuser may write everywhere.
        Assumptions.assumeFalse(Files.isWritable(journal));
        assertThatThrownBy(this::open)
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining("cannot be written")
                .hasMessageContaining(journal.toString());
    }

    @Test
    void aFileThatIsNoEnvironmentIsRefused() throws IOException {
        Files.createDirectory(folder.resolve("journal"));
        Files.write(folder.resolve("journal/data.mdb"), new byte[20_000]);
        assertThatThrownBy(this::open)
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining(folder.resolve("journal").toString());
    }

    @Test
    void aDamagedRecordIsFoundAndItsPlaceNamed() throws IOException {
        String content = "a promise that must not be forgotten";
        try (LmdbJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 17, 2, content));
        }
        Path data = folder.resolve("journal/data.mdb");
        byte[] bytes = Files.readAllBytes(data);
        byte[] wanted = content.getBytes(StandardCharsets.UTF_8);
        int flipped = 0;
        for (int i = 0; i + wanted.length <= bytes.length; i++) {
            if (ByteBuffer.wrap(bytes, i, wanted.length).equals(ByteBuffer.wrap(wanted))) {
                bytes[i + 5] ^= 4;
                flipped++;
            }
        }
        assertThat(flipped).isPositive();
        Files.write(data, bytes);
        try (LmdbJournal journal = open()) {
            assertThatThrownBy(journal::load)
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining(data.toString())
                    .hasMessageContaining("COMMIT of sequence number 17 in view 2");
        }
    }

    /** Each record for itself is right: that one is gone shows only in the whole. */
    @Test
    void aRecordThatIsGoneIsMissed() {
        try (LmdbJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 17, 2, "a"), entry(Kind.COMMIT, 18, 2, "b"));
        }
        try (Env<ByteBuffer> env =
                Env.create().setMaxDbs(1).open(folder.resolve("journal").toFile())) {
            ByteBuffer place = ByteBuffer.allocateDirect(17).put(Kind.COMMIT.code());
            assertThat(env.openDbi("journal")
                            .delete(place.putLong(17).putLong(2).flip()))
                    .isTrue();
        }
        try (LmdbJournal journal = open()) {
            assertThatThrownBy(journal::load)
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining("there are 1, and should be 2");
        }
    }

    /** The number by which LMDB finds the last transaction is damaged: the one before must not pass for it. */
    @Test
    void theLastTransactionDoesNotVanish() throws IOException {
        try (LmdbJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
            appendAndWait(journal, entry(Kind.COMMIT, 2, 0, "b"));
        }
        Path data = folder.resolve("journal/data.mdb");
        byte[] bytes = Files.readAllBytes(data);
        ByteBuffer pages = ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.nativeOrder());
        long first = pages.getLong(144);
        long second = pages.getLong(4096 + 144);
        assertThat(Math.abs(first - second)).isEqualTo(1);
        pages.putLong((first > second ? 0 : 4096) + 144, Math.max(first, second) - 2);
        Files.write(data, bytes);
        assertThatThrownBy(this::open)
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining(data.toString())
                .hasMessageContaining("had been durable");
    }

    @Test
    void anotherFormatIsRefused() {
        open().close();
        try (Env<ByteBuffer> env =
                Env.create().setMaxDbs(1).open(folder.resolve("journal").toFile())) {
            Dbi<ByteBuffer> database = env.openDbi("journal", DbiFlags.MDB_CREATE);
            java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
            crc.update(new byte[] {0, 0, 0, 0, 9});
            ByteBuffer record =
                    ByteBuffer.allocateDirect(8).putInt((int) crc.getValue()).putInt(9);
            database.put(ByteBuffer.allocateDirect(1).put((byte) 0).flip(), record.flip());
        }
        assertThatThrownBy(this::open).isInstanceOf(StorageFailure.class).hasMessageContaining("format 9");
    }

    @Test
    void afterAFailureNothingIsReportedDurable() throws InterruptedException {
        List<String> durable = new ArrayList<>();
        try (LmdbJournal journal = open()) {
            appendAndWait(journal, entry(Kind.PREPARE, 1, 0, "a"));
            journal.append(
                    () -> {
                        throw new StorageFailure("the key cannot be used");
                    },
                    () -> durable.add("failed"));
            journal.append(() -> List.of(entry(Kind.PREPARE, 2, 0, "b")), () -> durable.add("b"));
            assertThat(failures.take()).hasMessageContaining("the key cannot be used");
            journal.append(() -> List.of(entry(Kind.PREPARE, 3, 0, "c")), () -> durable.add("c"));
        }
        assertThat(durable).isEmpty();
        assertThat(failures).isEmpty();
        try (LmdbJournal journal = open()) {
            assertThat(journal.load()).containsExactly(entry(Kind.PREPARE, 1, 0, "a"));
        }
    }

    /** Killed while it appends, truncates and grows: what it had reported durable is there, whole. */
    @Test
    void aKilledProcessLosesNothingItReportedDurable() throws IOException, InterruptedException {
        long first = 1;
        for (int round = 0; round < 3; round++) {
            long killAt = first + 3_000L + 777L * round;
            ChildProcess.Said said = ChildProcess.run("true", JournalChild.class, killAt, folder, first);
            assertThat(said.last()).isGreaterThanOrEqualTo(killAt);
            first = checkJournal(said.last());
        }
    }

    /** Whatever the disk refuses: what was durable stays, and the journal goes on once there is room again. */
    @Test
    void aDiskThatTakesNoMoreIsReportedAndWhatWasDurableIsThere() throws IOException, InterruptedException {
        ChildProcess.Said said = ChildProcess.run("ulimit -f 3000", JournalChild.class, Long.MAX_VALUE, folder, 1);
        assertThat(said.last()).isPositive();
        assertThat(said.otherLines()).hasSize(1);
        assertThat(said.otherLines().get(0))
                .contains("StorageFailure")
                .contains(folder.resolve("journal").toString())
                .contains("check free space");
        long next = checkJournal(said.last());
        long killAt = next + 3_000;
        assertThat(ChildProcess.run("true", JournalChild.class, killAt, folder, next)
                        .last())
                .isGreaterThanOrEqualTo(killAt);
    }

    /** Everything from the last truncation to what was reported is there; the next sequence number. */
    private long checkJournal(long reported) {
        try (LmdbJournal journal = open()) {
            List<JournalEntry> entries = journal.load();
            long expected = entries.get(0).seq();
            // Truncations stay 5,000 behind the appends.
            long last = entries.get(entries.size() - 1).seq();
            assertThat(expected).isLessThanOrEqualTo(Math.max(1, last - 4_999));
            for (JournalEntry entry : entries) {
                assertThat(entry).isEqualTo(JournalChild.entry(expected++));
            }
            assertThat(expected).isGreaterThan(reported);
            return expected;
        }
    }
}
