package io.pbft.transport;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** The counters behind {@link TransportStats}. Thread-safe. */
final class Counters {
    private final Map<Incident, LongAdder> incidents = new EnumMap<>(Incident.class);
    private final LongAdder framesIn = new LongAdder();
    private final LongAdder bytesIn = new LongAdder();
    private final LongAdder framesOut = new LongAdder();
    private final LongAdder bytesOut = new LongAdder();

    Counters() {
        // Filled once, so that the map itself is only ever read and needs no lock.
        for (Incident incident : Incident.values()) {
            incidents.put(incident, new LongAdder());
        }
    }

    void count(Incident incident) {
        count(incident, 1);
    }

    void count(Incident incident, long times) {
        LongAdder adder = incidents.get(incident);
        if (adder != null) {
            adder.add(times);
        }
    }

    void frameIn(int bytes) {
        framesIn.increment();
        bytesIn.add(bytes);
    }

    void frameOut(int bytes) {
        framesOut.increment();
        bytesOut.add(bytes);
    }

    TransportStats snapshot(int connections, int handshakes) {
        Map<Incident, Long> counts = new EnumMap<>(Incident.class);
        incidents.forEach((incident, adder) -> {
            if (adder.sum() != 0) {
                counts.put(incident, adder.sum());
            }
        });
        return new TransportStats(
                connections, handshakes, framesIn.sum(), bytesIn.sum(), framesOut.sum(), bytesOut.sum(), counts);
    }
}
