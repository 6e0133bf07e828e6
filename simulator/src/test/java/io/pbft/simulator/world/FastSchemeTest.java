package io.pbft.simulator.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signature;
import io.pbft.crypto.Signer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class FastSchemeTest {
    private final FastScheme scheme = new FastScheme();
    private final Signer alice = scheme.signer(Bytes.wrap(new byte[32]));
    private final Signer bob = scheme.signer(Bytes.utf8("thirty-two bytes of a seed ....."));

    @Test
    void acceptsWhatItsSignerSignedAndNothingElse() {
        byte[] payload = "PREPARE 3 of view 0".getBytes(StandardCharsets.UTF_8);
        Signature signature = alice.sign(payload);
        assertThat(scheme.verify(alice.publicKey(), payload, signature)).isTrue();
        assertThat(scheme.verify(bob.publicKey(), payload, signature)).isFalse();
        for (int bit = 0; bit < payload.length * 8; bit++) {
            byte[] changed = payload.clone();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(scheme.verify(alice.publicKey(), changed, signature)).isFalse();
        }
        for (int bit = 0; bit < Signature.SIZE * 8; bit++) {
            byte[] changed = signature.toByteArray();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(scheme.verify(alice.publicKey(), payload, Signature.copyOf(changed, 0, changed.length)))
                    .isFalse();
        }
    }

    @Test
    void knowsOnlyTheKeysOfItsOwnWorld() {
        Bytes stranger = Bytes.wrap(new byte[PublicKey.SIZE]);
        assertThatThrownBy(() -> scheme.publicKey(stranger)).isInstanceOf(IllegalArgumentException.class);
        assertThat(scheme.verify(new PublicKey(stranger), new byte[1], alice.sign(new byte[1])))
                .isFalse();
        assertThat(scheme.publicKey(alice.publicKey().encoded())).isEqualTo(alice.publicKey());
    }
}
