package io.pbft.transport;

import static io.pbft.transport.Net.C0;
import static io.pbft.transport.Net.R0;
import static io.pbft.transport.Net.R1;
import static io.pbft.transport.Net.R2;
import static io.pbft.transport.Net.R3;
import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Limits;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What those get who are not who they should be, or do not behave. */
class StrangersTest {
    private static final Bytes STRANGE_SEED =
            Digest.of(Bytes.utf8("a stranger's key")).toBytes();

    private final Net net = new Net();
    private final Recorder at0 = new Recorder();
    private final Recorder at1 = new Recorder();

    @AfterEach
    void closeAll() {
        net.close();
    }

    private InetSocketAddress address0() {
        return net.addresses.get(R0);
    }

    @Test
    void aStrangerWithAKeyOfItsOwnIsRefusedWhateverItsCertificateSays() throws Exception {
        Transport replica0 = net.start(R0, at0);
        try (RawPeer stranger = RawPeer.dial(address0(), R1, STRANGE_SEED)) {
            assertThat(stranger.readToEnd()).as("bytes inside TLS").isZero();
        }
        replica0.close();
        assertThat(replica0.stats().count(Incident.REFUSED_KEY)).isEqualTo(1);
        assertThat(at0.news).isEmpty();
        assertThat(at0.frames).isEmpty();
    }

    @Test
    void aStrangerWithoutACertificateIsRefused() throws Exception {
        Transport replica0 = net.start(R0, at0);
        SSLContext nameless = SSLContext.getInstance("TLSv1.3");
        nameless.init(null, new javax.net.ssl.TrustManager[] {RawPeer.trustingAll()}, null);
        try (RawPeer stranger = RawPeer.dial(address0(), nameless)) {
            assertThat(stranger.readToEnd()).isZero();
        }
        replica0.close();
        assertThat(replica0.stats().count(Incident.HANDSHAKE_FAILED)).isEqualTo(1);
        assertThat(at0.news).isEmpty();
    }

    @Test
    void aReplicaWhoseKeyIsNotRegisteredNeverComesUpAndKeepsTrying() throws Exception {
        Transport replica0 = net.start(R0, at0, config -> {
            net.keys.put(R1, Net.publicKey(STRANGE_SEED));
            TransportConfig changed = net.config(R0);
            net.keys.put(R1, Net.publicKey(Net.seed(R1)));
            return changed;
        });
        Transport replica1 = net.start(R1, at1);
        net.start(R2, new Recorder());
        // Replica 2 comes up at replica 0, and nobody else does.
        assertThat(at0.await(R2, true)).isEmpty();
        replica1.close();
        replica0.close();
        assertThat(replica0.stats().connections()).isZero();
        assertThat(at1.news).doesNotContain(new Recorder.PeerNews(R0, true));
    }

    @Test
    void aServerWithAnotherKeyThanTheDialledNodesIsRefused() throws Exception {
        // The certificate is that of a registered node, but not of the one that was dialled.
        SSLContext wrong = RawPeer.context(R3, Net.seed(R3));
        try (SSLServerSocket server = (SSLServerSocket)
                wrong.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            net.addresses.put(R0, new InetSocketAddress(server.getInetAddress(), server.getLocalPort()));
            Transport client = net.start(C0, at1);
            try (SSLSocket accepted = (SSLSocket) server.accept()) {
                accepted.setNeedClientAuth(true);
                accepted.setSoTimeout(1_000 * Recorder.PATIENCE_SECONDS);
                assertThat(RawPeer.readToEnd(accepted)).isZero();
            }
            client.close();
            assertThat(client.stats().count(Incident.REFUSED_KEY)).isPositive();
            assertThat(at1.news).isEmpty();
        }
    }

    @Test
    void aLesserNodeMayNotDial() throws Exception {
        Transport replica1 = net.start(R1, at1);
        try (RawPeer replica0 = RawPeer.dial(net.addresses.get(R1), R0, Net.seed(R0))) {
            assertThat(replica0.readToEnd()).isZero();
        }
        try (RawPeer itself = RawPeer.dial(net.addresses.get(R1), R1, Net.seed(R1))) {
            assertThat(itself.readToEnd()).isZero();
        }
        replica1.close();
        assertThat(replica1.stats().count(Incident.REFUSED_KEY)).isEqualTo(2);
        assertThat(at1.news).isEmpty();
    }

    @Test
    void aSessionThatIsResumedIsIdentifiedByItsKeyAsWell() throws Exception {
        net.start(R0, at0);
        SSLContext context = RawPeer.context(R1, Net.seed(R1));
        for (int i = 0; i < 3; i++) {
            try (RawPeer peer = RawPeer.dial(address0(), context)) {
                assertThat(peer.in.readInt()).isZero();
                peer.frame(new byte[] {(byte) i});
                assertThat(at0.takeFrame()).isEqualTo(new Recorder.Frame(R1, Bytes.wrap(new byte[] {(byte) i})));
                peer.kill();
                at0.await(R1, false);
            }
        }
    }

    @Test
    void whatIsNotTlsIsClosedAndGetsNoMoreThanAnAlert() throws Exception {
        Transport replica0 = net.start(R0, at0);
        for (String garbage :
                List.of("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\0\0\0\0\0\0\0\0\0\0", "\u0016\u0003\u0001\0\1x")) {
            try (Socket stranger =
                    new Socket(address0().getAddress(), address0().getPort())) {
                stranger.setSoTimeout(1_000 * Recorder.PATIENCE_SECONDS);
                stranger.getOutputStream().write(garbage.getBytes(StandardCharsets.ISO_8859_1));
                stranger.shutdownOutput();
                assertThat(RawPeer.readToEnd(stranger)).isLessThan(64);
            }
        }
        replica0.close();
        assertThat(replica0.stats().count(Incident.HANDSHAKE_FAILED)).isEqualTo(3);
        assertThat(at0.news).isEmpty();
    }

    @Test
    void aFrameThatAnnouncesTooMuchClosesTheConnectionBeforeAnythingIsAllocated() throws Exception {
        Transport replica0 = net.start(R0, at0);
        int[] ofReplica = {Limits.FRAME_BYTES_MAX + 1, Integer.MAX_VALUE, -1, Integer.MIN_VALUE};
        for (int size : ofReplica) {
            try (RawPeer peer = RawPeer.accepted(address0(), R1)) {
                peer.out.writeInt(size);
                peer.out.flush();
                peer.readToEnd();
                at0.await(R1, false);
            }
        }
        try (RawPeer peer = RawPeer.accepted(address0(), C0)) {
            peer.out.writeInt(TransportConfig.CLIENT_FRAME_BYTES_MAX + 1);
            peer.out.flush();
            peer.readToEnd();
            at0.await(C0, false);
        }
        assertThat(replica0.stats().count(Incident.CLOSED_BAD_FRAME)).isEqualTo(5);
        assertThat(at0.frames).isEmpty();
    }

    @Test
    void aFloodOfConnectionsThatNeverSpeakHoldsItsPlacesForTheTimeOfAHandshakeOnly() throws Exception {
        int places = 8;
        int flood = 64;
        Transport replica0 = net.start(
                R0,
                at0,
                config -> config.withAdmission(new TransportConfig.Admission(places, places, 4, 100))
                        .withTiming(new TransportConfig.Timing(3_000, 500, 30_000, 10, 100)));
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < flood; i++) {
                Socket socket = new Socket(address0().getAddress(), address0().getPort());
                socket.setSoTimeout(1_000 * Recorder.PATIENCE_SECONDS);
                sockets.add(socket);
            }
            for (Socket socket : sockets) {
                // The first ones end when their handshake's time is up, the others at once.
                RawPeer.readToEnd(socket);
            }
            TransportStats stats = replica0.stats();
            long timedOut = stats.count(Incident.HANDSHAKE_TIMEOUT);
            long refused = stats.count(Incident.REFUSED_HANDSHAKES_FULL) + stats.count(Incident.REFUSED_ADDRESS_FULL);
            assertThat(timedOut + refused).isEqualTo(flood);
            assertThat(timedOut).isGreaterThanOrEqualTo(places);
            assertThat(refused).isPositive();
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        net.start(R1, at1);
        at1.await(R0, true);
    }

    @Test
    void aDialledServerThatNeverAcceptsIsGivenUp() throws Exception {
        // Shakes hands as replica 0 and then says nothing: the first frame never comes.
        SSLContext mute = RawPeer.context(R0, Net.seed(R0));
        try (SSLServerSocket server = (SSLServerSocket)
                mute.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            net.addresses.put(R0, new InetSocketAddress(server.getInetAddress(), server.getLocalPort()));
            Transport client = net.start(
                    C0, at1, config -> config.withTiming(new TransportConfig.Timing(3_000, 100, 30_000, 10, 100)));
            try (SSLSocket accepted = (SSLSocket) server.accept()) {
                accepted.setSoTimeout(1_000 * Recorder.PATIENCE_SECONDS);
                RawPeer.readToEnd(accepted);
            }
            client.close();
            assertThat(client.stats().count(Incident.HANDSHAKE_TIMEOUT)).isPositive();
            assertThat(at1.news).isEmpty();
        }
    }

    @Test
    void aPeerThatFallsSilentIsClosed() throws Exception {
        Transport replica0 =
                net.start(R0, at0, config -> config.withTiming(new TransportConfig.Timing(10_000, 50, 300, 10, 100)));
        try (RawPeer silent = RawPeer.accepted(address0(), R1)) {
            at0.await(R1, true);
            silent.readToEnd();
            at0.await(R1, false);
        }
        assertThat(replica0.stats().count(Incident.CLOSED_READ_IDLE)).isEqualTo(1);
    }

    @Test
    void aPeerIsToldThatWeAreHereWhenThereIsNothingElseToSay() throws Exception {
        net.start(R0, at0, config -> config.withTiming(new TransportConfig.Timing(10_000, 50, 30_000, 10, 100)));
        try (RawPeer peer = RawPeer.accepted(address0(), R1)) {
            for (int i = 0; i < 3; i++) {
                assertThat(peer.in.readInt()).as("an empty frame").isZero();
            }
        }
    }

    @Test
    void aKilledPeerIsReportedDown() throws Exception {
        net.start(R0, at0);
        RawPeer peer = RawPeer.accepted(address0(), R1);
        at0.await(R1, true);
        peer.kill();
        at0.await(R1, false);
    }

    @Test
    void theNewestConnectionOfAReplicaReplacesTheOldOne() throws Exception {
        Transport replica0 = net.start(R0, at0);
        try (RawPeer old = RawPeer.accepted(address0(), R1);
                RawPeer young = RawPeer.accepted(address0(), R1)) {
            assertThat(at0.await(R1, true)).isEmpty();
            assertThat(at0.await(R1, true)).as("no news of a fall in between").isEmpty();
            old.readToEnd();
            assertThat(replica0.send(R1, Lane.BULK, Bytes.utf8("x"))).isTrue();
            assertThat(frameOf(young)).isEqualTo(Bytes.utf8("x"));
            assertThat(replica0.stats().connections()).isEqualTo(1);
            assertThat(replica0.stats().count(Incident.CLOSED_REPLACED)).isEqualTo(1);
            assertThat(at0.news).isEmpty();
        }
    }

    @Test
    void severalProcessesOfOneClientAllGetTheReplies() throws Exception {
        Transport replica0 = net.start(R0, at0);
        Recorder process1 = new Recorder();
        Recorder process2 = new Recorder();
        net.start(C0, process1);
        net.start(C0, process2);
        process1.await(R0, true);
        process2.await(R0, true);
        assertThat(replica0.send(C0, Lane.BULK, Bytes.utf8("reply"))).isTrue();
        assertThat(process1.takeFrame().content()).isEqualTo(Bytes.utf8("reply"));
        assertThat(process2.takeFrame().content()).isEqualTo(Bytes.utf8("reply"));
        assertThat(replica0.stats().connections()).isEqualTo(2);
    }

    @Test
    void oneConnectionTooManyOfAClientPushesOutTheOneThatWasSilentForLongest() throws Exception {
        Transport replica0 =
                net.start(R0, at0, config -> config.withAdmission(new TransportConfig.Admission(64, 64, 2, 100)));
        try (RawPeer first = RawPeer.accepted(address0(), C0);
                RawPeer second = RawPeer.accepted(address0(), C0)) {
            first.frame(new byte[] {1});
            assertThat(at0.takeFrame().from()).isEqualTo(C0);
            try (RawPeer third = RawPeer.accepted(address0(), C0)) {
                second.readToEnd();
                assertThat(replica0.send(C0, Lane.BULK, Bytes.utf8("x"))).isTrue();
                assertThat(frameOf(first)).isEqualTo(Bytes.utf8("x"));
                assertThat(frameOf(third)).isEqualTo(Bytes.utf8("x"));
                assertThat(replica0.stats().connections()).isEqualTo(2);
            }
        }
    }

    @Test
    void clientsAreTurnedAwayWhenThereAreTooManyAndReplicasAreNot() throws Exception {
        Transport replica0 =
                net.start(R0, at0, config -> config.withAdmission(new TransportConfig.Admission(64, 64, 2, 1)));
        try (RawPeer client = RawPeer.accepted(address0(), C0);
                RawPeer late = RawPeer.dial(address0(), Net.C1, Net.seed(Net.C1));
                RawPeer replica = RawPeer.accepted(address0(), R1)) {
            late.readToEnd();
            replica.frame(new byte[] {1});
            client.frame(new byte[] {2});
            assertThat(List.of(at0.takeFrame().from(), at0.takeFrame().from())).containsExactlyInAnyOrder(C0, R1);
            assertThat(replica0.stats().count(Incident.REFUSED_CONNECTIONS_FULL))
                    .isEqualTo(1);
        }
    }

    private static Bytes frameOf(RawPeer peer) throws IOException {
        int size = peer.in.readInt();
        while (size == 0) {
            size = peer.in.readInt();
        }
        byte[] content = new byte[size];
        peer.in.readFully(content);
        return Bytes.wrap(content);
    }
}
