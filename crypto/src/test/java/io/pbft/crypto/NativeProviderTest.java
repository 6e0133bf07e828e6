package io.pbft.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.Security;
import java.util.Arrays;
import java.util.Random;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class NativeProviderTest {
    private static final String SEALS = "AES/GCM/NoPadding";
    private static final String PLATFORM_SEALS = "SunJCE";
    private static final String PLATFORM_DIGESTS = "SUN";

    @BeforeEach
    void register() {
        assertThat(NativeProvider.register()).isTrue();
    }

    @AfterEach
    void leaveThePlatformAsItWas() {
        Security.removeProvider("PbftNative");
    }

    @Test
    void comesFirstForWhatItOffersAndForNothingElse() throws Exception {
        int before = Security.getProviders().length;
        assertThat(NativeProvider.register()).isTrue();
        assertThat(Security.getProviders()).hasSize(before);
        assertThat(Cipher.getInstance(SEALS).getProvider().getName()).contains("Corretto");
        assertThat(MessageDigest.getInstance("SHA-256").getProvider().getName()).contains("Corretto");
        assertThat(MessageDigest.getInstance("SHA-512").getProvider().getName()).isEqualTo(PLATFORM_DIGESTS);
        assertThat(Cipher.getInstance("AES/CBC/PKCS5Padding").getProvider().getName())
                .isEqualTo(PLATFORM_SEALS);
    }

    @Test
    void leftOutWhereItIsNotWanted() throws Exception {
        leaveThePlatformAsItWas();
        String before = System.setProperty(Ed25519.ACCELERATOR, "off");
        try {
            assertThat(NativeProvider.register()).isFalse();
            assertThat(Cipher.getInstance(SEALS).getProvider().getName()).isEqualTo(PLATFORM_SEALS);
        } finally {
            if (before == null) {
                System.clearProperty(Ed25519.ACCELERATOR);
            } else {
                System.setProperty(Ed25519.ACCELERATOR, before);
            }
        }
    }

    @Test
    void givesWhatThePlatformGives() throws Exception {
        Random random = new Random(1);
        for (int size : new int[] {0, 1, 55, 56, 64, 1_000, 16_384, 1 << 20}) {
            byte[] content = bytes(random, size);
            assertThat(MessageDigest.getInstance("SHA-256").digest(content))
                    .isEqualTo(MessageDigest.getInstance("SHA-256", PLATFORM_DIGESTS)
                            .digest(content));
            byte[] key = bytes(random, 16);
            byte[] nonce = bytes(random, 12);
            byte[] sealed = seal(Cipher.getInstance(SEALS), Cipher.ENCRYPT_MODE, key, nonce, content);
            Cipher platform = Cipher.getInstance(SEALS, PLATFORM_SEALS);
            assertThat(seal(platform, Cipher.DECRYPT_MODE, key, nonce, sealed)).isEqualTo(content);
            assertThat(sealed).isEqualTo(seal(platform, Cipher.ENCRYPT_MODE, key, nonce, content));
            assertThat(seal(Cipher.getInstance(SEALS), Cipher.DECRYPT_MODE, key, nonce, sealed))
                    .isEqualTo(content);
        }
    }

    /** TLS keeps the digest of a handshake that is not over yet. */
    @Test
    void digestsCanBeCopiedHalfWay() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update((byte) 'a');
        MessageDigest copy = (MessageDigest) digest.clone();
        digest.update((byte) 'x');
        copy.update("bc".getBytes(StandardCharsets.US_ASCII));
        assertThat(copy.digest())
                .isEqualTo(Digest.of(Bytes.utf8("abc")).toBytes().toByteArray());
    }

    private static byte[] bytes(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] seal(Cipher cipher, int mode, byte[] key, byte[] nonce, byte[] content)
            throws GeneralSecurityException {
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
        cipher.updateAAD(Arrays.copyOf(key, 5));
        return cipher.doFinal(content);
    }
}
