package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.StorageFailure;
import io.pbft.crypto.Bytes;
import io.pbft.protocol.kv.KvOperation;
import io.pbft.protocol.kv.KvResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The disk of a running replica damages what it holds: it is found and put back, and nobody notices. */
@Timeout(120)
class RepairTest {
    private static final int ID = 3;
    private static final int KEYS = 64;

    @TempDir
    private Path directory;

    private static Bytes key(int i) {
        return Bytes.utf8("key " + i);
    }

    private static Bytes value(int i) {
        return Bytes.utf8(("text " + i + ";").repeat(i % 2 == 0 ? 3 : 300));
    }

    private Path data() {
        return ReplicaFolder.of(directory, ID).state().resolve("data.mdb");
    }

    /** Damages a value wherever the file has it. */
    private int flip(int i) throws IOException {
        byte[] bytes = Files.readAllBytes(data());
        byte[] wanted = value(i).toUtf8().getBytes(StandardCharsets.UTF_8);
        int flipped = 0;
        try (FileChannel channel = FileChannel.open(data(), StandardOpenOption.WRITE)) {
            for (int at = 0; at + wanted.length <= bytes.length; at++) {
                if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                    channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[at + 2] ^ 1)}), at + 2L);
                    flipped++;
                }
            }
        }
        return flipped;
    }

    /** Damages what halts a replica, and has it come by that. */
    enum Damage {
        /** One of the state's own: it stands nowhere else. */
        LARGE_VALUE {
            @Override
            void strike(RepairTest test, TestCluster cluster) throws Exception {
                assertThat(test.flip(1)).isPositive();
                cluster.run(new KvOperation.Get(key(1)).encode());
            }
        },
        /** An entry with a small value and the leaf that holds it too: a scan finds neither. */
        BOTH_COPIES {
            @Override
            void strike(RepairTest test, TestCluster cluster) throws Exception {
                assertThat(test.flip(2)).isPositive();
                cluster.run(new KvOperation.Scan(Bytes.utf8("key "), Optional.empty(), KEYS).encode());
            }
        },
        /** Leaves of the tree, on the way of a checkpoint. */
        NODE {
            @Override
            void strike(RepairTest test, TestCluster cluster) throws Exception {
                for (int i = 0; i < KEYS; i += 2) {
                    assertThat(test.flip(i)).isPositive();
                }
                for (int i = 0; i < 8; i++) {
                    cluster.run(new KvOperation.Put(Bytes.utf8("other " + i), Bytes.EMPTY).encode());
                }
            }
        },
        /** The number of every page but the first two: the look through the disk finds it. */
        PAGE {
            @Override
            void strike(RepairTest test, TestCluster cluster) throws Exception {
                try (FileChannel channel = FileChannel.open(test.data(), StandardOpenOption.WRITE)) {
                    for (long page = 2; page < channel.size() / 4096; page++) {
                        channel.write(ByteBuffer.wrap(new byte[] {1}), page * 4096 + 6);
                    }
                }
            }
        };

        abstract void strike(RepairTest test, TestCluster cluster) throws Exception;
    }

    /** It halts and says what to do; and that is all there is to do. */
    @ParameterizedTest
    @EnumSource
    void whatCannotBePutBackIsHealedByTheNextStart(Damage damage) throws Exception {
        Duration scrub = damage == Damage.PAGE ? Duration.ofMillis(50) : Duration.ZERO;
        try (TestCluster cluster = new TestCluster(directory, true, scrub)) {
            for (int i = 0; i < KEYS; i++) {
                cluster.run(new KvOperation.Put(key(i), value(i)).encode());
            }
            await(cluster, status -> status.stableCheckpoint() >= KEYS);
            damage.strike(this, cluster);
            Throwable cause = cluster.halts.get(ID).get(60, TimeUnit.SECONDS);
            assertThat(cause)
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining(data().toString())
                    .hasMessageContaining("start this replica again: it gets the state from the others");

            cluster.stop(ID);
            cluster.start(ID);
            cluster.stop(1);
            // Three are left: nothing is executed without it.
            for (int i = 0; i < KEYS; i++) {
                assertThat(KvResult.decode(cluster.run(new KvOperation.Get(key(i)).encode())))
                        .isEqualTo(new KvResult.Value(Optional.of(value(i))));
            }
            await(cluster, status -> status.stableCheckpoint() > KEYS);
            cluster.stop(ID);
            ReplicaFolder folder = ReplicaFolder.of(directory, ID);
            assertThat(FolderInspection.of(cluster.config, ID, folder).damages())
                    .isEmpty();
            assertThat(folder.path().resolve("state.aside/data.mdb")).exists();
        }
    }

    private void await(TestCluster cluster, Predicate<ReplicaStatus> wanted) throws Exception {
        while (!wanted.test(cluster.servers.get(ID).status())) {
            Throwable halted = cluster.halts
                    .get(ID)
                    .copy()
                    .completeOnTimeout(null, 10, TimeUnit.MILLISECONDS)
                    .get();
            assertThat(halted).isNull();
        }
    }

    @Test
    void whatTheDiskDamagesIsPutBackFromTheOthersRecordByRecord() throws Exception {
        try (TestCluster cluster = new TestCluster(directory, true, Duration.ofMillis(50))) {
            for (int i = 0; i < KEYS; i++) {
                cluster.run(new KvOperation.Put(key(i), value(i)).encode());
            }
            await(cluster, status -> status.stableCheckpoint() >= KEYS / 2);
            long scrubbed = cluster.servers.get(ID).status().disk().scrubs();
            await(cluster, status -> status.disk().scrubs() > scrubbed + 1);
            assertThat(cluster.servers.get(ID).status().disk().damaged()).isZero();

            // Large ones stand for themselves; small ones in the leaves of the tree too.
            for (int i = 0; i < 8; i++) {
                assertThat(flip(i)).isPositive();
            }
            await(
                    cluster,
                    status -> status.disk().damaged() >= 8
                            && status.disk().repaired() == status.disk().damaged());
            ReplicaStatus repaired = cluster.servers.get(ID).status();
            assertThat(repaired.events().get("STATE_TRANSFER_STARTED")).isZero();

            cluster.stop(1);
            for (int i = 0; i < KEYS; i++) {
                assertThat(KvResult.decode(cluster.run(new KvOperation.Get(key(i)).encode())))
                        .isEqualTo(new KvResult.Value(Optional.of(value(i))));
            }
            assertThat(cluster.halts.get(ID)).isNotDone();
            cluster.stop(ID);
            assertThat(FolderInspection.of(cluster.config, ID, ReplicaFolder.of(directory, ID))
                            .damages())
                    .isEmpty();
        }
    }
}
