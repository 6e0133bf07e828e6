package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Equivocation;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.Signed;
import io.pbft.replica.DriverBench;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvidenceFolderTest {
    @TempDir
    private Path directory;

    private static Signed<Prepare> prepare(long seq, String digest) {
        return DriverBench.signed(new Prepare(0, seq, Digest.of(Bytes.utf8(digest)), 2));
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("evidence"))) {
            return files.toList();
        }
    }

    @Test
    void aProofIsKeptOnceAndConvicts() throws IOException {
        EvidenceFolder folder = new EvidenceFolder(directory.resolve("evidence"));
        folder.keep(prepare(1, "a"), prepare(1, "b"));
        folder.keep(prepare(1, "a"), prepare(1, "b"));
        assertThat(files()).hasSize(1);
        assertThat(files().get(0).getFileName().toString()).startsWith("equivocation-replica-2-PREPARE-");
        Equivocation proof = Equivocation.decode(Bytes.wrap(Files.readAllBytes(files().get(0))));
        assertThat(proof.accused()).isEqualTo(NodeId.replica(2));
        assertThat(proof.verify(DriverBench.VERIFIER)).isTrue();
    }

    @Test
    void whoLiesWithoutEndDoesNotFillTheDiskEvenAcrossRestarts() throws IOException {
        EvidenceFolder folder = new EvidenceFolder(directory.resolve("evidence"));
        for (int seq = 1; seq < EvidenceFolder.FILES_PER_REPLICA_MAX; seq++) {
            folder.keep(prepare(seq, "a"), prepare(seq, "b"));
        }
        EvidenceFolder again = new EvidenceFolder(directory.resolve("evidence"));
        for (int seq = 100; seq < 110; seq++) {
            again.keep(prepare(seq, "a"), prepare(seq, "b"));
        }
        assertThat(files()).hasSize(EvidenceFolder.FILES_PER_REPLICA_MAX);
    }

    @Test
    void aFolderThatCannotBeMadeStopsNothing() throws IOException {
        Files.writeString(directory.resolve("evidence"), "a file");
        new EvidenceFolder(directory.resolve("evidence")).keep(prepare(1, "a"), prepare(1, "b"));
        assertThat(directory.resolve("evidence")).isRegularFile();
    }
}
