package io.pbft.transport;

import static io.pbft.transport.Net.R0;
import static io.pbft.transport.Net.R1;
import static io.pbft.transport.Net.R2;
import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a peer that reads slowly does to itself, and does not do to others. */
class LanesTest {
    private static final int CHUNK_BYTES = 64 << 10;

    private final Net net = new Net();

    @AfterEach
    void closeAll() {
        net.close();
    }

    /** Stops reading at its first frame. */
    private static final class Stalling extends Recorder {
        private boolean stalled;

        @Override
        public void onFrame(Inbound from, Bytes frame) {
            if (!stalled) {
                stalled = true;
                from.pauseReading();
            }
            super.onFrame(from, frame);
        }
    }

    private static Bytes chunk(int number) {
        byte[] bytes = new byte[CHUNK_BYTES];
        bytes[0] = (byte) (number >> 8);
        bytes[1] = (byte) number;
        return Bytes.wrap(bytes);
    }

    private static int number(Bytes chunk) {
        return (chunk.get(0) & 0xff) << 8 | (chunk.get(1) & 0xff);
    }

    @Test
    void aPriorityFrameOvertakesTheBulkThatWaits() throws Exception {
        Stalling receiver = new Stalling();
        Recorder sending = new Recorder();
        net.start(R0, receiver);
        Transport sender = net.start(R1, sending);
        sending.await(R0, true);
        int chunks = 768; // 48 MB: far more than the sockets between the two can hold.
        assertThat(sender.send(R0, Lane.BULK, chunk(0))).isTrue();
        assertThat(number(receiver.takeFrame().content())).isZero();
        for (int i = 1; i < chunks; i++) {
            assertThat(sender.send(R0, Lane.BULK, chunk(i))).isTrue();
        }
        assertThat(sender.send(R0, Lane.PRIORITY, Bytes.utf8("view change"))).isTrue();
        receiver.lastInbound.get().resumeReading();
        int expected = 1;
        int before = -1;
        for (int i = 1; i <= chunks; i++) {
            Bytes content = receiver.takeFrame().content();
            if (content.size() == CHUNK_BYTES) {
                assertThat(number(content)).isEqualTo(expected++);
            } else {
                before = expected;
            }
        }
        assertThat(before).as("bulk frames before the priority frame").isBetween(1, chunks - 1);
        assertThat(sender.stats().count(Incident.DROPPED_BULK_FULL)).isZero();
    }

    @Test
    void aSlowPeerLosesItsOldestBulkFramesAndDelaysNobody() throws Exception {
        Stalling slow = new Stalling();
        Recorder quick = new Recorder();
        Recorder sending = new Recorder();
        net.start(R0, slow);
        net.start(R1, quick);
        TransportConfig.Queue small = new TransportConfig.Queue(16 * CHUNK_BYTES, 1_000);
        Transport sender = net.start(R2, sending, config -> config.withQueues(small, small));
        sending.awaitUp(R0, R1);
        assertThat(sender.send(R0, Lane.BULK, chunk(0))).isTrue();
        slow.takeFrame();
        int chunks = 1_600; // 100 MB to a peer that reads nothing, through a queue of 1 MB.
        for (int i = 1; i <= chunks; i++) {
            assertThat(sender.send(R0, Lane.BULK, chunk(i))).isTrue();
            assertThat(sender.send(R1, Lane.BULK, Bytes.utf8("to the quick " + i)))
                    .isTrue();
            assertThat(quick.takeFrame().content()).isEqualTo(Bytes.utf8("to the quick " + i));
        }
        long dropped = sender.stats().count(Incident.DROPPED_BULK_FULL);
        assertThat(dropped).isPositive();
        slow.lastInbound.get().resumeReading();
        int last = 0;
        int received = 0;
        while (last < chunks) {
            int number = number(slow.takeFrame().content());
            assertThat(number).as("in order").isGreaterThan(last);
            last = number;
            received++;
        }
        assertThat(received + sender.stats().count(Incident.DROPPED_BULK_FULL)).isEqualTo(chunks);
    }

    @Test
    void framesThatWaitWhenTheConnectionEndsAreCounted() throws Exception {
        Stalling receiver = new Stalling();
        Recorder sending = new Recorder();
        Transport receiving = net.start(R0, receiver);
        Transport sender = net.start(R1, sending);
        sending.await(R0, true);
        for (int i = 0; i < 768; i++) {
            assertThat(sender.send(R0, Lane.BULK, chunk(i))).isTrue();
        }
        receiver.takeFrame();
        receiving.close();
        sending.await(R0, false);
        assertThat(sender.stats().count(Incident.DROPPED_CONNECTION_CLOSED)).isPositive();
    }
}
