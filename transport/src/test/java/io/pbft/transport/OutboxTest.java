package io.pbft.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboxTest {
    private final Outbox outbox = new Outbox(new TransportConfig.Queue(10, 3), SharedRoom.unlimited());

    @Test
    void priorityOvertakesBulkAndEachLaneKeepsItsOrder() {
        outbox.offer(Lane.BULK, Bytes.utf8("b1"));
        outbox.offer(Lane.PRIORITY, Bytes.utf8("p1"));
        outbox.offer(Lane.BULK, Bytes.utf8("b2"));
        outbox.offer(Lane.PRIORITY, Bytes.utf8("p2"));
        assertThat(drained()).isEqualTo("p1 p2 b1 b2 ");
        assertThat(outbox.isEmpty()).isTrue();
    }

    @Test
    void aFullLaneDropsItsOldestByNumber() {
        for (Lane lane : Lane.values()) {
            assertThat(outbox.offer(lane, Bytes.utf8("1"))).isZero();
            assertThat(outbox.offer(lane, Bytes.utf8("2"))).isZero();
            assertThat(outbox.offer(lane, Bytes.utf8("3"))).isZero();
            assertThat(outbox.offer(lane, Bytes.utf8("4"))).isEqualTo(1);
            assertThat(drained()).isEqualTo("2 3 4 ");
        }
    }

    @Test
    void aFullLaneDropsItsOldestByBytes() {
        for (Lane lane : Lane.values()) {
            assertThat(outbox.offer(lane, Bytes.utf8("aaaa"))).isZero();
            assertThat(outbox.offer(lane, Bytes.utf8("bbbb"))).isZero();
            assertThat(outbox.offer(lane, Bytes.utf8("cc"))).isZero();
            assertThat(outbox.offer(lane, Bytes.utf8("ddddd"))).isEqualTo(2);
            assertThat(outbox.offer(lane, Bytes.utf8("0123456789"))).isEqualTo(2);
            assertThat(drained()).isEqualTo("0123456789 ");
            assertThat(outbox.offer(lane, Bytes.utf8("0123456789")))
                    .as("room again")
                    .isZero();
            assertThat(drained()).isEqualTo("0123456789 ");
        }
    }

    @Test
    void aFrameLargerThanTheLaneHasItToItself() {
        for (Lane lane : Lane.values()) {
            outbox.offer(lane, Bytes.utf8("1"));
            assertThat(outbox.offer(lane, Bytes.utf8("0123456789+"))).isEqualTo(1);
            assertThat(outbox.offer(lane, Bytes.utf8("2"))).isEqualTo(1);
            assertThat(drained()).isEqualTo("2 ");
        }
    }

    @Test
    void howeverManyDoNotReadWhoReadsIsServed() {
        int kilobyte = 1_000;
        Bytes frame = Bytes.utf8("x".repeat(kilobyte));
        SharedRoom room = new SharedRoom(100L * kilobyte);
        List<Outbox> unread = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Outbox outbox = new Outbox(new TransportConfig.Queue(100 * kilobyte, 1_000), room);
            for (int j = 0; j < 100; j++) {
                outbox.offer(Lane.BULK, frame);
            }
            unread.add(outbox);
        }
        assertThat(room.used()).as("however many they are").isEqualTo(100L * kilobyte);

        Outbox read = new Outbox(new TransportConfig.Queue(100 * kilobyte, 1_000), room);
        for (int i = 0; i < 200; i++) {
            read.offer(Lane.BULK, frame);
            assertThat(read.poll(kilobyte)).isEqualTo(frame);
        }
        assertThat(room.used()).isEqualTo(99L * kilobyte);
        assertThat(unread).allSatisfy(outbox -> assertThat(outbox.bulkBytes()).isPositive());

        unread.forEach(Outbox::close);
        assertThat(room.used()).as("what is closed takes no room").isZero();
    }

    @Test
    void aFrameLargerThanTheSharedRoomHasItToItself() {
        SharedRoom room = new SharedRoom(10);
        Outbox one = new Outbox(new TransportConfig.Queue(1_000, 10), room);
        Outbox other = new Outbox(new TransportConfig.Queue(1_000, 10), room);
        one.offer(Lane.BULK, Bytes.utf8("1"));
        assertThat(other.offer(Lane.BULK, Bytes.utf8("0123456789+"))).isEqualTo(1);
        assertThat(one.isEmpty()).isTrue();
        assertThat(other.poll(100)).isEqualTo(Bytes.utf8("0123456789+"));
    }

    @Test
    void oneLaneDoesNotPushOutTheOther() {
        outbox.offer(Lane.PRIORITY, Bytes.utf8("view-chang"));
        for (int i = 0; i < 100; i++) {
            outbox.offer(Lane.BULK, Bytes.utf8("bulk"));
        }
        assertThat(drained()).isEqualTo("view-chang bulk bulk ");
    }

    @Test
    void pollLeavesWhatIsTooLarge() {
        outbox.offer(Lane.BULK, Bytes.utf8("large"));
        assertThat(outbox.poll(4)).isNull();
        assertThat(outbox.poll(5)).isEqualTo(Bytes.utf8("large"));
        assertThat(outbox.poll(5)).isNull();
    }

    @Test
    void aClosedOutboxTakesNothing() {
        outbox.offer(Lane.BULK, Bytes.utf8("1"));
        outbox.offer(Lane.PRIORITY, Bytes.utf8("2"));
        assertThat(outbox.close()).isEqualTo(2);
        assertThat(outbox.offer(Lane.BULK, Bytes.utf8("3"))).isEqualTo(-1);
        assertThat(outbox.poll(100)).isNull();
        assertThat(outbox.close()).isZero();
    }

    private String drained() {
        StringBuilder text = new StringBuilder();
        for (Bytes frame = outbox.poll(100); frame != null; frame = outbox.poll(100)) {
            text.append(frame.toUtf8()).append(' ');
        }
        return text.toString();
    }
}
