package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.JournalEntry.Kind;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.checkpoint.TreeNode.MalformedNode;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.lmdbjava.Txn;

/** What is damaged while it is in use is found without being needed, and put right. */
@Timeout(120)
class ScrubTest {
    private static final int ENTRIES = 3_000;

    @TempDir
    private Path folder;

    private final LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<StorageFailure> failures = new LinkedBlockingQueue<>();
    private long seq;

    private LmdbStateStore open(String name) {
        return LmdbStateStore.open(folder.resolve(name), callbacks::add, failures::add);
    }

    private Path data() {
        return folder.resolve("one/state/data.mdb");
    }

    /** Returns once all that the writer had to do before is done. */
    private void checkpoint(StateStore store) throws InterruptedException {
        store.checkpoint(++seq, Map.of(), root -> {});
        callbacks.take().run();
    }

    private static String text(int i) {
        // Every tenth one is large: it stands outside of the tree.
        return ("value " + i + ";").repeat(i % 10 == 0 ? 100 : 5);
    }

    private static void fill(StateStore store) {
        for (int i = 0; i < ENTRIES; i++) {
            store.state().put(Bytes.utf8("key " + i), Bytes.utf8(text(i)));
            if (i % 100 == 0) {
                store.state().put(Bytes.utf8("long ".repeat(150) + i), Bytes.utf8(text(i)));
            }
        }
    }

    private static void pass(LmdbStateStore store) {
        while (!store.scrub()) {
            // Until it was all.
        }
    }

    /**
     * What stands right before a key: LMDB's size of it ends with 0, that in a leaf of the tree with the size itself.
     */
    private enum In {
        ENTRIES,
        TREE
    }

    /**
     * Damages the value of a key wherever the file has it, old pages too, in its own place: it is open.
     *
     * @param in which of the two that hold a small value; a large one is only an entry
     */
    private void flip(In in, int key) throws IOException {
        byte[] bytes = Files.readAllBytes(data());
        byte[] name = ("\u0001key " + key).getBytes(StandardCharsets.UTF_8);
        byte[] value = text(key).getBytes(StandardCharsets.UTF_8);
        byte before = (byte) (in == In.ENTRIES ? 0 : name.length);
        int flipped = 0;
        try (FileChannel channel = FileChannel.open(data(), StandardOpenOption.WRITE)) {
            for (int i = 1; i + name.length + Integer.BYTES + value.length <= bytes.length; i++) {
                int at = i + name.length + Integer.BYTES;
                if (bytes[i - 1] == before
                        && Arrays.equals(bytes, i, i + name.length, name, 0, name.length)
                        && Arrays.equals(bytes, at, at + value.length, value, 0, value.length)) {
                    channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[at + 5] ^ 4)}), at + 5L);
                    flipped++;
                }
            }
        }
        assertThat(flipped).isPositive();
    }

    private void restoreFrom(StateStore other, LmdbStateStore store) throws InterruptedException {
        for (Bytes path : store.lost().nodes().keySet()) {
            store.restore(other.node(other.seq(), path).orElseThrow());
        }
        checkpoint(store);
    }

    private void assertWhole(LmdbStateStore store) throws Exception {
        pass(store);
        checkpoint(store);
        assertThat(store.lost().nodes()).isEmpty();
        assertThat(store.repairs().repaired()).isEqualTo(store.repairs().found());
        assertThat(failures).isEmpty();
        Digest root = store.root();
        store.close();
        LmdbStateStore.Contents found = LmdbStateStore.inspect(folder.resolve("one"));
        assertThat(found.damages()).isEmpty();
        assertThat(found.root()).isEqualTo(root);
        try (LmdbStateStore again = open("one")) {
            for (int i = 0; i < ENTRIES; i++) {
                assertThat(again.state().get(Bytes.utf8("key " + i))).contains(Bytes.utf8(text(i)));
            }
        }
    }

    /** Steps come by every record once, whatever is written between them. */
    @Test
    void everyRecordIsSeenWhileOthersAreWritten() throws Exception {
        try (LmdbStateStore store = open("one")) {
            fill(store);
            checkpoint(store);
            Random random = new Random(7);
            int steps = 0;
            do {
                for (int i = 0; i < 20; i++) {
                    store.state().put(Bytes.utf8("other " + random.nextInt(1_000)), Bytes.utf8(text(i)));
                }
                checkpoint(store);
                steps++;
            } while (!store.scrub());
            assertThat(steps).isGreaterThan(5);
            assertThat(store.repairs()).isEqualTo(new LmdbStateStore.Repairs(0, 0));
            assertThat(failures).isEmpty();
        }
    }

    @Test
    void aPassLeavesNothingOut() throws Exception {
        try (LmdbStateStore store = open("one")) {
            fill(store);
            checkpoint(store);
        }
        TreeMap<Bytes, Integer> seen = new TreeMap<>();
        LmdbPages.Values values = new LmdbPages.Values() {
            @Override
            public void check(String tree, ByteBuffer key, ByteBuffer value) {
                seen.merge(LmdbEnvironment.copy(key), 1, Integer::sum);
            }

            @Override
            public void end() {
                throw new IllegalStateException("a part has no end");
            }
        };
        try (LmdbEnvironment env =
                        LmdbEnvironment.open(folder.resolve("one/state"), "the state", 1 << 30, 4, new StateCheck());
                Txn<ByteBuffer> txn = env.read();
                CheckedFile file = CheckedFile.uncached(env.data())) {
            Optional<Bytes> next = Optional.of(Bytes.EMPTY);
            while (next.isPresent()) {
                next = LmdbPages.checkSome(file, txn.getId(), StateCheck.ENTRIES, next.get(), 2, values);
            }
        }
        assertThat(seen).hasSize(ENTRIES + ENTRIES / 100);
        assertThat(seen.values()).allMatch(times -> times == 1);
    }

    @Test
    void anEntryWithASmallValueIsWrittenAnewFromItsLeaf() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        checkpoint(store);
        flip(In.ENTRIES, 17);
        pass(store);
        while (store.repairs().repaired() < 1) {
            Thread.onSpinWait();
        }
        assertThat(store.repairs()).isEqualTo(new LmdbStateStore.Repairs(1, 1));
        assertThat(store.lost().nodes()).isEmpty();
        assertThat(store.state().get(Bytes.utf8("key 17"))).contains(Bytes.utf8(text(17)));
        assertWhole(store);
    }

    /** Execution cannot wait, and need not: what the tree holds as well is read there. */
    @Test
    void aDamagedSmallValueThatIsReadBeforeItWasFoundIsReadFromItsLeafAndPutBack() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        checkpoint(store);
        flip(In.ENTRIES, 17);
        assertThat(store.state().get(Bytes.utf8("key 17"))).contains(Bytes.utf8(text(17)));
        flip(In.ENTRIES, 40);
        assertThatThrownBy(() -> store.state().get(Bytes.utf8("key 40"))).isInstanceOf(StorageFailure.class);
        checkpoint(store);
        assertThat(store.repairs()).isEqualTo(new LmdbStateStore.Repairs(1, 1));
        store.close();
        assertThat(LmdbStateStore.inspect(folder.resolve("one")).damages())
                .singleElement()
                .asString()
                .contains(Bytes.utf8("key 40").toString());
    }

    /** So are those that a scan comes by, with keys of any length. */
    @Test
    void aScanReadsDamagedSmallValuesFromTheirLeaves() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        Bytes longKey = Bytes.utf8("longer ".repeat(100));
        store.state().put(longKey, Bytes.utf8(text(5)));
        checkpoint(store);
        List<StateView.Entry> whole = store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 2 * ENTRIES);
        flip(In.ENTRIES, 17);
        flip(In.ENTRIES, 2_999);
        flipBehind(longKey, text(5));
        assertThat(store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 2 * ENTRIES)).isEqualTo(whole);
        checkpoint(store);
        assertThat(store.repairs()).isEqualTo(new LmdbStateStore.Repairs(3, 3));
        flip(In.ENTRIES, 40);
        assertThatThrownBy(() -> store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 2 * ENTRIES))
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining("start this replica again: it gets the state from the others");
        store.close();
    }

    /** What another replica asks for and the disk has damaged is not served, and put back: it halts nobody. */
    @Test
    void whatOthersAskForAndIsDamagedIsPutBack() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        checkpoint(store);
        try (LmdbStateStore other = open("other")) {
            fill(other);
            seq--;
            checkpoint(other);
            Bytes leaf = leafOf(other, 17);
            Bytes value = valueOf(other, 40);
            flip(In.TREE, 17);
            flip(In.ENTRIES, 40);
            for (Bytes path : List.of(leaf, value)) {
                assertThat(store.node(store.seq(), path)).isEmpty();
                assertThat(other.node(other.seq(), path)).isPresent();
            }
            checkpoint(store);
            assertThat(store.lost().nodes().keySet()).containsExactlyInAnyOrder(leaf, value);
            restoreFrom(other, store);
        }
        assertWhole(store);
    }

    private static Bytes leafOf(StateStore store, int key) throws MalformedNode {
        Bytes hash = Digest.of(StateTree.key(StateTree.APPLICATION, Bytes.utf8("key " + key)))
                .toBytes();
        Bytes path = Bytes.EMPTY;
        while (nodeAt(store, path) instanceof Inner) {
            path = StateTree.childPath(path, StateTree.step(hash, path.size()));
        }
        return path;
    }

    private static Bytes valueOf(StateStore store, int key) throws MalformedNode {
        Bytes path = leafOf(store, key);
        Bytes place = StateTree.key(StateTree.APPLICATION, Bytes.utf8("key " + key));
        List<Bytes> keys = ((Leaf) nodeAt(store, path))
                .entries().stream().map(LeafEntry::key).toList();
        return StateTree.valuePath(path, keys.indexOf(place));
    }

    private static TreeNode nodeAt(StateStore store, Bytes path) throws MalformedNode {
        return TreeNode.decode(store.node(store.seq(), path).orElseThrow().content());
    }

    @Test
    void nodesAndLargeValuesAreTakenFromOthersAndNothingElseIs() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        checkpoint(store);
        try (LmdbStateStore other = open("other")) {
            fill(other);
            seq--;
            checkpoint(other);
            assertThat(other.root()).isEqualTo(store.root());
            flip(In.TREE, 17);
            flip(In.TREE, 18);
            flip(In.ENTRIES, 40);
            pass(store);
            checkpoint(store);
            assertThat(store.repairs()).isEqualTo(new LmdbStateStore.Repairs(3, 0));
            assertThat(store.lost().nodes()).hasSize(3);

            // A lie, and what nobody asked for.
            Bytes path = store.lost().nodes().keySet().iterator().next();
            store.restore(new StateNodes.Node(path, Bytes.utf8("something else")));
            store.restore(new StateNodes.Node(Bytes.fromHex("0f0f0f0f"), Bytes.utf8("x")));
            checkpoint(store);
            assertThat(store.lost().nodes()).hasSize(3);
            assertThat(Files.readString(data(), StandardCharsets.ISO_8859_1)).doesNotContain("something else");
            restoreFrom(other, store);
            assertThat(store.lost().nodes()).isEmpty();
        }
        assertWhole(store);
    }

    /** Others are asked at the path where they have it, whatever was written since it was found. */
    @Test
    void whatIsLostMovesWithTheTree() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        checkpoint(store);
        try (LmdbStateStore other = open("other")) {
            fill(other);
            flip(In.ENTRIES, 40);
            pass(store);
            checkpoint(store);
            Map<Bytes, Digest> before = store.lost().nodes();
            for (int i = 0; i < 5 * ENTRIES; i++) {
                store.state().put(Bytes.utf8("other " + i), Bytes.EMPTY);
                other.state().put(Bytes.utf8("other " + i), Bytes.EMPTY);
            }
            checkpoint(store);
            checkpoint(store);
            seq--;
            checkpoint(other);
            assertThat(store.lost().nodes()).hasSize(1).isNotEqualTo(before);
            restoreFrom(other, store);
            assertThat(store.lost().nodes()).isEmpty();
        }
        assertWhole(store);
    }

    @Test
    void whatATransferReplacedIsNotLost() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        checkpoint(store);
        flip(In.ENTRIES, 40);
        pass(store);
        checkpoint(store);
        assertThat(store.lost().nodes()).hasSize(1);
        MemoryStateStore source = new MemoryStateStore(new MemoryStateStore.Disk());
        source.state().put(Bytes.utf8("key"), Bytes.utf8("value"));
        seq = 20;
        Digest[] root = new Digest[1];
        source.checkpoint(seq, Map.of(), taken -> root[0] = taken);
        StateInstall install = store.install(seq, root[0]);
        StateStoreContract.fetch(source, install);
        install.commit(installed -> assertThat(installed).isTrue());
        callbacks.take().run();
        checkpoint(store);
        assertThat(store.lost().nodes()).isEmpty();
        assertThat(failures).isEmpty();
        store.close();
    }

    /** The leaf of a large value is damaged too: the value's path is only known once that is whole. */
    @Test
    void whatLeadsToADamagedValueIsPutBackFirst() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        checkpoint(store);
        try (LmdbStateStore other = open("other")) {
            fill(other);
            seq--;
            checkpoint(other);
            Bytes value = store.state().get(Bytes.utf8("key 40")).orElseThrow();
            flipDigestOf(value);
            flip(In.ENTRIES, 40);
            pass(store);
            checkpoint(store);
            assertThat(store.repairs().found()).isEqualTo(2);
            assertThat(store.lost().nodes()).hasSize(1);
            restoreFrom(other, store);
            assertThat(store.lost().nodes()).hasSize(1);
            restoreFrom(other, store);
        }
        assertWhole(store);
    }

    /** Damages a value that stands right behind its key: so do those of long keys, in their entries. */
    private void flipBehind(Bytes key, String value) throws IOException {
        flipAll(key.concat(Bytes.utf8(value)), key.size() + 3);
    }

    private void flipDigestOf(Bytes value) throws IOException {
        flipAll(TreeNode.digestOfValue(value).toBytes(), 0);
    }

    /** Damages a byte in {@code wanted} wherever the file has that. */
    private void flipAll(Bytes wanted, int at) throws IOException {
        byte[] sought = wanted.toByteArray();
        byte[] bytes = Files.readAllBytes(data());
        int flipped = 0;
        try (FileChannel channel = FileChannel.open(data(), StandardOpenOption.WRITE)) {
            for (int i = 0; i + sought.length <= bytes.length; i++) {
                if (Arrays.equals(bytes, i, i + sought.length, sought, 0, sought.length)) {
                    channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[i + at] ^ 1)}), i + (long) at);
                    flipped++;
                }
            }
        }
        assertThat(flipped).isPositive();
    }

    /** A page that says something wrong about itself is not to be repaired by writing through it. */
    @Test
    void damagedPagesAreReportedAsDamageOfTheWholeState() throws Exception {
        try (LmdbStateStore store = open("one")) {
            fill(store);
            checkpoint(store);
            // The number of every page but the first two.
            try (FileChannel channel = FileChannel.open(data(), StandardOpenOption.WRITE)) {
                for (long page = 2; page < channel.size() / 4096; page++) {
                    channel.write(ByteBuffer.wrap(new byte[] {1}), page * 4096 + 6);
                }
            }
            assertThatThrownBy(() -> pass(store))
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining(data().toString())
                    .hasMessageContaining("it is another page")
                    .matches(failure -> ((StorageFailure) failure).isDamageOf(StorageFailure.Part.STATE));
        }
    }

    private static void append(SegmentJournal journal, JournalEntry... entries) {
        CompletableFuture<Boolean> durable = new CompletableFuture<>();
        journal.append(() -> List.of(entries), () -> durable.complete(true));
        assertThat(durable.join()).isTrue();
    }

    private static JournalEntry entry(Kind kind, long seq, String content) {
        return new JournalEntry(kind, seq, 1, Bytes.utf8(content));
    }

    /** What the damaged segment held is superseded, and the segment goes: then a start finds nothing wrong. */
    @Test
    void aDamagedPromiseIsReportedAndGoesWithTheNextStableCheckpoint() throws Exception {
        try (SegmentJournal journal = SegmentJournal.open(folder, Runnable::run, failures::add)) {
            append(journal, entry(Kind.VIEW_CHANGE, 0, "lasting"));
            append(journal, entry(Kind.COMMIT, 17, "promised"));
            append(journal, entry(Kind.COMMIT, 18, "promised too"));
            assertThat(journal.scrub()).isEmpty();
            Path segment = SegmentFiles.segment(SegmentJournal.folder(folder), 1);
            try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[] {1}), 2 * JournalFormat.BLOCK_BYTES + 32 + 29 + 3);
            }
            assertThat(journal.scrub()).singleElement().asString().contains("COMMIT of sequence number 17", "damaged");
            append(journal, entry(Kind.COMMIT, 19, "after"));
            assertThat(segment).exists();
            journal.truncate(20);
            append(journal, entry(Kind.CHECKPOINT, 20, "c"));
            append(journal, entry(Kind.CHECKPOINT, 21, "c"));
            assertThat(segment).doesNotExist();
            assertThat(journal.scrub()).isEmpty();
        }
        try (SegmentJournal journal = SegmentJournal.open(folder, Runnable::run, failures::add)) {
            assertThat(journal.load()).contains(entry(Kind.VIEW_CHANGE, 0, "lasting"), entry(Kind.CHECKPOINT, 20, "c"));
        }
    }

    /** Segments begin, fill, go and are used again while they are read. */
    @Test
    void aJournalThatIsWrittenToIsNotTakenForDamaged() {
        // Groups that take long to write, and segments that go soon.
        Bytes content = StateStoreContract.large(3, 3 << 20);
        try (SegmentJournal journal = SegmentJournal.open(folder, Runnable::run, failures::add)) {
            CompletableFuture<Integer> writing = CompletableFuture.supplyAsync(() -> {
                for (int i = 1; i <= 80; i++) {
                    append(journal, new JournalEntry(Kind.PROPOSAL, i, 0, content));
                    journal.truncate(i - 3);
                }
                return 80;
            });
            int looks = 0;
            while (!writing.isDone()) {
                assertThat(journal.scrub()).isEmpty();
                looks++;
            }
            assertThat(writing.join()).isEqualTo(80);
            assertThat(looks).isPositive();
        }
        assertThat(failures).isEmpty();
    }

    @Test
    void passFollowsPassAndNothingIsReadAfterTheEnd() throws Exception {
        LmdbStateStore store = open("one");
        fill(store);
        checkpoint(store);
        SegmentJournal journal = SegmentJournal.open(folder.resolve("one"), Runnable::run, failures::add);
        try (Scrub scrub = Scrub.start(journal, store, Duration.ofMillis(20), failures::add)) {
            flip(In.ENTRIES, 17);
            long passes = scrub.report().passes();
            while (store.repairs().repaired() == 0 || scrub.report().passes() < passes + 2) {
                StorageFailure failure = failures.poll(10, TimeUnit.MILLISECONDS);
                assertThat(failure).isNull();
            }
            assertThat(scrub.report().journalDamages()).isEmpty();
        }
        journal.close();
        assertWhole(store);
    }
}
