package io.pbft.benchmarks.compare;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.util.Map;

/**
 * What one service made of one cell in one round: a line of {@code raw.jsonl}.
 *
 * @param started ISO 8601, UTC
 * @param steady whether the throughput was steady before it was measured, after {@code warmUpSeconds}
 * @param servers how many server processes were measured
 * @param serverCpuSeconds of all of them together, in the measured time
 * @param serverResidentBytes of the one that has most, at the end
 * @param contextSwitches of all threads of the servers
 * @param writtenBytes that the servers gave to the disk
 * @param clientCpuSeconds of the client process
 * @param foreignShare of the machine's processors, busy with what is neither server nor client: a measurement was alone when this
 *     is small
 * @param errors failed operations, by kind
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record Outcome(
        int round,
        String service,
        Cell cell,
        String started,
        boolean steady,
        long warmUpSeconds,
        double seconds,
        long operations,
        double perSecond,
        double meanMillis,
        double p50Millis,
        double p90Millis,
        double p99Millis,
        double p999Millis,
        double maxMillis,
        int servers,
        double serverCpuSeconds,
        long serverResidentBytes,
        long contextSwitches,
        long writtenBytes,
        double clientCpuSeconds,
        double foreignShare,
        Map<String, Long> errors) {
    Outcome {
        errors = Map.copyOf(errors);
    }

    /** Microseconds of processor time that one operation costs one server. */
    double serverMicrosPerOperation() {
        return operations == 0 || servers == 0 ? 0 : 1e6 * serverCpuSeconds / servers / operations;
    }

    double clientMicrosPerOperation() {
        return operations == 0 ? 0 : 1e6 * clientCpuSeconds / operations;
    }
}
