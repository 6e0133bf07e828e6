package io.pbft.crypto;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.jspecify.annotations.Nullable;

/**
 * Ed25519 keys in PEM files: private ones as PKCS#8, public ones as SubjectPublicKeyInfo (RFC 8410, RFC 7468), so that
 * {@code openssl pkey} reads and writes them too. Stateless and thread-safe.
 *
 * <p>A private key file is born with mode 0600: it is written whole under a temporary name, made durable, and then
 * linked to its own name, so that it is at no moment readable by others, never half written, and never overwrites a key
 * that is there. It is refused when its mode gives its group or others any right to it.
 */
public final class KeyFiles {
    private static final ASN1ObjectIdentifier ED25519 = new ASN1ObjectIdentifier("1.3.101.112");
    private static final String PRIVATE_LABEL = "PRIVATE KEY";
    private static final String PUBLIC_LABEL = "PUBLIC KEY";

    /** No key file is larger, in bytes; one that claims to be is not read. */
    private static final int FILE_BYTES_MAX = 16 << 10;

    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private KeyFiles() {}

    /** A key file cannot be written, read or trusted; the message says which one, why, and what to do. */
    public static final class KeyFileException extends RuntimeException {
        KeyFileException(String message) {
            super(message);
        }

        KeyFileException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Creates {@code file} with mode 0600; it, and its name in its directory, are durable on return.
     *
     * @throws KeyFileException when the file exists or cannot be written
     */
    public static void writePrivate(Path file, Bytes privateKey) {
        Path target = file.toAbsolutePath();
        Path directory = Objects.requireNonNull(target.getParent(), "the root directory is not a key file");
        try {
            Path temporary =
                    Files.createTempFile(directory, ".key-", ".tmp", PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            try {
                writeDurably(temporary, privatePem(privateKey));
                Files.createLink(target, temporary);
            } finally {
                Files.delete(temporary);
            }
            forceDirectory(directory);
        } catch (FileAlreadyExistsException e) {
            throw new KeyFileException(
                    "the private key file " + file + " exists and is not overwritten; move it away first", e);
        } catch (IOException | UnsupportedOperationException e) {
            throw new KeyFileException(
                    "cannot write the private key file " + file + ": " + describe(e)
                            + "; its directory must exist, be writable, and on a file system with POSIX permissions",
                    e);
        }
    }

    /**
     * Writes {@code file}, replacing it, readable by everyone whom the process's umask lets.
     *
     * @throws KeyFileException when it cannot be written
     */
    public static void writePublic(Path file, PublicKey key) {
        try {
            Files.writeString(file, publicPem(key), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new KeyFileException("cannot write the public key file " + file + ": " + describe(e), e);
        }
    }

    /**
     * The private key (seed) in {@code file}.
     *
     * @throws KeyFileException when the file is missing, is open to others than its owner, or holds no such key
     */
    public static Bytes readPrivate(Path file) {
        refuseWhenOpenToOthers(file);
        return privateFromPem(readBounded(file, "private"), file.toString());
    }

    /**
     * The public key in {@code file}, checked by {@code scheme}.
     *
     * @throws KeyFileException when the file is missing or holds no key that the scheme trusts
     */
    public static PublicKey readPublic(Path file, SignatureScheme scheme) {
        return publicFromPem(readBounded(file, "public"), file.toString(), scheme);
    }

    /** The PEM text of a private key. */
    public static String privatePem(Bytes privateKey) {
        if (privateKey.size() != Ed25519.PRIVATE_KEY_SIZE) {
            throw new IllegalArgumentException(
                    "an Ed25519 private key has " + Ed25519.PRIVATE_KEY_SIZE + " bytes, not " + privateKey.size());
        }
        return pem(PRIVATE_LABEL, privateKeyDer(privateKey).toByteArray());
    }

    /** The PEM text of a public key. */
    public static String publicPem(PublicKey key) {
        return pem(PUBLIC_LABEL, publicKeyDer(key).toByteArray());
    }

    /** The PKCS#8 encoding (DER) of a private key: what a JCA key factory takes. */
    public static Bytes privateKeyDer(Bytes privateKey) {
        // RFC 8410, section 7: version 0, the algorithm without parameters, an octet string in an octet string.
        return Bytes.fromHex("302e020100300506032b657004220420").concat(privateKey);
    }

    /** The SubjectPublicKeyInfo encoding (DER) of a public key: what a certificate carries. */
    public static Bytes publicKeyDer(PublicKey key) {
        return Bytes.fromHex("302a300506032b6570032100").concat(key.encoded());
    }

    static Bytes privateFromPem(String pem, String where) {
        byte[] der = unpem(pem, PRIVATE_LABEL, where);
        try {
            PrivateKeyInfo info = PrivateKeyInfo.getInstance(ASN1Primitive.fromByteArray(der));
            requireEd25519(info.getPrivateKeyAlgorithm(), where);
            byte[] seed = ASN1OctetString.getInstance(info.parsePrivateKey()).getOctets();
            if (seed.length != Ed25519.PRIVATE_KEY_SIZE) {
                throw new KeyFileException(where + ": an Ed25519 private key has " + Ed25519.PRIVATE_KEY_SIZE
                        + " bytes, this one has " + seed.length);
            }
            Bytes privateKey = Bytes.wrap(seed);
            requireSamePublicKey(info, privateKey, where);
            return privateKey;
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            throw malformed(where, "its content is not a PKCS#8 private key", e);
        }
    }

    private static void requireSamePublicKey(PrivateKeyInfo info, Bytes privateKey, String where) {
        if (info.getPublicKeyData() == null) {
            return;
        }
        PublicKey own = new Ed25519().signer(privateKey).publicKey();
        if (!Arrays.equals(own.encoded().unsafe(), info.getPublicKeyData().getOctets())) {
            throw new KeyFileException(where + ": the public key in this file is not the private key's");
        }
    }

    static PublicKey publicFromPem(String pem, String where, SignatureScheme scheme) {
        byte[] der = unpem(pem, PUBLIC_LABEL, where);
        try {
            SubjectPublicKeyInfo info = SubjectPublicKeyInfo.getInstance(ASN1Primitive.fromByteArray(der));
            requireEd25519(info.getAlgorithm(), where);
            return scheme.publicKey(Bytes.copyOf(info.getPublicKeyData().getOctets()));
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            throw malformed(where, "it holds no usable public key: " + e.getMessage(), e);
        }
    }

    private static void requireEd25519(AlgorithmIdentifier algorithm, String where) {
        if (!algorithm.getAlgorithm().equals(ED25519)) {
            throw new KeyFileException(where + ": the key is of the algorithm " + algorithm.getAlgorithm()
                    + "; only Ed25519 (" + ED25519 + ") is taken");
        }
        if (algorithm.getParameters() != null) {
            throw new KeyFileException(where + ": an Ed25519 key has no algorithm parameters (RFC 8410, section 3)");
        }
    }

    private static String pem(String label, byte[] der) {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + label + "-----\n" + base64 + "\n-----END " + label + "-----\n";
    }

    /**
     * The bytes between the BEGIN and END lines; text around them is allowed (RFC 7468, section 2), a second key is
     * not.
     */
    private static byte[] unpem(String pem, String label, String where) {
        String begin = "-----BEGIN " + label + "-----";
        String end = "-----END " + label + "-----";
        int from = pem.indexOf(begin);
        int to = from < 0 ? -1 : pem.indexOf(end, from);
        if (to < 0) {
            throw malformed(where, "there is no complete block from \"" + begin + "\" to \"" + end + "\"", null);
        }
        if (pem.indexOf("-----BEGIN ", from + begin.length()) >= 0) {
            throw malformed(where, "there is more than one PEM block", null);
        }
        String body = pem.substring(from + begin.length(), to).replaceAll("\\s", "");
        try {
            return Base64.getDecoder().decode(body);
        } catch (IllegalArgumentException e) {
            throw malformed(where, "the text between BEGIN and END is not Base64", e);
        }
    }

    private static KeyFileException malformed(String where, String why, @Nullable Throwable cause) {
        return new KeyFileException(where + ": " + why + "; restore the file from its backup or make a new key", cause);
    }

    private static void refuseWhenOpenToOthers(Path file) {
        Set<PosixFilePermission> mode;
        try {
            mode = Files.getPosixFilePermissions(file);
        } catch (NoSuchFileException e) {
            throw new KeyFileException("the private key file " + file + " does not exist", e);
        } catch (IOException | UnsupportedOperationException e) {
            throw new KeyFileException(
                    "cannot tell who may read the private key file " + file + ": " + describe(e)
                            + "; it must lie on a file system with POSIX permissions",
                    e);
        }
        EnumSet<PosixFilePermission> others = EnumSet.allOf(PosixFilePermission.class);
        others.removeIf(permission -> permission.name().startsWith("OWNER_"));
        others.retainAll(mode);
        if (!others.isEmpty()) {
            throw new KeyFileException("the private key file " + file + " has mode " + octal(mode)
                    + ": others than its owner have access to it, so it is refused; run: chmod 600 " + file);
        }
    }

    private static String octal(Set<PosixFilePermission> mode) {
        int bits = 0;
        for (char right : PosixFilePermissions.toString(mode).toCharArray()) {
            bits = bits << 1 | (right == '-' ? 0 : 1);
        }
        return String.format("%04o", bits);
    }

    private static String readBounded(Path file, String kind) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] content = in.readNBytes(FILE_BYTES_MAX + 1);
            if (content.length > FILE_BYTES_MAX) {
                throw new KeyFileException(
                        "the " + kind + " key file " + file + " is larger than " + FILE_BYTES_MAX + " bytes: no key");
            }
            return new String(content, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw new KeyFileException("the " + kind + " key file " + file + " does not exist", e);
        } catch (IOException e) {
            throw new KeyFileException("cannot read the " + kind + " key file " + file + ": " + describe(e), e);
        }
    }

    private static void writeDurably(Path file, String text) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    private static void forceDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static String describe(Exception e) {
        return e.getClass().getSimpleName() + " (" + e.getMessage() + ")";
    }
}
