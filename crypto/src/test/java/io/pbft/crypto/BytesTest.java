package io.pbft.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BytesTest {
    @Test
    void areOrderedAsUnsignedBytesWithAPrefixFirst() {
        List<Bytes> ordered = Stream.of("", "00", "0000", "01", "7f", "7fff", "80", "ff", "ff00")
                .map(Bytes::fromHex)
                .toList();
        for (int i = 0; i < ordered.size(); i++) {
            for (int j = 0; j < ordered.size(); j++) {
                assertThat(Integer.signum(ordered.get(i).compareTo(ordered.get(j))))
                        .as("%s and %s", ordered.get(i), ordered.get(j))
                        .isEqualTo(Integer.compare(i, j));
                assertThat(ordered.get(i).equals(ordered.get(j))).isEqualTo(i == j);
            }
        }
    }

    @Test
    void whatIsCopiedInOrOutIsNotShared() {
        byte[] source = {1, 2, 3};
        Bytes bytes = Bytes.copyOf(source);
        source[0] = 9;
        bytes.toByteArray()[1] = 9;
        assertThat(bytes.toHex()).isEqualTo("010203");
        assertThat(bytes.asReadOnlyBuffer().isReadOnly()).isTrue();
    }

    @Test
    void slicesJoinsAndPrefixes() {
        Bytes bytes = Bytes.utf8("key/value");
        assertThat(bytes.slice(0, 4)).isEqualTo(Bytes.utf8("key/"));
        assertThat(bytes.slice(4, 9).toUtf8()).isEqualTo("value");
        assertThat(bytes.slice(9, 9)).isSameAs(Bytes.EMPTY);
        assertThat(bytes.slice(0, 4).concat(bytes.slice(4, 9))).isEqualTo(bytes);
        assertThat(bytes.startsWith(Bytes.utf8("key/"))).isTrue();
        assertThat(bytes.startsWith(Bytes.utf8("value"))).isFalse();
        assertThat(Bytes.EMPTY.startsWith(bytes)).isFalse();
        assertThat(bytes.startsWith(Bytes.EMPTY)).isTrue();
        byte[] target = new byte[11];
        bytes.copyTo(target, 1);
        assertThat(Bytes.copyOf(target, 1, 10)).isEqualTo(bytes);
    }

    @Test
    void refuseTextThatIsNotHexadecimal() {
        assertThatThrownBy(() -> Bytes.fromHex("0g")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Bytes.fromHex("000")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void printShort() {
        assertThat(Bytes.fromHex("00ff").toString()).isEqualTo("00ff");
        assertThat(Bytes.wrap(new byte[100]).toString()).isEqualTo("0000000000000000..(100 bytes)");
    }
}
