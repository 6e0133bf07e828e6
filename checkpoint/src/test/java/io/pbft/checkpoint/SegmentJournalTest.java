package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class SegmentJournalTest {
    @TempDir
    Path folder;

    private final LinkedBlockingQueue<StorageFailure> failures = new LinkedBlockingQueue<>();

    private SegmentJournal open() {
        return SegmentJournal.open(folder, Runnable::run, failures::add);
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
        try (SegmentJournal journal = open()) {
            assertThat(journal.load()).isEmpty();
            appendAndWait(journal, entry(Kind.COMMIT, 300, 0, "c"), entry(Kind.COMMIT, 2, 0, "b"), big);
            appendAndWait(journal, entry(Kind.COMMIT, 2, 1, "b1"), entry(Kind.STABLE, 0, 0, ""));
            appendAndWait(journal, entry(Kind.COMMIT, 2, 1, "b2"));
        }
        try (SegmentJournal journal = open()) {
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
        try (SegmentJournal journal = open()) {
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
        SegmentJournal journal = open();
        for (int i = 0; i < 50; i++) {
            JournalEntry entry = entry(Kind.PREPARE, i, 0, "x");
            journal.append(() -> List.of(entry), () -> {});
        }
        journal.close();
        journal.close();
        assertThatThrownBy(() -> journal.truncate(1)).isInstanceOf(IllegalStateException.class);
        try (SegmentJournal again = open()) {
            assertThat(again.load()).hasSize(50);
        }
    }

    @Test
    void truncationTakesWhatLiesBehindTheCheckpointWithTheNextAppend() {
        try (SegmentJournal journal = open()) {
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
        try (SegmentJournal journal = open()) {
            assertThat(journal.load()).isEqualTo(model.load()).hasSize(2 * (4 + 2 + 9) + 1);
        }
    }

    @Test
    void aFolderIsOpenedOnce() {
        try (SegmentJournal journal = open()) {
            assertThat(journal.load()).isEmpty();
            assertThatThrownBy(this::open)
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining(folder.resolve("journal").toString())
                    .hasMessageContaining("in use");
        }
        open().close();
    }

    /** Whoever deletes what looks like a leftover does not make room for a second process by it. */
    @Test
    void aSecondProcessIsRefusedWithoutTheFileThatIsThereToBeLocked() throws IOException, InterruptedException {
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
            for (int i = 0; i < 2; i++) {
                Files.delete(folder.resolve("journal").resolve(DirectoryLock.FILE_NAME));
                assertThat(journal.scrub()).isEmpty();
                ChildProcess.Said second = ChildProcess.run("ulimit -t 20", JournalChild.class, 1, folder, 1);
                assertThat(second.last()).isZero();
                assertThat(second.otherLines())
                        .singleElement()
                        .asString()
                        .contains("journal.mark", "in use by another");
            }
            appendAndWait(journal, entry(Kind.COMMIT, 2, 0, "b"));
        }
        try (SegmentJournal again = open()) {
            assertThat(again.load()).hasSize(2);
        }
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

    private static JournalEntry large(long seq) {
        return new JournalEntry(Kind.PROPOSAL, seq, 0, StateStoreContract.large((int) seq, 100_000));
    }

    private static void fill(Journal journal, long first, long last) {
        for (long seq = first; seq <= last; seq++) {
            appendAndWait(journal, large(seq));
        }
    }

    private List<Path> segments() throws IOException {
        return List.copyOf(SegmentFiles.segments(folder.resolve("journal")).values());
    }

    @Test
    void segmentsFollowEachOtherAndGoOnceTheyLieBehindTheCheckpoint() throws IOException {
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.VIEW_CHANGE, 0, 0, "left"), entry(Kind.STABLE, 0, 0, "none"));
            fill(journal, 1, 400);
            assertThat(segments()).hasSize(3);
            journal.truncate(300);
            appendAndWait(journal, entry(Kind.STABLE, 0, 0, "at 300"));
            assertThat(segments()).hasSize(2);
            assertThat(SegmentFiles.spares(folder.resolve("journal"))).hasSize(1);
            fill(journal, 401, 600);
            // The spare was used again, with what it held before still in it.
            assertThat(SegmentFiles.spares(folder.resolve("journal"))).isEmpty();
        }
        List<JournalEntry> expected = new ArrayList<>();
        for (long seq = 301; seq <= 600; seq++) {
            expected.add(large(seq));
        }
        expected.add(entry(Kind.STABLE, 0, 0, "at 300"));
        expected.add(entry(Kind.VIEW_CHANGE, 0, 0, "left"));
        try (SegmentJournal journal = open()) {
            assertThat(journal.load()).isEqualTo(expected);
            journal.truncate(600);
            appendAndWait(journal, large(601));
            assertThat(segments()).hasSize(1);
        }
        try (SegmentJournal journal = open()) {
            assertThat(journal.load())
                    .containsExactly(
                            large(601), entry(Kind.STABLE, 0, 0, "at 300"), entry(Kind.VIEW_CHANGE, 0, 0, "left"));
        }
    }

    @Test
    void aGroupLargerThanASegmentHasOneOfItsOwn() {
        JournalEntry huge = new JournalEntry(Kind.NEW_VIEW, 0, 0, StateStoreContract.large(1, 40 << 20));
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
            appendAndWait(journal, huge);
            appendAndWait(journal, entry(Kind.COMMIT, 2, 0, "b"));
        }
        try (SegmentJournal journal = open()) {
            assertThat(journal.load())
                    .containsExactly(entry(Kind.COMMIT, 1, 0, "a"), entry(Kind.COMMIT, 2, 0, "b"), huge);
        }
    }

    /**
     * Every length that a cut can leave of the last write: it is dropped, what was durable before is there, and it goes
     * on.
     */
    @Test
    void aTornTailIsDropped() throws IOException {
        long before;
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
        }
        byte[] mark = Files.readAllBytes(JournalMark.file(folder));
        before = 2 * JournalFormat.BLOCK_BYTES;
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 2, 0, "b"), large(3));
        }
        byte[] whole = Files.readAllBytes(segments().get(0));
        int end = (int) before + 26 * JournalFormat.BLOCK_BYTES;
        for (int cut = (int) before; cut < end; cut += 1_000 + (cut * 7) % 2_999) {
            byte[] torn = Arrays.copyOf(whole, whole.length);
            Arrays.fill(torn, cut, end, (byte) 0);
            Files.write(segments().get(0), torn);
            Files.write(JournalMark.file(folder), mark);
            try (SegmentJournal journal = open()) {
                List<JournalEntry> found = journal.load();
                assertThat(found.get(found.size() - 1))
                        .isEqualTo(entry(Kind.COMMIT, found.size() == 1 ? 1 : 2, 0, found.size() == 1 ? "a" : "b"));
                appendAndWait(journal, entry(Kind.COMMIT, 9, 0, "after " + cut));
            }
            try (SegmentJournal journal = open()) {
                assertThat(journal.load()).contains(entry(Kind.COMMIT, 9, 0, "after " + cut));
            }
        }
    }

    /** Killed while it begins a segment, and later within a write to the one before: neither was ever durable. */
    @Test
    void aTornTailIsDroppedWhereAnEarlierCrashLeftASegmentThatWasNotBegun() throws IOException {
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
        }
        byte[] used = Files.readAllBytes(segments().get(0));
        List<byte[]> beginnings = List.of(
                new byte[0],
                new byte[17],
                new byte[SegmentJournal.GROWTH_BYTES],
                // One that was used before, and has its new name but not its new head.
                used);
        long view = 1;
        for (byte[] beginning : beginnings) {
            Files.write(SegmentFiles.segment(folder.resolve("journal"), 2), beginning);
            try (SegmentJournal journal = open()) {
                appendAndWait(journal, entry(Kind.COMMIT, 1, view, "a"));
            }
            byte[] mark = Files.readAllBytes(JournalMark.file(folder));
            byte[] durable = Files.readAllBytes(segments().get(0));
            try (SegmentJournal journal = open()) {
                appendAndWait(journal, large(3));
            }
            byte[] torn = Files.readAllBytes(segments().get(0));
            int begin = Arrays.mismatch(durable, torn);
            Arrays.fill(torn, begin + 9 * JournalFormat.BLOCK_BYTES + 5, torn.length, (byte) 0);
            Files.write(segments().get(0), torn);
            Files.write(JournalMark.file(folder), mark);
            try (SegmentJournal journal = open()) {
                assertThat(journal.load()).hasSize((int) view + 1).contains(entry(Kind.COMMIT, 1, view, "a"));
            }
            assertThat(segments()).hasSize(1);
            view++;
        }
    }

    /** What comes after a torn tail has no room in that segment: then what was torn stays where it is. */
    @Test
    void aTornTailThatNothingIsWrittenOverIsNotTakenForDamageLater() throws IOException {
        JournalEntry half = new JournalEntry(Kind.PROPOSAL, 1, 0, StateStoreContract.large(1, 9 << 20));
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, half);
        }
        byte[] mark = Files.readAllBytes(JournalMark.file(folder));
        byte[] durable = Files.readAllBytes(segments().get(0));
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, large(2));
        }
        byte[] torn = Files.readAllBytes(segments().get(0));
        int begin = Arrays.mismatch(durable, torn);
        Arrays.fill(torn, begin + 9 * JournalFormat.BLOCK_BYTES + 5, torn.length, (byte) 0);
        Files.write(segments().get(0), torn);
        Files.write(JournalMark.file(folder), mark);
        JournalEntry next = new JournalEntry(Kind.PROPOSAL, 3, 0, StateStoreContract.large(3, 9 << 20));
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, next);
        }
        assertThat(segments()).hasSize(2);
        try (SegmentJournal journal = open()) {
            assertThat(journal.load()).containsExactly(half, next);
        }
    }

    /** Each segment in turn is as it was some time before. */
    @Test
    void anOlderCopyOfOneSegmentIsNoticed() throws IOException {
        for (int old = 0; old < 2; old++) {
            try (SegmentJournal journal = open()) {
                fill(journal, 1, 100 + 200L * old);
            }
            byte[] copy = Files.readAllBytes(segments().get(old));
            try (SegmentJournal journal = open()) {
                fill(journal, 101 + 200L * old, 450);
            }
            assertThat(segments().size()).isGreaterThan(2);
            Files.write(segments().get(old), copy);
            assertRefused("missing or damaged");
            SegmentJournal.putAside(folder);
        }
    }

    /** The same cut, but the write had been reported durable: the mark knows. */
    @Test
    void anEndThatHadBeenDurableIsMissed() throws IOException {
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
            appendAndWait(journal, entry(Kind.COMMIT, 2, 0, "b"));
        }
        flip(segments().get(0), 2 * JournalFormat.BLOCK_BYTES + 9);
        assertRefused("group 2 had been durable");
    }

    @Test
    void aDamagedRecordIsFoundAndItsPlaceNamed() throws IOException {
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 17, 2, "a promise that must not be forgotten"));
            appendAndWait(journal, entry(Kind.COMMIT, 18, 2, "b"));
        }
        flip(segments().get(0), JournalFormat.BLOCK_BYTES + 32 + 29 + 5);
        assertRefused("COMMIT of sequence number 17 in view 2 is damaged");
    }

    @Test
    void damageToWhatWasReplacedOrTruncatedIsHarmless() throws IOException {
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.VIEW_CHANGE, 0, 0, "an old one"));
            appendAndWait(journal, entry(Kind.COMMIT, 17, 2, "an old one"));
            appendAndWait(journal, entry(Kind.VIEW_CHANGE, 0, 0, "a newer one"));
            journal.truncate(17);
            appendAndWait(journal, entry(Kind.COMMIT, 18, 2, "b"));
        }
        flip(segments().get(0), JournalFormat.BLOCK_BYTES + 32 + 29 + 5);
        flip(segments().get(0), 2 * JournalFormat.BLOCK_BYTES + 32 + 29 + 5);
        try (SegmentJournal journal = open()) {
            assertThat(journal.load())
                    .containsExactly(entry(Kind.COMMIT, 18, 2, "b"), entry(Kind.VIEW_CHANGE, 0, 0, "a newer one"));
        }
    }

    @Test
    void aDamagedGroupInTheMiddleIsMissed() throws IOException {
        try (SegmentJournal journal = open()) {
            for (int i = 1; i <= 3; i++) {
                appendAndWait(journal, entry(Kind.COMMIT, i, 0, "a"));
            }
        }
        byte[] whole = Files.readAllBytes(segments().get(0));
        for (int group = 1; group <= 3; group++) {
            Files.write(segments().get(0), whole);
            flip(segments().get(0), group * JournalFormat.BLOCK_BYTES + 9);
            assertRefused("group");
        }
    }

    /** What may be on its way to the disk is nothing that a look at a journal in use could call damaged. */
    @Test
    void whatIsWrittenSinceALookBeganIsNotLookedAt() throws IOException {
        try (SegmentJournal journal = open()) {
            for (int i = 1; i <= 3; i++) {
                appendAndWait(journal, entry(Kind.COMMIT, i, 0, "content " + i));
            }
        }
        long id = JournalMark.peek(folder).orElseThrow().journal();
        // The first block is the segment's, and each group has one.
        flip(segments().get(0), 2 * JournalFormat.BLOCK_BYTES + JournalFormat.GROUP_HEAD_BYTES + 3);
        Path journal = folder.resolve("journal");
        assertThat(JournalScan.readUncached(journal, new JournalMark.Mark(id, 1))
                        .damages())
                .isEmpty();
        assertThat(JournalScan.readUncached(journal, new JournalMark.Mark(id, 3))
                        .damages())
                .isNotEmpty();
    }

    @Test
    void aMissingSegmentIsMissed() throws IOException {
        try (SegmentJournal journal = open()) {
            fill(journal, 1, 450);
        }
        List<Path> segments = segments();
        assertThat(segments).hasSize(3);
        for (Path segment : segments) {
            Path away = folder.resolve("away");
            Files.move(segment, away);
            assertThatThrownBy(this::open)
                    .isInstanceOfSatisfying(
                            StorageFailure.class,
                            failure -> assertThat(failure.isDamageOf(StorageFailure.Part.JOURNAL))
                                    .isTrue())
                    .hasMessageContaining("--rejoin");
            Files.move(away, segment);
        }
        open().close();
    }

    @Test
    void segmentsThatChangedPlacesAreNoticed() throws IOException {
        try (SegmentJournal journal = open()) {
            fill(journal, 1, 450);
        }
        Path away = folder.resolve("away");
        Files.move(segments().get(0), away);
        Files.move(segments().get(0), SegmentFiles.segment(folder.resolve("journal"), 1));
        Files.move(away, SegmentFiles.segment(folder.resolve("journal"), 2));
        assertRefused("--rejoin");
    }

    /** All that a segment's first block says is known from elsewhere. */
    @Test
    void aDamagedFirstBlockIsRepaired() throws IOException {
        try (SegmentJournal journal = open()) {
            fill(journal, 1, 300);
        }
        List<Path> segments = segments();
        assertThat(segments).hasSize(2);
        for (Path segment : segments) {
            byte[] whole = Files.readAllBytes(segment);
            flip(segment, 13);
            try (SegmentJournal journal = open()) {
                assertThat(journal.load()).hasSize(300);
            }
            assertThat(Files.readAllBytes(segment)).isEqualTo(whole);
        }
    }

    @Test
    void anOlderCopyIsNoticed() throws IOException {
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
        }
        byte[] copy = Files.readAllBytes(segments().get(0));
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 2, 0, "b"));
        }
        Files.write(segments().get(0), copy);
        assertRefused("older copy");
    }

    @Test
    void aJournalThatIsGoneIsMissedAndANewOneIsBegunWhereItWasPutAside() throws IOException {
        assertThat(SegmentJournal.wasBegun(folder)).isFalse();
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
        }
        for (Path segment : segments()) {
            Files.delete(segment);
        }
        assertRefused("is gone");
        for (int i = 0; i < 2; i++) {
            SegmentJournal.putAside(folder);
            assertThat(SegmentJournal.wasBegun(folder)).isFalse();
            try (SegmentJournal journal = open()) {
                assertThat(journal.load()).isEmpty();
                appendAndWait(journal, entry(Kind.COMMIT, 2, 0, "b"));
            }
        }
        try (SegmentJournal journal = open()) {
            assertThat(journal.load()).containsExactly(entry(Kind.COMMIT, 2, 0, "b"));
        }
    }

    /** The mark says less then: nothing is lost by its loss alone. */
    @Test
    void aMarkThatCannotBeReadIsMadeAnew() throws IOException {
        try (SegmentJournal journal = open()) {
            appendAndWait(journal, entry(Kind.COMMIT, 1, 0, "a"));
        }
        byte[] whole = Files.readAllBytes(JournalMark.file(folder));
        for (int i = 0; i < whole.length; i++) {
            flip(JournalMark.file(folder), i);
            try (SegmentJournal journal = open()) {
                assertThat(journal.load()).containsExactly(entry(Kind.COMMIT, 1, 0, "a"));
            }
            assertThat(Files.readAllBytes(JournalMark.file(folder))).isEqualTo(whole);
        }
    }

    @Test
    void anotherFormatIsRefused() throws IOException {
        open().close();
        Path segment = segments().get(0);
        ByteBuffer block = ByteBuffer.wrap(Files.readAllBytes(segment));
        block.putInt(8, 9);
        CRC32C crc = new CRC32C();
        crc.update(block.array(), 0, 36);
        Files.write(segment, block.putInt(36, (int) crc.getValue()).array());
        assertThatThrownBy(this::open).isInstanceOf(StorageFailure.class).hasMessageContaining("format 9");
    }

    private static void flip(Path file, int offset) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[offset] ^= 4;
        Files.write(file, bytes);
    }

    private void assertRefused(String message) {
        assertThatThrownBy(this::open)
                .isInstanceOfSatisfying(
                        StorageFailure.class,
                        failure -> assertThat(failure.isDamageOf(StorageFailure.Part.JOURNAL))
                                .isTrue())
                .hasMessageContaining(folder.resolve("journal").toString())
                .hasMessageContaining("--rejoin")
                .hasMessageContaining(message);
    }

    @Test
    void afterAFailureNothingIsReportedDurable() throws InterruptedException {
        List<String> durable = new ArrayList<>();
        try (SegmentJournal journal = open()) {
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
        try (SegmentJournal journal = open()) {
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
        try (SegmentJournal journal = open()) {
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
