package io.pbft.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pbft.crypto.KeyFiles.KeyFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.interfaces.EdECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyFilesTest {
    /** RFC 8410, sections 10.1 and 10.3. */
    private static final String RFC_PUBLIC = """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
            -----END PUBLIC KEY-----
            """;

    private static final String RFC_PRIVATE = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
            -----END PRIVATE KEY-----
            """;

    private static final String RFC_PRIVATE_WITH_PUBLIC = """
            -----BEGIN PRIVATE KEY-----
            MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
            oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
            Z9w7lshQhqowtrbLDFw4rXAxZuE=
            -----END PRIVATE KEY-----
            """;

    private static final Bytes RFC_SEED =
            Bytes.fromHex("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");

    private final Ed25519 scheme = new Ed25519();

    @TempDir
    Path directory;

    @Test
    void readsAndWritesTheExamplesOfRfc8410() {
        assertThat(KeyFiles.privatePem(RFC_SEED)).isEqualTo(RFC_PRIVATE);
        assertThat(KeyFiles.privateFromPem(RFC_PRIVATE, "here")).isEqualTo(RFC_SEED);
        assertThat(KeyFiles.privateFromPem(RFC_PRIVATE_WITH_PUBLIC, "here")).isEqualTo(RFC_SEED);
        PublicKey key = scheme.signer(RFC_SEED).publicKey();
        assertThat(KeyFiles.publicPem(key)).isEqualTo(RFC_PUBLIC);
        assertThat(KeyFiles.publicFromPem(RFC_PUBLIC, "here", scheme)).isEqualTo(key);
    }

    @Test
    void theDerFormsAreTheJdks() throws Exception {
        KeyFactory factory = KeyFactory.getInstance("Ed25519");
        EdECPrivateKey privateKey = (EdECPrivateKey) factory.generatePrivate(
                new PKCS8EncodedKeySpec(KeyFiles.privateKeyDer(RFC_SEED).toByteArray()));
        assertThat(privateKey.getBytes().orElseThrow()).isEqualTo(RFC_SEED.toByteArray());
        byte[] publicDer =
                KeyFiles.publicKeyDer(scheme.signer(RFC_SEED).publicKey()).toByteArray();
        assertThat(factory.generatePublic(new X509EncodedKeySpec(publicDer)).getEncoded())
                .isEqualTo(publicDer);
    }

    @Test
    void aPrivateKeyFileIsItsOwnersOnlyAndReadsBack() throws IOException {
        Bytes seed = Ed25519.newPrivateKey(new SecureRandom());
        Path file = directory.resolve("key.pem");
        KeyFiles.writePrivate(file, seed);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(KeyFiles.readPrivate(file)).isEqualTo(seed);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).as("no temporary file stays").containsExactly(file);
        }
    }

    @Test
    void aPrivateKeyIsNeverOverwritten() throws IOException {
        Path file = directory.resolve("key.pem");
        KeyFiles.writePrivate(file, RFC_SEED);
        assertThatThrownBy(() -> KeyFiles.writePrivate(file, Ed25519.newPrivateKey(new SecureRandom())))
                .isInstanceOf(KeyFileException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("not overwritten");
        assertThat(KeyFiles.readPrivate(file)).isEqualTo(RFC_SEED);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void aPrivateKeyFileThatOthersMayTouchIsRefused() throws IOException {
        Path file = directory.resolve("key.pem");
        KeyFiles.writePrivate(file, RFC_SEED);
        for (String mode : new String[] {"rw-r-----", "rw----r--", "rw--w----", "rw------x"}) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
            assertThatThrownBy(() -> KeyFiles.readPrivate(file))
                    .as(mode)
                    .isInstanceOf(KeyFileException.class)
                    .hasMessageContaining("chmod 600 " + file);
        }
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> KeyFiles.readPrivate(file)).hasMessageContaining("mode 0644");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        assertThat(KeyFiles.readPrivate(file)).isEqualTo(RFC_SEED);
    }

    @Test
    void publicKeyFilesReadBack() {
        Path file = directory.resolve("key.pub");
        PublicKey key = scheme.signer(RFC_SEED).publicKey();
        KeyFiles.writePublic(file, key);
        assertThat(KeyFiles.readPublic(file, scheme)).isEqualTo(key);
    }

    @Test
    void missingFilesAndDirectoriesAreNamed() {
        Path missing = directory.resolve("none").resolve("key.pem");
        assertThatThrownBy(() -> KeyFiles.readPrivate(missing))
                .isInstanceOf(KeyFileException.class)
                .hasMessageContaining(missing + " does not exist");
        assertThatThrownBy(() -> KeyFiles.readPublic(missing, scheme))
                .isInstanceOf(KeyFileException.class)
                .hasMessageContaining(missing + " does not exist");
        assertThatThrownBy(() -> KeyFiles.writePrivate(missing, RFC_SEED))
                .isInstanceOf(KeyFileException.class)
                .hasMessageContaining(missing.toString());
        assertThatThrownBy(() ->
                        KeyFiles.writePublic(missing, scheme.signer(RFC_SEED).publicKey()))
                .isInstanceOf(KeyFileException.class)
                .hasMessageContaining(missing.toString());
    }

    @Test
    void malformedPrivateKeysAreRefused() {
        assertRefused("", "no complete block");
        assertRefused(RFC_PRIVATE.replace("-----END PRIVATE KEY-----", ""), "no complete block");
        assertRefused(RFC_PUBLIC, "no complete block");
        assertRefused(RFC_PRIVATE + RFC_PRIVATE, "more than one PEM block");
        assertRefused(RFC_PRIVATE.replace("MC4C", "!!!!"), "not Base64");
        assertRefused(pem("PRIVATE KEY", "00"), "not a PKCS#8 private key");
        assertRefused(pem("PRIVATE KEY", KeyFiles.privateKeyDer(RFC_SEED).toHex() + "00"), "not a PKCS#8 private key");
        // The octet string inside claims 31 bytes.
        assertRefused(pem("PRIVATE KEY", "302d020100300506032b65700421041f" + "11".repeat(31)), "this one has 31");
        // X25519 (1.3.101.110) in place of Ed25519, and Ed25519 with NULL parameters.
        assertRefused(pem("PRIVATE KEY", "302e020100300506032b656e04220420" + "11".repeat(32)), "1.3.101.110");
        assertRefused(
                pem("PRIVATE KEY", "3030020100300706032b6570050004220420" + "11".repeat(32)), "no algorithm param");
        // Another public key than the private key's at the end.
        String moved = RFC_PRIVATE_WITH_PUBLIC.replace("AGb9ECWmEzf6FQbrB", "AGb9ECWmEzf6FQbrC");
        assertRefused(moved, "is not the private key's");
    }

    @Test
    void malformedPublicKeysAreRefused() {
        for (String text : new String[] {
            RFC_PRIVATE,
            pem("PUBLIC KEY", "302a300506032b6570032100" + "00".repeat(32)),
            pem("PUBLIC KEY", "302a300506032b656e032100" + "11".repeat(32)),
            pem("PUBLIC KEY", "3029300506032b6570032000" + "11".repeat(31)),
            pem("PUBLIC KEY", "11"),
        }) {
            assertThatThrownBy(() -> KeyFiles.publicFromPem(text, "cluster.pem", scheme))
                    .as(text)
                    .isInstanceOf(KeyFileException.class)
                    .hasMessageContaining("cluster.pem");
        }
    }

    @Test
    void aHugeFileIsNotRead() throws IOException {
        Path file = directory.resolve("huge.pem");
        Files.write(file, new byte[1 << 20]);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        assertThatThrownBy(() -> KeyFiles.readPrivate(file)).hasMessageContaining("larger than 16384 bytes");
    }

    @Test
    void opensslReadsOursAndWeReadOpenssls() throws Exception {
        assumeTrue(run("openssl", "version").startsWith("OpenSSL"), "openssl is not installed");
        Path ours = directory.resolve("ours.pem");
        KeyFiles.writePrivate(ours, RFC_SEED);
        assertThat(run("openssl", "pkey", "-in", ours.toString(), "-pubout")).isEqualTo(RFC_PUBLIC);
        Path theirs = directory.resolve("theirs.pem");
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", theirs.toString());
        Files.setPosixFilePermissions(theirs, PosixFilePermissions.fromString("rw-------"));
        PublicKey key = scheme.signer(KeyFiles.readPrivate(theirs)).publicKey();
        assertThat(run("openssl", "pkey", "-in", theirs.toString(), "-pubout")).isEqualTo(KeyFiles.publicPem(key));
    }

    private static void assertRefused(String pem, String reason) {
        assertThatThrownBy(() -> KeyFiles.privateFromPem(pem, "replica-2/key.pem"))
                .isInstanceOf(KeyFileException.class)
                .hasMessageContaining("replica-2/key.pem")
                .hasMessageContaining(reason);
    }

    private static String pem(String label, String hex) {
        String base64 = java.util.Base64.getEncoder().encodeToString(Vectors.hex(hex));
        return "-----BEGIN " + label + "-----\n" + base64 + "\n-----END " + label + "-----\n";
    }

    /** What the command printed; nothing when it is not there. */
    private static String run(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor();
            return output;
        } catch (IOException e) {
            return "";
        }
    }
}
