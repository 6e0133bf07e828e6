package io.pbft.replica;

import java.util.List;

/**
 * How far a state transfer is: a value for observers.
 *
 * @param seq the checkpoint whose state is fetched
 * @param phase "FETCHING", or "INSTALLING" once all is here
 * @param bytesReceived of the state tree's nodes
 * @param bytesExpected what will have been received in the end: an estimate, which grows while little is known
 * @param entriesMissing entries of the state below nodes that are not here yet
 * @param entries of the whole state; 0 while that is not known
 * @param sources the other replicas, in order
 */
public record TransferReport(
        long seq,
        String phase,
        long bytesReceived,
        long bytesExpected,
        long entriesMissing,
        long entries,
        List<Source> sources) {
    /**
     * One that is asked, or is not asked.
     *
     * @param state "ASKED"; "SLOW" or "LACKS_IT": asked again after a while; "BANNED": it sent what was not certified
     * @param bytesReceived from it, in this transfer
     */
    public record Source(int replica, String state, long bytesReceived) {}

    public TransferReport {
        sources = List.copyOf(sources);
    }
}
