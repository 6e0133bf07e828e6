package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.StateView;
import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Ed25519;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Recovered;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of a replica that ran in a real cluster is damaged in every way that one can think of, hundreds of times.
 * It either starts with all that it promised, and with a state that is right, or empty, or says itself that it is wrong
 * where it is read; or it refuses, and says what to do.
 */
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CorruptionTest {
    private static final Logger LOG = LoggerFactory.getLogger(CorruptionTest.class);
    private static final int ID = 3;

    /** Of each kind, for each file. */
    private static final int CASES = 60;

    private static final int PAGE_BYTES = 4096;
    private static final int CHECKPOINTS = 12;

    @TempDir
    private static Path directory;

    private ClusterConfig cluster;
    private Verifier verifier;
    private Path whole;
    private Path older;
    private Path trial;
    private Recovered promised;
    private List<StateView.Entry> state;

    private int tried;
    /** Started with all promises, the ones below with an empty state too, to be fetched from the others. */
    private int healed;

    private int fetched;
    private int refused;
    private int triedInAll;
    private int healedInAll;
    private int fetchedInAll;
    private int refusedInAll;

    /** What may happen to a file. */
    private interface Damage {
        void apply(Path file, Random random) throws IOException;
    }

    @BeforeAll
    void aFolderThatWasInUse() throws Exception {
        whole = directory.resolve("whole");
        older = directory.resolve("older");
        trial = directory.resolve("trial/replica-" + ID);
        try (TestCluster running = new TestCluster(directory, true)) {
            cluster = running.config;
            int interval = cluster.parameters().checkpointInterval();
            increment(running, interval * CHECKPOINTS / 2);
            running.stop(ID);
            copy(ReplicaFolder.of(directory, ID).path(), older);
            running.start(ID);
            increment(running, interval * CHECKPOINTS / 2 + interval / 2 + 1);
        }
        copy(ReplicaFolder.of(directory, ID).path(), whole);
        verifier = new Verifier(VerifierContext.of(cluster).withSelf(NodeId.replica(ID)), new Ed25519(), 50_000);
        copy(whole, trial);
        DiskStart.Start start = start(false);
        promised = start.recovered();
        state = start.disk().store().state().scan(Bytes.EMPTY, Bytes.EMPTY, 10_000);
        start.disk().close();
        assertThat(promised.stateSeq()).isPositive();
        assertThat(promised.commits()).isNotEmpty();
        assertThat(state).isNotEmpty();
    }

    @AfterEach
    void countInAll(TestInfo test) {
        tell(test.getTestMethod().orElseThrow().getName(), tried, healed, fetched, refused);
        triedInAll += tried;
        healedInAll += healed;
        fetchedInAll += fetched;
        refusedInAll += refused;
    }

    private static void tell(String what, int tried, int healed, int fetched, int refused) {
        if (tried > 0) {
            LOG.info(
                    "{}: {} tried, {} started, of which {} fetch the state anew, {} refused",
                    what,
                    tried,
                    healed,
                    fetched,
                    refused);
        }
    }

    @AfterAll
    void tellOfAll() {
        tell("in all", triedInAll, healedInAll, fetchedInAll, refusedInAll);
        assertThat(healedInAll + refusedInAll).isEqualTo(triedInAll);
    }

    @BeforeEach
    void countAnew() {
        tried = 0;
        healed = 0;
        fetched = 0;
        refused = 0;
    }

    private static void increment(TestCluster running, int times) throws InterruptedException {
        for (int i = 0; i < times; i++) {
            running.run(new KvOperation.Increment(Bytes.utf8("key " + i % 40), 1).encode());
            running.run(new KvOperation.Put(Bytes.utf8("text " + i % 30), Bytes.utf8("x".repeat(i * 50))).encode());
        }
    }

    private DiskStart.Start start(boolean rejoin) {
        return start(trial, rejoin);
    }

    private DiskStart.Start start(Path path, boolean rejoin) {
        ReplicaFolder folder = new ReplicaFolder(path);
        Config config = new Config(ID, cluster.quorum(), cluster.clients().size(), cluster.parameters());
        return new DiskStart(ID, folder, Storage.ON_DISK, new RejoinMark(folder))
                .start(config, verifier, rejoin, Runnable::run, failure -> {});
    }

    private static void copy(Path from, Path to) throws IOException {
        delete(to);
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    /** The files of the folder that hold anything, but for the key. */
    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(whole)) {
            return files.filter(Files::isRegularFile)
                    .map(whole::relativize)
                    .filter(file -> !file.endsWith("key.pem") && !file.endsWith("in-use.lock"))
                    .sorted()
                    .toList();
        }
    }

    /** Starts from what was damaged: the promises are all there and the state does not lie, or it says what to do. */
    private void check(String what) {
        tried++;
        DiskStart.Start start;
        try {
            start = start(false);
        } catch (StorageFailure failure) {
            refused++;
            assertThat(failure).as(what).hasMessageMatching("(?s).*(--rejoin|check free space).*");
            return;
        }
        healed++;
        try {
            Recovered found = start.recovered();
            assertThat(found.stable()).as(what).isEqualTo(promised.stable());
            assertThat(found.newView()).as(what).isEqualTo(promised.newView());
            assertThat(found.viewChange()).as(what).isEqualTo(promised.viewChange());
            assertThat(found.proposals()).as(what).isEqualTo(promised.proposals());
            assertThat(found.prepared()).as(what).isEqualTo(promised.prepared());
            assertThat(found.prepares()).as(what).isEqualTo(promised.prepares());
            assertThat(found.commits()).as(what).isEqualTo(promised.commits());
            assertThat(found.checkpoints()).as(what).isEqualTo(promised.checkpoints());
            checkState(start, what);
        } finally {
            start.disk().close();
        }
    }

    private void checkState(DiskStart.Start start, String what) {
        if (start.recovered().stateSeq() == 0) {
            fetched++;
            return;
        }
        assertThat(start.recovered().stateRoot()).as(what).isEqualTo(promised.stateRoot());
        assertThat(start.recovered().system()).as(what).isEqualTo(promised.system());
        try {
            assertThat(start.disk().store().state().scan(Bytes.EMPTY, Bytes.EMPTY, 10_000))
                    .as(what)
                    .isEqualTo(state);
        } catch (StorageFailure failure) {
            assertThat(failure.isDamageOf(StorageFailure.Part.STATE)).as(what).isTrue();
        }
    }

    private void forEachFile(String name, int cases, Damage damage) throws IOException {
        for (Path file : files()) {
            for (int i = 0; i < cases; i++) {
                copy(whole, trial);
                damage.apply(trial.resolve(file), new Random(31L * i + file.hashCode()));
                check(name + " " + file + ", " + i);
            }
        }
    }

    @Test
    void anyByteFlips() throws IOException {
        forEachFile("flip", CASES, (file, random) -> {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                long offset = interesting(channel, random);
                ByteBuffer one = ByteBuffer.allocate(1);
                channel.read(one, offset);
                one.put(0, (byte) (one.get(0) ^ 1 << random.nextInt(8)));
                channel.write(one.flip(), offset);
            }
        });
        assertThat(refused).isPositive();
        assertThat(healed).isPositive();
    }

    /** Most files end with zeros that nobody reads: half of the cases hit what is not zero. */
    private static long interesting(FileChannel channel, Random random) throws IOException {
        boolean anywhere = random.nextBoolean();
        for (int i = 0; i < 1_000; i++) {
            long offset = random.nextLong(channel.size());
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, offset);
            if (anywhere || one.get(0) != 0) {
                return offset;
            }
        }
        return 0;
    }

    @Test
    void anyFileIsCut() throws IOException {
        forEachFile("cut", CASES / 3, (file, random) -> {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(
                        random.nextBoolean() ? random.nextLong(channel.size()) : random.nextInt(3 * PAGE_BYTES));
            }
        });
    }

    @Test
    void anyPageIsZeros() throws IOException {
        forEachFile("zeros", CASES / 2, (file, random) -> {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                long page = interesting(channel, random) / PAGE_BYTES * PAGE_BYTES;
                channel.write(ByteBuffer.allocate((int) Math.min(PAGE_BYTES, channel.size() - page)), page);
            }
        });
    }

    @Test
    void garbageFollows() throws IOException {
        forEachFile("garbage", 5, (file, random) -> {
            byte[] garbage = new byte[random.nextInt(3 * PAGE_BYTES)];
            random.nextBytes(garbage);
            Files.write(file, garbage, StandardOpenOption.APPEND);
        });
        assertThat(refused).isZero();
    }

    @Test
    void anyFileOrFolderIsGone() throws IOException {
        forEachFile("gone", 1, (file, random) -> Files.delete(file));
        for (String folder : List.of("journal", "state")) {
            copy(whole, trial);
            delete(trial.resolve(folder));
            check("gone " + folder);
            copy(whole, trial);
            delete(trial.resolve(folder));
            Files.createDirectory(trial.resolve(folder));
            check("empty " + folder);
        }
    }

    @Test
    void anyTwoFilesChangePlaces() throws IOException {
        List<Path> files = files();
        for (int i = 0; i < files.size(); i++) {
            for (int j = 0; j < i; j++) {
                copy(whole, trial);
                Path away = trial.resolve("away");
                Files.move(trial.resolve(files.get(i)), away);
                Files.move(trial.resolve(files.get(j)), trial.resolve(files.get(i)));
                Files.move(away, trial.resolve(files.get(j)));
                check("swapped " + files.get(i) + " and " + files.get(j));
            }
        }
        assertThat(tried).isGreaterThan(2);
    }

    /** An older copy of the journal is refused; one of the state is a state that is behind. */
    @Test
    void anOlderCopyIsPutBack() throws IOException {
        copy(whole, trial);
        copy(older.resolve("journal"), trial.resolve("journal"));
        assertThatThrownBy(() -> start(false))
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining("older copy")
                .hasMessageContaining("--rejoin");

        copy(whole, trial);
        copy(older.resolve("state"), trial.resolve("state"));
        DiskStart.Start behind = start(false);
        assertThat(behind.recovered().stateSeq()).isLessThan(promised.stateSeq());
        assertThat(behind.recovered().commits()).isEqualTo(promised.commits());
        behind.disk().close();
    }

    /** Whatever happened to the journal, told to rejoin it starts, and knows that it may not vote. */
    @Test
    void whoIsToldToRejoinStartsWithWhateverIsThere() throws IOException {
        List<Damage> damages = new ArrayList<>();
        damages.add((folder, random) -> delete(folder.resolve("journal")));
        damages.add((folder, random) -> Files.delete(segment(folder)));
        damages.add((folder, random) -> {
            byte[] bytes = Files.readAllBytes(segment(folder));
            Arrays.fill(bytes, PAGE_BYTES, 20 * PAGE_BYTES, (byte) 7);
            Files.write(segment(folder), bytes);
        });
        damages.add((folder, random) -> {
            delete(folder.resolve("journal"));
            delete(folder.resolve("state"));
            Files.delete(folder.resolve("journal.mark"));
        });
        for (Damage damage : damages) {
            copy(whole, trial);
            damage.apply(trial, new Random(1));
            assertThatThrownBy(() -> start(false))
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining("--rejoin");
            DiskStart.Start start = start(true);
            assertThat(start.recovered().rejoining()).isTrue();
            start.disk().close();
            start = start(false);
            assertThat(start.recovered().rejoining()).isTrue();
            start.disk().close();
        }
    }

    /** What a start finds after the one before was killed. */
    private interface Afterwards {
        void check(String cut) throws IOException;
    }

    /** Begins with the folder that {@code made} leaves, and kills a start before each of its steps in turn. */
    private void cutEverywhere(Damage made, boolean rejoin, Afterwards afterwards) throws IOException {
        int steps = 0;
        boolean cut = true;
        while (cut) {
            copy(whole, trial);
            made.apply(trial, new Random(1));
            CutFileSystem dying = new CutFileSystem(steps);
            try {
                start(dying.path(trial), rejoin).disk().close();
                cut = false;
            } catch (CutFileSystem.Cut atStep) {
                steps++;
            }
            afterwards.check("after " + dying.done());
        }
        assertThat(steps).isGreaterThan(3);
    }

    private static byte[] zeroed(Path file) throws IOException {
        return zeroed(file, 3 * PAGE_BYTES, 9 * PAGE_BYTES);
    }

    /** All but LMDB's two pages of its own: which of the others are in use depends on when transactions ended. */
    private static byte[] zeroedState(Path data) throws IOException {
        return zeroed(data, 2 * PAGE_BYTES, Math.toIntExact(Files.size(data)));
    }

    private static byte[] zeroed(Path file, int from, int to) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, from, to, (byte) 0);
        Files.write(file, bytes);
        return bytes;
    }

    /** It rejoins, or knows nothing of that yet and refuses; and what was put aside is not lost. */
    @Test
    void aRejoinThatIsCutAnywhereIsARejoin() throws IOException {
        byte[] damaged = zeroed(Files.copy(segment(whole), directory.resolve("damaged")));
        cutEverywhere((folder, random) -> zeroed(segment(folder)), true, cut -> {
            DiskStart.Start start;
            try {
                start = start(false);
            } catch (StorageFailure failure) {
                assertThat(failure).as(cut).hasMessageContaining("--rejoin");
                start = start(true);
            }
            assertThat(start.recovered().rejoining()).as(cut).isTrue();
            assertThat(start.recovered().stateRoot()).as(cut).isEqualTo(promised.stateRoot());
            start.disk().close();
            assertThat(trial.resolve("journal.aside/segment-000000000001"))
                    .as(cut)
                    .hasBinaryContent(damaged);
        });
    }

    @Test
    void aStartThatIsCutAnywhereWhileItPutsADamagedStateAsideIsDoneAgain() throws IOException {
        Path copy = directory.resolve("damaged.mdb");
        byte[] damaged = zeroedState(Files.copy(whole.resolve("state/data.mdb"), copy));
        List<Damage> damages =
                List.of((folder, random) -> zeroedState(folder.resolve("state/data.mdb")), (folder, random) -> {
                    zeroedState(folder.resolve("state/data.mdb"));
                    new ReplicaFolder(folder).setStateDamaged(true);
                });
        for (Damage damage : damages) {
            cutEverywhere(damage, false, cut -> {
                DiskStart.Start start = start(false);
                assertThat(start.recovered().stateSeq()).as(cut).isZero();
                assertThat(start.recovered().commits()).as(cut).isEqualTo(promised.commits());
                start.disk().close();
                assertThat(trial.resolve("state.aside/data.mdb")).as(cut).hasBinaryContent(damaged);
            });
        }
    }

    @Test
    void aFirstStartThatIsCutAnywhereIsBegunAnew() throws IOException {
        Damage anew = (folder, random) -> {
            delete(folder);
            Files.createDirectories(folder);
            new ReplicaFolder(folder).markNew();
        };
        cutEverywhere(anew, false, cut -> {
            DiskStart.Start start = start(false);
            assertThat(start.recovered().rejoining()).as(cut).isFalse();
            assertThat(start.recovered().commits()).as(cut).isEmpty();
            start.disk().close();
            assertThat(new ReplicaFolder(trial).isNew()).as(cut).isFalse();
        });
    }

    /** As long as it may not vote, no single file that is lost makes it vote. */
    @Test
    void whoRejoinsDoesSoWithoutAnyOneOfItsFiles() throws IOException {
        copy(whole, trial);
        delete(trial.resolve("journal"));
        start(true).disk().close();
        Path rejoining = directory.resolve("rejoining");
        copy(trial, rejoining);
        List<Path> all;
        try (Stream<Path> files = Files.walk(rejoining)) {
            all = files.filter(file -> !file.equals(rejoining))
                    .map(rejoining::relativize)
                    .toList();
        }
        assertThat(all).hasSizeGreaterThan(5);
        for (Path file : all) {
            copy(rejoining, trial);
            delete(trial.resolve(file));
            DiskStart.Start start = start(false);
            assertThat(start.recovered().rejoining()).as("without %s", file).isTrue();
            start.disk().close();
        }
        copy(rejoining, trial);
        new RejoinMark(new ReplicaFolder(trial)).remove();
        DiskStart.Start start = start(false);
        assertThat(start.recovered().rejoining()).isFalse();
        start.disk().close();
    }

    /** A disk that does not give back what is there answers with an error; a folder does so, too, when it is read. */
    @Test
    void whatCannotBeReadIsDamaged() throws IOException {
        copy(whole, trial);
        unreadable(trial.resolve("state/data.mdb"));
        DiskStart.Start start = start(false);
        assertThat(start.recovered().stateSeq()).isZero();
        assertThat(start.recovered().commits()).isEqualTo(promised.commits());
        start.disk().close();
        assertThat(trial.resolve("state.aside/data.mdb")).isDirectory();

        copy(whole, trial);
        unreadable(segment(trial));
        assertThatThrownBy(() -> start(false))
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining("it cannot be read")
                .hasMessageContaining("--rejoin");
        start = start(true);
        assertThat(start.recovered().rejoining()).isTrue();
        start.disk().close();
    }

    private static void unreadable(Path file) throws IOException {
        Files.delete(file);
        Files.createDirectory(file);
    }

    private static Path segment(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("journal"))) {
            return files.filter(file -> file.getFileName().toString().startsWith("segment-"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** The first start uses up what says that there never was one. */
    @Test
    void aFolderIsNewOnce() throws IOException {
        delete(trial);
        Files.createDirectories(trial);
        assertThatThrownBy(() -> start(false))
                .isInstanceOf(StorageFailure.class)
                .hasMessageContaining("never ran")
                .hasMessageContaining("--rejoin");
        new ReplicaFolder(trial).markNew();
        DiskStart.Start first = start(false);
        assertThat(first.recovered().rejoining()).isFalse();
        first.disk().close();
        start(false).disk().close();
        delete(trial);
        Files.createDirectories(trial);
        assertThatThrownBy(() -> start(false)).isInstanceOf(StorageFailure.class);
    }

    /** Killed at any point of its first start: it has promised nothing yet. */
    @Test
    void aFirstStartThatWasCutShortIsBegunAnew() throws IOException {
        List<Damage> cuts = List.of(
                (folder, random) -> Files.createDirectory(folder.resolve("journal")),
                (folder, random) -> Files.write(segmentOne(folder), new byte[0]),
                (folder, random) -> Files.write(segmentOne(folder), new byte[17]),
                (folder, random) -> Files.write(folder.resolve("journal.mark"), new byte[0]),
                (folder, random) -> Files.createDirectory(folder.resolve("state")),
                (folder, random) -> Files.write(folder.resolve("state/data.mdb"), new byte[0]),
                (folder, random) -> Files.write(folder.resolve("state/data.mdb"), new byte[PAGE_BYTES]));
        for (int done = 1; done <= cuts.size(); done++) {
            delete(trial);
            Files.createDirectories(trial);
            new ReplicaFolder(trial).markNew();
            for (Damage cut : cuts.subList(0, done)) {
                cut.apply(trial, new Random(done));
            }
            DiskStart.Start first = start(false);
            assertThat(first.recovered().rejoining()).isFalse();
            first.disk().close();
            assertThat(new ReplicaFolder(trial).isNew()).isFalse();
        }
    }

    private static Path segmentOne(Path folder) {
        return folder.resolve("journal/segment-000000000001");
    }

    @Test
    void aStateThatWasFoundDamagedIsPutAsideAtTheNextStart() throws IOException {
        copy(whole, trial);
        new ReplicaFolder(trial).setStateDamaged(true);
        DiskStart.Start start = start(false);
        assertThat(start.recovered().stateSeq()).isZero();
        assertThat(start.recovered().commits()).isEqualTo(promised.commits());
        start.disk().close();
        assertThat(trial.resolve("state.aside/data.mdb")).exists();
        assertThat(new ReplicaFolder(trial).isStateDamaged()).isFalse();
    }

    /**
     * Nothing in the folder tells, but the others hold its votes: with one of them away, no certificate is without its
     * own.
     */
    @Test
    void anOlderCopyOfTheWholeFolderIsNoticedByWhatTheOthersHold() throws Exception {
        Path place = directory.resolve("rollback");
        Path copy = directory.resolve("rollback-copy");
        try (TestCluster running = new TestCluster(place, true)) {
            increment(running, 2);
            running.stop(ID);
            copy(ReplicaFolder.of(place, ID).path(), copy);
            running.start(ID);
            running.stop(1);
            increment(running, 1);
            running.stop(ID);
            copy(copy, ReplicaFolder.of(place, ID).path());
            running.start(ID);
            assertThat(running.halts.get(ID).get(60, TimeUnit.SECONDS))
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining("of which it knows nothing")
                    .hasMessageContaining("--rejoin");
        }
    }
}
