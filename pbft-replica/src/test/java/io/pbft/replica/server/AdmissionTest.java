package io.pbft.replica.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.protocol.Limits;
import io.pbft.protocol.NodeId;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private final Admission admission = new Admission();

    @Test
    void aSenderThatFloodsLosesItsOwnMessagesAndNobodyElses() {
        for (int i = 0; i < Admission.REPLICA_MESSAGES_MAX; i++) {
            assertThat(admission.admit(NodeId.replica(1), 10, new CountingFlow()))
                    .isTrue();
        }
        assertThat(admission.admit(NodeId.replica(1), 10, new CountingFlow())).isFalse();
        assertThat(admission.admit(NodeId.replica(2), 10, new CountingFlow())).isTrue();
        assertThat(admission.admit(NodeId.client(1), 10, new CountingFlow())).isTrue();
        admission.release(NodeId.replica(1), 10);
        assertThat(admission.admit(NodeId.replica(1), 10, new CountingFlow())).isTrue();
        assertThat(admission.messages()).isEqualTo(Admission.REPLICA_MESSAGES_MAX + 2);
    }

    @Test
    void bytesCountToo() {
        int half = (int) (Admission.REPLICA_BYTES_MAX / 2);
        assertThat(admission.admit(NodeId.replica(1), half, new CountingFlow())).isTrue();
        assertThat(admission.admit(NodeId.replica(1), half, new CountingFlow())).isTrue();
        assertThat(admission.admit(NodeId.replica(1), 1, new CountingFlow())).isFalse();
    }

    @Test
    void theLargestFrameIsAdmittedWhenNothingElseIsHere() {
        assertThat(admission.admit(NodeId.replica(1), Limits.FRAME_BYTES_MAX, new CountingFlow()))
                .isTrue();
        assertThat(admission.admit(NodeId.replica(1), 1, new CountingFlow())).isFalse();
        admission.release(NodeId.replica(1), Limits.FRAME_BYTES_MAX);
        assertThat(admission.admit(NodeId.replica(1), 1, new CountingFlow())).isTrue();
    }

    @Test
    void allClientsTogetherAreBoundedWhileReplicasAreNotTouched() {
        int share = (int) Admission.CLIENT_BYTES_MAX;
        int clients = (int) (Admission.CLIENTS_BYTES_MAX / share);
        for (int i = 0; i < clients; i++) {
            assertThat(admission.admit(NodeId.client(i), share, new CountingFlow()))
                    .isTrue();
        }
        assertThat(admission.admit(NodeId.client(clients), 1, new CountingFlow()))
                .isFalse();
        assertThat(admission.admit(NodeId.replica(0), share, new CountingFlow()))
                .isTrue();
        admission.release(NodeId.client(3), share);
        assertThat(admission.admit(NodeId.client(clients), 1, new CountingFlow()))
                .isTrue();
    }

    @Test
    void releasingWhatWasNotAdmittedIsAnErrorOfOurs() {
        assertThatThrownBy(() -> admission.release(NodeId.client(0), 1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aBusySenderIsNotReadFromUntilMostOfItsMessagesWereTaken() {
        CountingFlow busy = new CountingFlow();
        CountingFlow quiet = new CountingFlow();
        NodeId sender = NodeId.client(0);
        int half = Admission.CLIENT_MESSAGES_MAX / 2;
        for (int i = 0; i < half - 1; i++) {
            admission.admit(sender, 1, busy);
        }
        assertThat(busy.paused).isZero();
        admission.admit(sender, 1, busy);
        admission.admit(sender, 1, busy);
        admission.admit(NodeId.client(1), 1, quiet);
        assertThat(busy.paused).isEqualTo(1);
        assertThat(quiet.paused).isZero();

        for (int i = 0; i < half / 2; i++) {
            admission.release(sender, 1);
        }
        assertThat(busy.resumed).isZero();
        for (int i = 0; i < 2; i++) {
            admission.release(sender, 1);
        }
        assertThat(busy.resumed).isEqualTo(1);
    }

    @Test
    void whoeverIsPausedIsResumedAtTheLatestWhenNothingOfItsIsHere() {
        CountingFlow flow = new CountingFlow();
        admission.admit(NodeId.replica(1), Limits.FRAME_BYTES_MAX, flow);
        assertThat(flow.paused).isEqualTo(1);
        admission.release(NodeId.replica(1), Limits.FRAME_BYTES_MAX);
        assertThat(flow.resumed).isEqualTo(1);
    }
}
