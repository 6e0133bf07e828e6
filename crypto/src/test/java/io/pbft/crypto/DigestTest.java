package io.pbft.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DigestTest {
    /** The examples that NIST publishes for FIPS 180-4. */
    @Test
    void isSha256() {
        assertThat(Digest.of(Bytes.utf8("abc")).toHex())
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assertThat(Digest.of(Bytes.utf8("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))
                        .toHex())
                .isEqualTo("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }

    @Test
    void allWaysToHashTheSameBytesAgree() {
        byte[] content = Bytes.utf8("xabcx").toByteArray();
        Digest abc = Digest.of(Bytes.utf8("abc"));
        assertThat(Digest.of(content, 1, 3)).isEqualTo(abc);
        assertThat(Digest.ofTagged((byte) 'a', Bytes.utf8("bc"))).isEqualTo(abc);
        assertThat(Digest.ofTagged((byte) 'a', Bytes.utf8("bc").toByteArray())).isEqualTo(abc);
        Digest other = Digest.of(content);
        Bytes joined = Bytes.fromHex("05").concat(abc.toBytes()).concat(other.toBytes());
        assertThat(Digest.ofNode((byte) 5, abc, other)).isEqualTo(Digest.of(joined));
    }

    @Test
    void readsBackFromItsHexAndKnowsItsSize() {
        Digest abc = Digest.of(Bytes.utf8("abc"));
        assertThat(Digest.fromHex(abc.toHex())).isEqualTo(abc).hasSameHashCodeAs(abc);
        assertThat(abc.prefix()).isEqualTo(0xba7816bf8f01cfeaL);
        assertThat(abc.compareTo(Digest.ZERO)).isPositive();
        assertThatThrownBy(() -> Digest.fromHex("00"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("32 bytes, not 1");
        assertThatThrownBy(() -> Signature.copyOf(new byte[65], 0, 65)).hasMessageContaining("64 bytes, not 65");
        assertThatThrownBy(() -> new PublicKey(Bytes.EMPTY)).hasMessageContaining("32 bytes, not 0");
    }
}
