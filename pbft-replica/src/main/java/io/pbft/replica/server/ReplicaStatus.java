package io.pbft.replica.server;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.pbft.replica.TransferReport;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a replica tells whoever may ask it on its own machine: {@code GET /status} of {@link AdminEndpoint}. Nothing in it is
 * secret.
 *
 * @param role "primary" or "backup", as of its view
 * @param state "NORMAL", "VIEW_CHANGE", "REJOINING", or "HALTED"
 * @param stateRoot hexadecimal
 * @param logSlots sequence numbers of the window about which it holds something
 * @param queued requests that wait
 * @param connectedReplicas other replicas that it has a connection to now
 * @param ignored messages that were valid and changed nothing, by reason
 * @param refused messages that were not believed or found no room, by sender and reason
 * @param events how often the core noted what
 * @param disk what looking through the disk has found
 * @param transfer the state transfer under way, or null
 * @param halted why it halted, or null
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record ReplicaStatus(
        int id,
        long pid,
        String role,
        String state,
        long view,
        long lastExecuted,
        long stableCheckpoint,
        String stateRoot,
        long executedOperations,
        int logSlots,
        int queued,
        long viewChanges,
        List<Integer> connectedReplicas,
        long uptimeMillis,
        Map<String, Long> ignored,
        Map<String, Map<String, Long>> refused,
        Map<String, Long> events,
        DiskStatus disk,
        @Nullable TransferReport transfer,
        @Nullable String halted) {
    public ReplicaStatus {
        connectedReplicas = List.copyOf(connectedReplicas);
    }
}
