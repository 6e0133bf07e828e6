package io.pbft.transport;

import java.util.Map;

/**
 * What a transport has done since it was made. Each number is exact, together they are not one instant's.
 *
 * @param connections authenticated connections that are open now
 * @param handshakes accepted connections that have not authenticated yet
 * @param framesIn frames handed to the handler; keep-alives are not counted here or below
 * @param bytesIn their bytes, without the length fields
 * @param framesOut frames handed to the network
 * @param bytesOut their bytes, without the length fields
 * @param incidents drops, refusals and closings by reason; reasons that never occurred are not in it
 */
public record TransportStats(
        int connections,
        int handshakes,
        long framesIn,
        long bytesIn,
        long framesOut,
        long bytesOut,
        Map<Incident, Long> incidents) {
    public TransportStats {
        incidents = Map.copyOf(incidents);
    }

    /** How often {@code incident} has occurred. */
    public long count(Incident incident) {
        return incidents.getOrDefault(incident, 0L);
    }
}
