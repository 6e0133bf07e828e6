package io.pbft.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

class HandshakesTest {
    private final Handshakes handshakes = new Handshakes(new TransportConfig.Admission(5, 2, 1, 1));

    @Test
    void countsByAddressAndTogether() throws Exception {
        for (int host = 1; host <= 2; host++) {
            assertThat(handshakes.enter(address(host))).isNull();
            assertThat(handshakes.enter(address(host))).isNull();
            assertThat(handshakes.enter(address(host))).isEqualTo(Incident.REFUSED_ADDRESS_FULL);
        }
        assertThat(handshakes.enter(address(3))).isNull();
        assertThat(handshakes.enter(address(4))).isEqualTo(Incident.REFUSED_HANDSHAKES_FULL);
        assertThat(handshakes.size()).isEqualTo(5);
    }

    @Test
    void aPlaceThatIsLeftCanBeTakenAgain() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            assertThat(handshakes.enter(address(1))).isNull();
            assertThat(handshakes.enter(address(1))).isNull();
            handshakes.leave(address(1));
            handshakes.leave(address(1));
        }
        assertThat(handshakes.size()).isZero();
    }

    private static InetAddress address(int host) throws UnknownHostException {
        return InetAddress.getByAddress(new byte[] {10, 0, 0, (byte) host});
    }
}
