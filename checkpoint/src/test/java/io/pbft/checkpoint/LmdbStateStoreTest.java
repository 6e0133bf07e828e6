package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.LmdbEnvironment.PartSize;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.lmdbjava.Env;

/** What only the store on LMDB does; what all stores do is in {@link StateStoreContract}. */
@Timeout(120)
class LmdbStateStoreTest extends StateStoreContract {
    @TempDir
    Path folder;

    private final LinkedBlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<StorageFailure> failures = new LinkedBlockingQueue<>();
    private long mapBytes = LmdbStateStore.MAP_BYTES;
    private final PartSize part = new PartSize(LmdbStateStore.PART_BYTES, () -> {});

    private LmdbStateStore open(String name) {
        return LmdbStateStore.open(folder.resolve(name), mapBytes, part, callbacks::add, failures::add);
    }

    @Override
    LmdbStateStore open() {
        return open("one");
    }

    @Override
    StateStore openOther() {
        return open("other");
    }

    @Override
    StateStore openThird() {
        return open("third");
    }

    @Override
    void settle() {
        try {
            callbacks.take().run();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    void letTheDiskWork() {
        try {
            callbacks.put(callbacks.take());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void severalCheckpointsMayBeUnderWay() {
        List<Long> durable = new ArrayList<>();
        Bytes key = utf8("k");
        try (LmdbStateStore store = open()) {
            for (long seq = 1; seq <= 5; seq++) {
                long reported = seq;
                store.state().put(key, utf8("v" + seq));
                store.state().put(utf8("only" + seq), utf8("x"));
                store.checkpoint(seq, Map.of(), root -> durable.add(reported));
                assertThat(store.state().get(key)).contains(utf8("v" + seq));
            }
            store.state().put(key, utf8("after"));
            for (int i = 0; i < 5; i++) {
                settle();
                assertThat(store.state().get(key)).contains(utf8("after"));
                assertThat(store.state().scan(utf8("only"), Bytes.EMPTY, 9)).hasSize(5);
            }
            assertThat(durable).containsExactly(1L, 2L, 3L, 4L, 5L);
            assertThat(store.seq()).isEqualTo(5);
        }
        try (LmdbStateStore store = open()) {
            assertThat(store.state().get(key)).contains(utf8("v5"));
        }
    }

    @Test
    void theMapGrowsByItselfAndTheLastCheckpointIsStillServed() {
        mapBytes = 1 << 20;
        MemoryStateStore model = new MemoryStateStore(new MemoryStateStore.Disk());
        try (LmdbStateStore store = open()) {
            for (long seq = 1; seq <= 10; seq++) {
                for (int i = 0; i < 20; i++) {
                    Bytes value = large((int) seq * 100 + i, 40_000);
                    store.state().put(utf8("k" + seq + "/" + i), value);
                    model.state().put(utf8("k" + seq + "/" + i), value);
                }
                Digest[] roots = new Digest[2];
                store.checkpoint(seq, Map.of(), root -> roots[0] = root);
                model.checkpoint(seq, Map.of(), root -> roots[1] = root);
                settle();
                assertThat(roots[0]).isEqualTo(roots[1]);
                assertThat(store.node(seq, Bytes.EMPTY)).isEqualTo(model.node(seq, Bytes.EMPTY));
            }
            assertThat(store.mapBytes()).isGreaterThan(8_000_000);
        }
        assertThat(failures).isEmpty();
        try (LmdbStateStore store = open()) {
            assertThat(store.root()).isEqualTo(model.root());
            assertThat(store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 1000)).hasSize(200);
        }
    }

    @Test
    void servedCheckpointsDoNotMakeTheFileGrowWithoutEnd() throws IOException {
        Path data = folder.resolve("one/state/data.mdb");
        try (LmdbStateStore store = open()) {
            long early = 0;
            for (long seq = 1; seq <= 120; seq++) {
                for (int i = 0; i < 50; i++) {
                    store.state().put(utf8("k" + (seq * 7 + i * 13L) % 500), large((int) seq * 100 + i, 1_000));
                }
                store.checkpoint(seq, Map.of(), root -> {});
                settle();
                store.release(seq, Set.of());
                if (seq == 40) {
                    early = Files.size(data);
                }
            }
            assertThat(Files.size(data)).isLessThan(early * 2);
        }
    }

    @Test
    void aTransferResumesAfterARestart() {
        try (StateStore source = openOther()) {
            for (int i = 0; i < 400; i++) {
                source.state().put(utf8("k" + i), large(i, i % 7 == 0 ? 50_000 : 20));
            }
            Digest[] root = new Digest[1];
            source.checkpoint(10, Map.of(), digest -> root[0] = digest);
            settle();
            long received;
            try (StateStore target = open()) {
                StateInstall install = target.install(10, root[0]);
                for (int i = 0; i < 100; i++) {
                    Bytes path = install.missing(Set.of(), 1).get(0);
                    assertThat(install.offer(source.node(10, path).orElseThrow()))
                            .isTrue();
                }
                received = install.progress().bytesReceived();
            }
            try (StateStore target = open()) {
                assertThat(target.seq()).isZero();
                long rest = transfer(source, target, 10, root[0]);
                assertThat(target.root()).isEqualTo(root[0]);
                try (StateStore fresh = openThird()) {
                    assertThat(rest + received).isEqualTo(transfer(source, fresh, 10, root[0]));
                }
            }
        }
    }

    @Test
    void theMapGrowsDuringATransferToo() {
        try (StateStore source = openOther()) {
            for (int i = 0; i < 3_000; i++) {
                source.state().put(utf8("k" + i), large(i, i % 9 == 0 ? 20_000 : 100));
            }
            Digest[] root = new Digest[1];
            source.checkpoint(10, Map.of(), digest -> root[0] = digest);
            settle();
            mapBytes = 1 << 20;
            try (LmdbStateStore target = open()) {
                transfer(source, target, 10, root[0]);
                assertThat(target.mapBytes()).isGreaterThan(10_000_000);
                assertThat(target.state().scan(Bytes.EMPTY, Bytes.EMPTY, 4_000))
                        .isEqualTo(source.state().scan(Bytes.EMPTY, Bytes.EMPTY, 4_000));
            }
        }
        assertThat(failures).isEmpty();
    }

    /** Each target replaces all that was staged for the one before; pages of what was replaced are used again. */
    @Test
    void aMovingTargetDoesNotMakeTheFileGrowWithoutEnd() throws IOException {
        try (StateStore source = openOther();
                LmdbStateStore target = open()) {
            target.state().put(utf8("k"), utf8("v"));
            target.checkpoint(1, Map.of(), digest -> {});
            settle();
            for (long seq = 2; seq <= 14; seq++) {
                for (int i = 0; i < 120; i++) {
                    source.state().put(utf8("k" + i), large((int) seq * 1_000 + i, 50_000));
                }
                Digest[] root = new Digest[1];
                source.checkpoint(seq, Map.of(), digest -> root[0] = digest);
                settle();
                source.release(seq, Set.of());
                fetch(source, target.install(seq, root[0]));
            }
            assertThat(Files.size(folder.resolve("one/state/data.mdb"))).isLessThan(30_000_000);
        }
    }

    @Test
    void whatIsDamagedInTheStagingAreaIsFetchedAgain() throws IOException {
        String text = "a value whose staged copy is going to be damaged";
        try (StateStore source = openOther()) {
            for (int i = 0; i < 100; i++) {
                source.state().put(utf8("k" + i), i == 50 ? utf8(text) : large(i, 20));
            }
            Digest[] root = new Digest[1];
            source.checkpoint(10, Map.of(), digest -> root[0] = digest);
            settle();
            // All but one of the sixteen leaves below the root, and not the one with the text.
            Bytes held = Bytes.fromHex("00");
            StateNodes.Node last = source.node(10, held).orElseThrow();
            if (last.content().toUtf8().contains(text)) {
                held = Bytes.fromHex("01");
                last = source.node(10, held).orElseThrow();
            }
            try (StateStore target = open()) {
                StateInstall install = target.install(10, root[0]);
                List<Bytes> missing = install.missing(Set.of(held), 100);
                while (!missing.isEmpty()) {
                    for (Bytes path : missing) {
                        assertThat(install.offer(source.node(10, path).orElseThrow()))
                                .isTrue();
                    }
                    missing = install.missing(Set.of(held), 100);
                }
            }
            try (StateStore target = open()) {
                StateInstall install = target.install(10, root[0]);
                assertThat(install.missing(Set.of(), 9)).containsExactly(last.path());
                flip(folder.resolve("one/state/data.mdb"), text);
                install.offer(last);
                List<Boolean> ends = new ArrayList<>();
                install.commit(ends::add);
                settle();
                assertThat(ends).containsExactly(false);
                assertThat(target.seq()).isZero();
                long before = install.progress().bytesReceived();
                fetch(source, install);
                assertThat(install.progress().bytesReceived()).isGreaterThan(before);
                commit(install);
                assertThat(target.root()).isEqualTo(root[0]);
                assertThat(target.state().get(utf8("k50"))).contains(utf8(text));
            }
        }
    }

    /** Killed while states are installed: it stands at one of them, whole, and not before the last that it reported. */
    @Test
    void aKilledInstallLeavesTheStateBeforeOrTheOneAfter() throws IOException, InterruptedException {
        for (int round = 1; round <= 3; round++) {
            ChildProcess.Said said = ChildProcess.run("true", InstallChild.class, 12L * round, folder.resolve("one"));
            assertThat(said.otherLines()).isEmpty();
            try (LmdbStateStore store = open()) {
                assertThat(store.seq()).isGreaterThanOrEqualTo(said.last());
                MemoryStateStore model = InstallChild.source();
                InstallChild.change(
                        model, store.seq(), digest -> assertThat(digest).isEqualTo(store.root()));
                assertThat(store.systemEntries()).isEqualTo(model.systemEntries());
                assertThat(store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 10_000))
                        .isEqualTo(model.state().scan(Bytes.EMPTY, Bytes.EMPTY, 10_000));
            }
        }
    }

    @Test
    void aDamagedValueIsFoundWhenItIsRead() throws IOException {
        String value = "a value that shall not be believed once it has changed";
        Path data = folder.resolve("one/state/data.mdb");
        try (StateStore store = open()) {
            store.state().put(utf8("k"), utf8(value.repeat(10)));
            store.checkpoint(10, Map.of(), root -> {});
            settle();
            flip(data, value);
            assertThatThrownBy(() -> store.state().get(utf8("k")))
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining(data.toString());
            assertThat(store.node(10, Bytes.fromHex("1000"))).isEmpty();
        }
        assertThatThrownBy(this::open)
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining(data.toString())
                .hasMessageContaining("checksum");
    }

    /** That others are asked for it: {@link ScrubTest}. */
    @Test
    void aDamagedNodeIsNotServed() throws IOException {
        String value = "a short value in a leaf";
        try (StateStore store = open()) {
            store.state().put(utf8("k"), utf8(value));
            store.checkpoint(10, Map.of(), root -> {});
            settle();
            flip(folder.resolve("one/state/data.mdb"), value);
            assertThat(store.node(10, Bytes.EMPTY)).isEmpty();
        }
    }

    /** In its place: the file may be open. */
    private static void flip(Path file, String text) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        byte[] wanted = text.getBytes(StandardCharsets.UTF_8);
        int flipped = 0;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (int i = 0; i + wanted.length <= bytes.length; i++) {
                if (ByteBuffer.wrap(bytes, i, wanted.length).equals(ByteBuffer.wrap(wanted))) {
                    channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[i + 5] ^ 4)}), i + 5L);
                    flipped++;
                }
            }
        }
        assertThat(flipped).isPositive();
    }

    @Test
    void anotherFormatIsRefused() {
        open().close();
        try (Env<ByteBuffer> env =
                Env.create().setMaxDbs(4).open(folder.resolve("one/state").toFile())) {
            java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
            byte[] key = "format".getBytes(StandardCharsets.UTF_8);
            crc.update(key);
            crc.update(new byte[] {0, 0, 0, 9});
            ByteBuffer record =
                    ByteBuffer.allocateDirect(8).putInt((int) crc.getValue()).putInt(9);
            env.openDbi("meta").put(ByteBuffer.allocateDirect(6).put(key).flip(), record.flip());
        }
        assertThatThrownBy(this::open).isInstanceOf(StorageFailure.class).hasMessageContaining("format 9");
    }

    @Test
    void aFolderIsOpenedOnce() {
        try (StateStore store = open()) {
            assertThat(store.seq()).isZero();
            assertThatThrownBy(this::open).isInstanceOf(StorageFailure.class).hasMessageContaining("in use");
        }
    }

    @Test
    void whatIsClosedReportsNothingMore() {
        List<Digest> durable = new ArrayList<>();
        StateStore store = open();
        store.state().put(utf8("k"), utf8("v"));
        store.checkpoint(10, Map.of(utf8("t"), Optional.of(utf8("1"))), durable::add);
        store.close();
        store.close();
        settle();
        assertThat(durable).isEmpty();
        try (StateStore again = open()) {
            assertThat(again.seq()).isEqualTo(10);
            assertThat(again.systemEntries()).containsExactly(new StateView.Entry(utf8("t"), utf8("1")));
        }
    }

    /** Killed while checkpoints are written: it stands at one, whole, and not before the last that it reported. */
    @Test
    void aKilledProcessStandsAtACheckpointThatIsNotOlderThanReported() throws IOException, InterruptedException {
        MemoryStateStore model = new MemoryStateStore(new MemoryStateStore.Disk());
        for (int round = 1; round <= 3; round++) {
            long killAt = 60L * round + 7;
            ChildProcess.Said said = ChildProcess.run("true", StateChild.class, killAt, folder.resolve("one"));
            assertThat(said.last()).isGreaterThanOrEqualTo(killAt);
            try (LmdbStateStore store = open()) {
                assertThat(store.seq()).isGreaterThanOrEqualTo(said.last());
                while (model.seq() < store.seq()) {
                    StateChild.change(model, model.seq() + 1, root -> {});
                }
                assertThat(store.root()).isEqualTo(model.root());
                assertThat(store.systemEntries()).isEqualTo(model.systemEntries());
                assertThat(store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 1000))
                        .isEqualTo(model.state().scan(Bytes.EMPTY, Bytes.EMPTY, 1000));
            }
        }
    }
}
