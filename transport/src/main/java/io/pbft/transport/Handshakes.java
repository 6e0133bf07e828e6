package io.pbft.transport;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Counts accepted connections that have not authenticated yet, together and by remote address: all that a stranger can
 * hold here is one of these places, until the handshake's time is up. Thread-safe.
 */
final class Handshakes {
    private final TransportConfig.Admission admission;
    private final Object lock = new Object();

    @GuardedBy("lock")
    private final Map<InetAddress, Integer> byAddress = new HashMap<>();

    @GuardedBy("lock")
    private int total;

    Handshakes(TransportConfig.Admission admission) {
        this.admission = admission;
    }

    /** Takes a place; or says why there is none. */
    @Nullable
    Incident enter(InetAddress address) {
        synchronized (lock) {
            int present = byAddress.getOrDefault(address, 0);
            if (total >= admission.handshakesMax()) {
                return Incident.REFUSED_HANDSHAKES_FULL;
            }
            if (present >= admission.handshakesPerAddressMax()) {
                return Incident.REFUSED_ADDRESS_FULL;
            }
            total++;
            byAddress.put(address, present + 1);
            return null;
        }
    }

    /** Gives a place back: once for each that was taken. */
    void leave(InetAddress address) {
        synchronized (lock) {
            total--;
            byAddress.computeIfPresent(address, (key, present) -> present == 1 ? null : present - 1);
        }
    }

    int size() {
        synchronized (lock) {
            return total;
        }
    }
}
