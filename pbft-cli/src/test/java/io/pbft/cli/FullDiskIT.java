package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.client.PbftClient;
import io.pbft.client.kv.KvClient;
import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * File systems that take no more: full ones, one whose sync fails, one that is read-only. The replica halts without harm, says
 * why, and comes back once the cause is gone. The file systems are real ones and small, so the test must be allowed to mount.
 */
@EnabledOnOs(OS.LINUX)
class FullDiskIT {
    private static final Logger LOG = LoggerFactory.getLogger(FullDiskIT.class);
    private static final int ID = 3;
    private static final int VALUE_BYTES = 100_000;

    /** Of {@link #VALUE_BYTES} each: more than fits on any of the small file systems. */
    private static final int VALUES = 200;

    @TempDir
    private Path temp;

    private final Deque<Path> mounted = new ArrayDeque<>();
    private ReplicaProcesses cluster;
    private PbftClient client;
    private KvClient service;

    @BeforeEach
    void makeCluster() throws IOException {
        cluster = new ReplicaProcesses(temp.resolve("cluster"));
        client = cluster.client(0);
        service = new KvClient(client);
    }

    @AfterEach
    void stopAll() throws Exception {
        client.close();
        cluster.close();
        while (!mounted.isEmpty()) {
            run(List.of("umount", mounted.pop().toString()));
        }
    }

    private static boolean run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(PbftProcess.PATIENCE_SECONDS, TimeUnit.SECONDS))
                .isTrue();
        if (process.exitValue() != 0) {
            LOG.warn("{}: {}", command, said);
        }
        return process.exitValue() == 0;
    }

    private void mount(Path at, String... how) throws Exception {
        Files.createDirectories(at);
        List<String> command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(how));
        command.add(at.toString());
        boolean done = Files.isExecutable(Path.of("/bin/mount")) && run(command);
        if (!done) {
            LOG.warn("NOT TESTED, as this user may not mount a file system: {}", command);
        }
        Assumptions.assumeTrue(done, "this user may not mount a file system");
        mounted.push(at);
    }

    private static void remount(Path at, String options) throws Exception {
        assertThat(run(List.of("mount", "-o", "remount," + options, at.toString())))
                .isTrue();
    }

    /** Puts a file system of its own under the folder of the replica. */
    private void mountUnderReplica(String... how) throws Exception {
        Path folder = cluster.folder(ID);
        Path away = temp.resolve("away");
        Files.move(folder, away);
        mount(folder, how);
        for (String file : List.of("key.pem", "never-started")) {
            Files.move(away.resolve(file), folder.resolve(file));
        }
    }

    private void write(int values) {
        for (int i = 0; i < values; i++) {
            service.put(Bytes.utf8("k" + i), Bytes.utf8("v".repeat(VALUE_BYTES)));
        }
    }

    private void assertHalted() throws Exception {
        PbftProcess.Result halted = cluster.end(ID);
        assertThat(halted.exit()).as(halted.err()).isEqualTo(Exit.DOES_NOT_HOLD);
        assertThat(halted.err())
                .contains("replica 3 halted, its disk failed", "check free space, permissions and health of the disk");
    }

    private void assertWorksAgain() throws Exception {
        cluster.start(ID);
        cluster.awaitCaughtUp(ID, 0);
        cluster.kill(2);
        service.increment(Bytes.utf8("counter"), 1);
        cluster.awaitCaughtUp(ID, 0);
        cluster.stop(ID);
        assertThat(cluster.inspect(ID, 0).get("damages")).isEmpty();
    }

    /** Takes what is left. */
    private static Path fill(Path folder) throws IOException {
        Path filler = folder.resolve("filler");
        try (var out = Files.newOutputStream(filler)) {
            byte[] block = new byte[4096];
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            LOG.info("filled: {}", full.getMessage());
        }
        return filler;
    }

    @Test
    void aFullOrReadOnlyDiskHaltsItAndItComesBackOnceThereIsRoom() throws Exception {
        Path folder = cluster.folder(ID);
        mountUnderReplica("-t", "tmpfs", "-o", "size=8m", "tmpfs");
        cluster.start(0, 1, 2, ID);
        write(VALUES);
        assertHalted();

        Path filler = fill(folder);
        PbftProcess.Result full = cluster.refused(ID);
        assertThat(full.err()).contains("No space left on device", "replica-3").doesNotContain("defect");

        Files.delete(filler);
        remount(folder, "size=200m,ro");
        assertThat(cluster.refused(ID).err())
                .contains(folder.toString(), "check its permissions and its file system")
                .doesNotContain("defect");

        remount(folder, "rw");
        assertWorksAgain();
    }

    /** A file system on a device that takes no more: writes go to memory, and the sync fails. */
    @Test
    void aFailedSyncHaltsItAndItComesBackOnceTheDeviceWorks() throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/sbin/mkfs.ext4")), "there is no mkfs.ext4");
        Path device = temp.resolve("device");
        mount(device, "-t", "tmpfs", "-o", "size=12m", "tmpfs");
        Path image = device.resolve("image");
        assertThat(run(List.of("truncate", "-s", "400m", image.toString()))).isTrue();
        assertThat(run(List.of("/sbin/mkfs.ext4", "-q", "-F", "-O", "^has_journal", image.toString())))
                .isTrue();
        mountUnderReplica("-o", "loop,errors=continue", image.toString());
        cluster.start(0, 1, 2, ID);
        write(VALUES);
        assertHalted();
        remount(device, "size=400m");
        assertWorksAgain();
    }
}
