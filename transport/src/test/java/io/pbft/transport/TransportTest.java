package io.pbft.transport;

import static io.pbft.transport.Net.C0;
import static io.pbft.transport.Net.R0;
import static io.pbft.transport.Net.R1;
import static io.pbft.transport.Net.R2;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Limits;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What honest nodes see of each other. */
class TransportTest {
    private final Net net = new Net();
    private final Recorder at0 = new Recorder();
    private final Recorder at1 = new Recorder();

    @AfterEach
    void closeAll() {
        net.close();
    }

    @Test
    void replicasAndClientsExchangeFrames() throws Exception {
        Recorder atClient = new Recorder();
        Transport replica0 = net.start(R0, at0);
        Transport replica1 = net.start(R1, at1);
        Transport client = net.start(C0, atClient);
        at0.awaitUp(R1, C0);
        at1.awaitUp(R0, C0);
        atClient.awaitUp(R0, R1);

        assertThat(replica0.send(R1, Lane.BULK, Bytes.utf8("0 to 1"))).isTrue();
        assertThat(at1.takeFrame()).isEqualTo(new Recorder.Frame(R0, Bytes.utf8("0 to 1")));
        assertThat(replica1.send(R0, Lane.PRIORITY, Bytes.utf8("1 to 0"))).isTrue();
        assertThat(at0.takeFrame()).isEqualTo(new Recorder.Frame(R1, Bytes.utf8("1 to 0")));
        assertThat(client.send(R1, Lane.BULK, Bytes.utf8("request"))).isTrue();
        assertThat(at1.takeFrame()).isEqualTo(new Recorder.Frame(C0, Bytes.utf8("request")));
        assertThat(replica1.send(C0, Lane.BULK, Bytes.utf8("reply"))).isTrue();
        assertThat(atClient.takeFrame()).isEqualTo(new Recorder.Frame(R1, Bytes.utf8("reply")));

        TransportStats stats = replica1.stats();
        assertThat(stats.connections()).isEqualTo(2);
        assertThat(stats.framesIn()).isEqualTo(2);
        assertThat(stats.bytesIn()).isEqualTo(13);
        assertThat(stats.framesOut()).isEqualTo(2);
        assertThat(stats.bytesOut()).isEqualTo(11);
        assertThat(stats.handshakes()).isZero();
    }

    @Test
    void framesOfAnySizeArriveWholeAndInOrder() throws Exception {
        net.start(R0, at0);
        Transport replica1 = net.start(R1, at1);
        at1.awaitUp(R0);
        int[] sizes = {1, 3, 16_379, 16_380, 16_381, 100_000, 1, 5_000_000, 2, 65_535, 65_536};
        for (int round = 0; round < 3; round++) {
            for (int size : sizes) {
                assertThat(replica1.send(R0, Lane.BULK, patterned(size))).isTrue();
            }
        }
        for (int i = 0; i < 20_000; i++) {
            assertThat(replica1.send(R0, Lane.BULK, Bytes.utf8("frame " + i))).isTrue();
        }
        for (int round = 0; round < 3; round++) {
            for (int size : sizes) {
                assertThat(at0.takeFrame().content()).isEqualTo(patterned(size));
            }
        }
        for (int i = 0; i < 20_000; i++) {
            assertThat(at0.takeFrame().content()).isEqualTo(Bytes.utf8("frame " + i));
        }
    }

    private static Bytes patterned(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (i * 31 + size);
        }
        return Bytes.wrap(bytes);
    }

    @Test
    void aPeerThatEndsIsReportedDownAndOneThatComesBackIsReportedUp() throws Exception {
        Transport replica0 = net.start(R0, at0);
        Transport replica1 = net.start(R1, at1);
        at0.await(R1, true);
        at1.await(R0, true);

        replica0.close();
        at0.await(R1, false);
        assertThat(replica0.stats().count(Incident.CLOSED_HERE)).isEqualTo(1);
        at1.await(R0, false);
        assertThat(replica1.stats().count(Incident.CLOSED_BY_PEER)).isEqualTo(1);
        assertThat(replica1.isUp(R0)).isFalse();
        assertThat(replica1.send(R0, Lane.BULK, Bytes.utf8("lost"))).isFalse();
        assertThat(replica1.stats().count(Incident.DROPPED_NOT_CONNECTED)).isEqualTo(1);

        Recorder again = new Recorder();
        net.start(R0, again);
        again.await(R1, true);
        at1.await(R0, true);
        assertThat(replica1.send(R0, Lane.BULK, Bytes.utf8("arrives"))).isTrue();
        assertThat(again.takeFrame().content()).isEqualTo(Bytes.utf8("arrives"));
    }

    @Test
    void aReplicaIsFoundThatStartsAfterThoseThatDialIt() throws Exception {
        try (ServerSocket reserved = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            net.addresses.put(R0, new InetSocketAddress(reserved.getInetAddress(), reserved.getLocalPort()));
        }
        Transport replica1 = net.start(R1, at1);
        net.start(R0, at0);
        at1.await(R0, true);
        at0.await(R1, true);
        assertThat(replica1.isUp(R0)).isTrue();
    }

    @Test
    void hostNamesAreResolved() throws Exception {
        net.start(R0, at0);
        InetSocketAddress numeric = net.addresses.get(R0);
        net.addresses.put(R0, InetSocketAddress.createUnresolved("localhost", numeric.getPort()));
        net.start(C0, at1);
        at1.await(R0, true);
    }

    @Test
    void moreEventLoopsThanOneServeTheSame() throws Exception {
        net.start(R0, at0, config -> config.withThreads(2));
        Transport replica1 = net.start(R1, at1, config -> config.withThreads(3));
        at1.awaitUp(R0);
        for (int i = 0; i < 1_000; i++) {
            assertThat(replica1.send(R0, Lane.BULK, Bytes.utf8("frame " + i))).isTrue();
        }
        for (int i = 0; i < 1_000; i++) {
            assertThat(at0.takeFrame().content()).isEqualTo(Bytes.utf8("frame " + i));
        }
    }

    @Test
    void aHandlerThatPausesGetsOneFrameAtATime() throws Exception {
        Recorder pausing = new Recorder() {
            @Override
            public void onFrame(Inbound from, Bytes frame) {
                from.pauseReading();
                super.onFrame(from, frame);
            }
        };
        net.start(R0, pausing);
        Transport replica1 = net.start(R1, at1);
        at1.awaitUp(R0);
        for (int i = 0; i < 200; i++) {
            assertThat(replica1.send(R0, Lane.BULK, Bytes.utf8("frame " + i))).isTrue();
        }
        for (int i = 0; i < 200; i++) {
            assertThat(pausing.takeFrame().content()).isEqualTo(Bytes.utf8("frame " + i));
            assertThat(pausing.frames).as("paused after frame %d", i).isEmpty();
            pausing.lastInbound.get().resumeReading();
        }
    }

    @Test
    void aReplyLargerThanTheClientsQueueArrives() throws Exception {
        Transport replica0 = net.start(R0, at0);
        net.start(C0, at1);
        at1.await(R0, true);
        Bytes large = patterned(TransportConfig.Queue.CLIENT_DEFAULT.bytesMax() + 1);
        assertThat(replica0.send(C0, Lane.BULK, large)).isTrue();
        assertThat(at1.takeFrame().content()).isEqualTo(large);
    }

    @Test
    void aHandlerThatThrowsLosesTheConnectionAndNothingElse() throws Exception {
        Recorder failing = new Recorder() {
            @Override
            public void onFrame(Inbound from, Bytes frame) {
                if (frame.equals(Bytes.utf8("poison"))) {
                    throw new IllegalStateException("a planted failure: the log is to show it");
                }
                super.onFrame(from, frame);
            }
        };
        Transport replica0 = net.start(R0, failing);
        Transport replica1 = net.start(R1, at1);
        at1.await(R0, true);
        assertThat(replica1.send(R0, Lane.BULK, Bytes.utf8("poison"))).isTrue();
        at1.await(R0, false);
        assertThat(replica0.stats().count(Incident.CLOSED_HANDLER_FAILED)).isEqualTo(1);
        at1.await(R0, true);
        assertThat(replica1.send(R0, Lane.BULK, Bytes.utf8("food"))).isTrue();
        assertThat(failing.takeFrame().content()).isEqualTo(Bytes.utf8("food"));
    }

    @Test
    void sendRefusesWhatCannotBeAFrame() {
        Transport replica0 = net.start(R0, at0);
        assertThatThrownBy(() -> replica0.send(R1, Lane.BULK, Bytes.EMPTY))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not 0");
        Bytes large = Bytes.wrap(new byte[Limits.FRAME_BYTES_MAX + 1]);
        assertThatThrownBy(() -> replica0.send(C0, Lane.BULK, large))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("client-0");
        assertThat(replica0.send(R2, Lane.BULK, Bytes.utf8("nobody there"))).isFalse();
        Transport client = net.start(C0, at1);
        Bytes tooLargeForAClient = large.slice(0, TransportConfig.CLIENT_FRAME_BYTES_MAX + 1);
        assertThatThrownBy(() -> client.send(R0, Lane.BULK, tooLargeForAClient))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("replica-0");
    }

    @Test
    void aPortInUseIsNamed() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            net.addresses.put(R0, new InetSocketAddress("127.0.0.1", taken.getLocalPort()));
            Transport transport = new Transport(net.config(R0), at0);
            assertThatThrownBy(transport::start)
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("replica-0 cannot listen on 127.0.0.1:" + taken.getLocalPort())
                    .hasMessageContaining("in use")
                    .hasMessageContaining("another port");
        }
    }

    @Test
    void anAddressThatIsNotThisMachinesIsNamed() {
        net.addresses.put(R0, InetSocketAddress.createUnresolved("no-such-host.invalid", 7000));
        Transport unresolved = new Transport(net.config(R0), at0);
        assertThatThrownBy(unresolved::start)
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("no-such-host.invalid:7000")
                .hasMessageContaining("resolved");
        net.addresses.put(R0, new InetSocketAddress("192.0.2.1", 7000));
        Transport foreign = new Transport(net.config(R0), at0);
        assertThatThrownBy(foreign::start)
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("192.0.2.1:7000")
                .hasMessageContaining("one of this machine");
    }

    @Test
    void startsOnceAndClosesTwice() {
        Transport replica0 = net.start(R0, at0);
        assertThatThrownBy(replica0::start).isInstanceOf(IllegalStateException.class);
        replica0.close();
        replica0.close();
        assertThatThrownBy(replica0::start).isInstanceOf(IllegalStateException.class);
        assertThat(replica0.send(R1, Lane.BULK, Bytes.utf8("late"))).isFalse();
        Transport client = net.start(C0, at1);
        assertThatThrownBy(client::listenAddress).hasMessageContaining("does not listen");
    }

    @Test
    void aConfigurationThatContradictsItselfIsRefused() {
        TransportConfig good = net.config(R1);
        assertThat(good.toString()).doesNotContain(Net.seed(R1).toHex());
        assertThatThrownBy(() -> TransportConfig.client(R1, Net.seed(R2), net.addresses, net.keys))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("registered for replica-1");
        net.keys.put(R2, net.keys.get(R1));
        assertThatThrownBy(() -> TransportConfig.client(R1, Net.seed(R1), net.addresses, net.keys))
                .hasMessageContaining("replica-1 and replica-2 share one");
        net.keys.remove(R2);
        net.addresses.put(R2, new InetSocketAddress("127.0.0.1", 1));
        assertThatThrownBy(() -> TransportConfig.client(R1, Net.seed(R1), net.addresses, net.keys))
                .hasMessageContaining("a key for replica-2");
        net.addresses.remove(R2);
        net.addresses.put(C0, new InetSocketAddress("127.0.0.1", 1));
        assertThatThrownBy(() -> TransportConfig.client(R1, Net.seed(R1), net.addresses, net.keys))
                .hasMessageContaining("not of client-0");
        assertThatThrownBy(() -> new TransportConfig.Timing(1, 100, 150, 1, 1))
                .hasMessageContaining("timing.readIdleMillisMax");
        assertThat(new TransportConfig.Timing(1, 100, 200, 1, 1).pingMillis()).isEqualTo(100);
    }
}
