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
            assertThat(admission.admit(NodeId.replica(1), 10)).isTrue();
        }
        assertThat(admission.admit(NodeId.replica(1), 10)).isFalse();
        assertThat(admission.admit(NodeId.replica(2), 10)).isTrue();
        assertThat(admission.admit(NodeId.client(1), 10)).isTrue();
        admission.release(NodeId.replica(1), 10);
        assertThat(admission.admit(NodeId.replica(1), 10)).isTrue();
        assertThat(admission.messages()).isEqualTo(Admission.REPLICA_MESSAGES_MAX + 2);
    }

    @Test
    void bytesCountToo() {
        int half = (int) (Admission.REPLICA_BYTES_MAX / 2);
        assertThat(admission.admit(NodeId.replica(1), half)).isTrue();
        assertThat(admission.admit(NodeId.replica(1), half)).isTrue();
        assertThat(admission.admit(NodeId.replica(1), 1)).isFalse();
    }

    @Test
    void theLargestFrameIsAdmittedWhenNothingElseIsHere() {
        assertThat(admission.admit(NodeId.replica(1), Limits.FRAME_BYTES_MAX)).isTrue();
        assertThat(admission.admit(NodeId.replica(1), 1)).isFalse();
        admission.release(NodeId.replica(1), Limits.FRAME_BYTES_MAX);
        assertThat(admission.admit(NodeId.replica(1), 1)).isTrue();
    }

    @Test
    void allClientsTogetherAreBoundedWhileReplicasAreNotTouched() {
        int share = (int) Admission.CLIENT_BYTES_MAX;
        int clients = (int) (Admission.CLIENTS_BYTES_MAX / share);
        for (int i = 0; i < clients; i++) {
            assertThat(admission.admit(NodeId.client(i), share)).isTrue();
        }
        assertThat(admission.admit(NodeId.client(clients), 1)).isFalse();
        assertThat(admission.admit(NodeId.replica(0), share)).isTrue();
        admission.release(NodeId.client(3), share);
        assertThat(admission.admit(NodeId.client(clients), 1)).isTrue();
    }

    @Test
    void releasingWhatWasNotAdmittedIsAnErrorOfOurs() {
        assertThatThrownBy(() -> admission.release(NodeId.client(0), 1)).isInstanceOf(IllegalStateException.class);
    }
}
