package io.pbft.checkpoint;

import static io.pbft.checkpoint.StateStoreContract.fetch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.LmdbEnvironment.PartSize;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An install of many transactions is cut short after each of them in turn, and goes on at the next start. */
@Timeout(120)
class InstallCrashTest {
    private static final long PART_BYTES = 256 << 10;

    /** Small, so that an install has to make room first. */
    private static final long MAP_BYTES = 1 << 20;

    private static final long SEQ = 10;
    private static final long SEQ_BEFORE = 7;

    @TempDir
    private Path folder;

    private final LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
    private final List<StorageFailure> failures = new ArrayList<>();
    private final MemoryStateStore source = new MemoryStateStore(new MemoryStateStore.Disk());
    private Digest target = Digest.ZERO;
    private Digest targetBefore = Digest.ZERO;

    /** After so many transactions the process ends. */
    private int partsLeft = Integer.MAX_VALUE;

    private Runnable betweenParts = () -> {};

    private LmdbStateStore open() {
        return LmdbStateStore.open(
                folder, MAP_BYTES, new PartSize(PART_BYTES, this::committed), callbacks::add, failures::add);
    }

    private void committed() {
        betweenParts.run();
        partsLeft--;
        if (partsLeft == 0) {
            throw new IllegalStateException("the process ends here, says this test");
        }
    }

    private static void put(State state, int from, int to, int version) {
        for (int i = from; i < to; i++) {
            int bytes = i % 20 == 0 ? 3_000 : 40 + version;
            state.put(Bytes.utf8("key " + i), Bytes.utf8(("v" + version + " ").repeat(bytes / 4)));
        }
    }

    /** Entries 0 to {@code entries}, of which every third is changed and every seventh is missing. */
    private void sourceWith(int entries) {
        put(source.state(), 0, entries, 1);
        for (int i = 0; i < entries; i += 3) {
            put(source.state(), i, i + 1, 2);
        }
        for (int i = 0; i < entries; i += 7) {
            source.state().delete(Bytes.utf8("key " + i));
        }
        source.checkpoint(SEQ, Map.of(Bytes.utf8("t"), Optional.of(Bytes.utf8("now"))), root -> target = root);
    }

    private void localWith(int entries) throws Exception {
        Folders.delete(folder.resolve("state"));
        try (LmdbStateStore store = open()) {
            put(store.state(), 0, entries, 1);
            store.checkpoint(5, Map.of(), root -> {});
            callbacks.take().run();
        }
    }

    /** Of a state that is not the target any more when half of it is there. */
    private void stageHalf(LmdbStateStore store) {
        if (targetBefore.equals(Digest.ZERO)) {
            return;
        }
        StateInstall install = store.install(SEQ_BEFORE, targetBefore);
        StateInstall.Progress progress = install.progress();
        while (progress.entries() == 0 || 2 * progress.entriesMissing() > progress.entries()) {
            for (Bytes path : install.missing(Set.of(), 7)) {
                assertThat(install.offer(source.node(SEQ_BEFORE, path).orElseThrow()))
                        .isTrue();
            }
            progress = install.progress();
        }
        assertThat(progress.entriesMissing()).isPositive();
    }

    /** @return whether it came to its end */
    private boolean installUntil(int parts) throws Exception {
        try (LmdbStateStore store = open()) {
            stageHalf(store);
            StateInstall install = store.install(SEQ, target);
            fetch(source, install);
            partsLeft = parts;
            install.commit(installed -> {});
            callbacks.take().run();
            partsLeft = Integer.MAX_VALUE;
            boolean whole = failures.isEmpty();
            failures.clear();
            assertThat(store.seq()).isEqualTo(whole ? SEQ : 5);
            return whole;
        }
    }

    private void assertWhole() {
        try (LmdbStateStore store = open()) {
            assertThat(store.seq()).isEqualTo(SEQ);
            assertThat(store.root()).isEqualTo(target);
            assertThat(store.systemEntries()).isEqualTo(source.systemEntries());
            assertThat(store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 10_000))
                    .isEqualTo(source.state().scan(Bytes.EMPTY, Bytes.EMPTY, 10_000));
        }
        LmdbStateStore.Contents found = LmdbStateStore.inspect(folder);
        assertThat(found.damages()).isEmpty();
        assertThat(found.root()).isEqualTo(target);
    }

    /** @return how many transactions it took */
    private int cutEverywhere(int before, int after) throws Exception {
        sourceWith(after);
        int parts = 1;
        int wholeAtOnce = 0;
        localWith(before);
        while (!installUntil(parts)) {
            LmdbStateStore.Contents found = LmdbStateStore.inspect(folder);
            assertThat(found.damages()).isEmpty();
            assertThat(found.seq()).isEqualTo(SEQ);
            wholeAtOnce += isWholeAfterNoOrOnePart() ? 1 : 0;
            assertWhole();
            localWith(before);
            parts++;
        }
        assertWhole();
        assertThat(wholeAtOnce).as("cut behind the last transaction").isEqualTo(1);
        return parts;
    }

    /** The start that goes on is cut short, too. */
    private boolean isWholeAfterNoOrOnePart() {
        partsLeft = 1;
        try {
            open().close();
            return true;
        } catch (IllegalStateException cut) {
            return false;
        } finally {
            partsLeft = Integer.MAX_VALUE;
        }
    }

    @Test
    void whereMostStays() throws Exception {
        assertThat(cutEverywhere(1_000, 1_050)).isGreaterThan(4);
    }

    @Test
    void whereAllIsNew() throws Exception {
        assertThat(cutEverywhere(0, 600)).isGreaterThan(4);
    }

    /** What is staged of another target lies in the places of what stays, of what comes and of what goes. */
    @Test
    void whereTheTargetHasMoved() throws Exception {
        put(source.state(), 0, 1_600, 3);
        for (int i = 0; i < 1_600; i += 5) {
            source.state().delete(Bytes.utf8("key " + i));
        }
        source.checkpoint(SEQ_BEFORE, Map.of(), root -> targetBefore = root);
        for (int i = 1_050; i < 1_600; i++) {
            source.state().delete(Bytes.utf8("key " + i));
        }
        assertThat(cutEverywhere(1_000, 1_050)).isGreaterThan(4);
    }

    @Test
    void whereMostGoes() throws Exception {
        assertThat(cutEverywhere(900, 6)).isGreaterThan(4);
    }

    @Test
    void whatFitsIntoOneTransactionIsOne() throws Exception {
        assertThat(cutEverywhere(3, 5)).isEqualTo(2);
    }

    /** Between two transactions hardly anything in the tree is what the tree says: that is no damage. */
    @Test
    void whatLooksForDamageMeanwhileFindsNone() throws Exception {
        sourceWith(1_000);
        localWith(1_000);
        try (LmdbStateStore store = open()) {
            StateInstall install = store.install(SEQ, target);
            fetch(source, install);
            betweenParts = () -> {
                for (int i = 0; i < 8; i++) {
                    store.scrub();
                }
            };
            install.commit(installed -> {});
            callbacks.take().run();
            betweenParts = () -> {};
            assertThat(store.repairs()).isEqualTo(new LmdbStateStore.Repairs(0, 0));
        }
        assertThat(failures).isEmpty();
        assertWhole();
    }

    /** Nothing of the state before is left, and not all of the one after: it says so, and is fetched anew. */
    @Test
    void whatIsDamagedMeanwhileIsDamageOfTheState() throws Exception {
        sourceWith(1_000);
        localWith(1_000);
        assertThat(installUntil(3)).isFalse();
        damageStaged("v2 v2 v2 ");
        assertThatThrownBy(this::open)
                .isInstanceOfSatisfying(
                        StorageFailure.class,
                        failure -> assertThat(failure.isDamageOf(StorageFailure.Part.STATE))
                                .as("%s", failure.getMessage())
                                .isTrue());
    }

    /** Wherever the file has it. */
    private void damageStaged(String text) throws IOException {
        Path data = folder.resolve("state/data.mdb");
        String bytes = Files.readString(data, StandardCharsets.ISO_8859_1);
        Files.writeString(data, bytes.replace(text, "v2 x2 v2 "), StandardCharsets.ISO_8859_1);
    }
}
