package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.KeyFiles;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Equivocation;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pbft verify} on evidence against a replica: what convicts, and what does not. */
class VerifyEvidenceTest {
    private static final int TAMPERED_EVERY = 7;

    @TempDir
    private Path temp;

    private Path config;

    @BeforeEach
    void create() {
        config = cluster("cluster");
    }

    private Path cluster(String name) {
        Path dir = temp.resolve(name);
        new ClusterFolder(dir).create(new ClusterFolder.Plan("127.0.0.1", List.of(7001, 7002, 7003, 7004), 1));
        return dir.resolve("cluster.json");
    }

    /** What replica {@code id} signs with the key in its folder. */
    private <S extends Statement> Signed<S> signed(int id, S statement) {
        Ed25519 scheme = new Ed25519();
        Path key = config.resolveSibling("replica-" + id).resolve("key.pem");
        return new Sealer(
                        ClusterConfig.read(config, scheme).clusterId(),
                        NodeId.replica(id),
                        scheme.signer(KeyFiles.readPrivate(key)))
                .seal(statement)
                .message();
    }

    private static Digest digest(String text) {
        return Digest.of(Bytes.utf8(text));
    }

    private Path file(byte[] content) throws Exception {
        return Files.write(temp.resolve("evidence.pbft"), content);
    }

    private byte[] proof() {
        return new Equivocation(
                        signed(2, new Commit(3, 17, digest("one"), 2)),
                        signed(2, new Commit(3, 17, digest("other"), 2)))
                .encode()
                .toByteArray();
    }

    private CommandRun verify(Path cluster, Path file) {
        return CommandRun.of("verify", "--config", cluster, file);
    }

    @Test
    void twoConflictingSignaturesConvict() throws Exception {
        CommandRun run = verify(config, file(proof()));
        assertThat(run.exit()).as(run.err()).isZero();
        assertThat(run.out())
                .contains(
                        "The evidence holds: replica-2",
                        "COMMIT of digest " + digest("one").toHex() + " for view 3, sequence number 17",
                        digest("other").toHex());
        CommandRun json = CommandRun.of("verify", "--json", "--config", config, file(proof()));
        assertThat(json.exit()).isZero();
        assertThat(json.out()).contains("\"kind\":\"evidence\"", "\"valid\":true", "\"accused\":\"replica-2\"");

        byte[] checkpoints = new Equivocation(
                        signed(0, new Checkpoint(128, digest("one"), 0)),
                        signed(0, new Checkpoint(128, digest("other"), 0)))
                .encode()
                .toByteArray();
        assertThat(verify(config, file(checkpoints)).out()).contains("The evidence holds: replica-0");
    }

    @Test
    void noByteOfItCanBeChanged() throws Exception {
        byte[] proof = proof();
        // The magic is left alone: without it the file is no evidence at all, which is refused as well.
        for (int i = 8; i < proof.length; i += TAMPERED_EVERY) {
            byte[] tampered = proof.clone();
            tampered[i] ^= 1;
            CommandRun run = verify(config, file(tampered));
            assertThat(run.exit()).as("byte %d: %s", i, run.out()).isEqualTo(1);
            assertThat(run.out()).startsWith("This evidence proves nothing: ");
        }
        CommandRun cut = verify(config, file(Arrays.copyOf(proof, proof.length - 1)));
        assertThat(cut.exit()).isEqualTo(1);
        CommandRun longer = verify(config, file(Arrays.copyOf(proof, proof.length + 1)));
        assertThat(longer.exit()).isEqualTo(1);
    }

    @Test
    void nobodyIsConvictedByAnothersKeyOrOfAnotherCluster() throws Exception {
        Path elsewhere = cluster("elsewhere");
        CommandRun foreign = verify(elsewhere, file(proof()));
        assertThat(foreign.exit()).isEqualTo(1);
        assertThat(foreign.out()).contains("a signature is not replica-2's");

        Signed<Commit> one = signed(2, new Commit(3, 17, digest("one"), 2));
        Signed<Commit> other = signed(1, new Commit(3, 17, digest("other"), 1));
        Signed<Commit> forged = new Signed<>(new Commit(3, 17, digest("other"), 2), other.signature());
        CommandRun framed =
                verify(config, file(new Equivocation(one, forged).encode().toByteArray()));
        assertThat(framed.exit()).isEqualTo(1);
        assertThat(framed.out()).contains("a signature is not replica-2's");
    }

    @Test
    void aMissingFileOrConfigurationIsWrongUsage() throws Exception {
        assertThat(verify(config, temp.resolve("none")).exit()).isEqualTo(2);
        assertThat(verify(temp.resolve("none.json"), file(proof())).exit()).isEqualTo(2);
    }
}
