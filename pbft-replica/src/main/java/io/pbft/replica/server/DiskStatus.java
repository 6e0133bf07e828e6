package io.pbft.replica.server;

import java.util.List;

/**
 * What looking through the disk, since the replica started, has found.
 *
 * @param scrubs how often everything was looked at
 * @param damaged records of the state that were found damaged
 * @param repaired those of them that were put back
 * @param journal what is wrong with the journal, a sentence each, as of the last look
 */
public record DiskStatus(long scrubs, long damaged, long repaired, List<String> journal) {
    public DiskStatus {
        journal = List.copyOf(journal);
    }
}
