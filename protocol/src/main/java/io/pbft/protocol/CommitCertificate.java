package io.pbft.protocol;

import io.pbft.crypto.Digest;
import java.util.List;

/**
 * Proof that a batch committed at {@code seq}: a quorum of COMMITs of different replicas for the same view, sequence
 * number and digest, in ascending order of their replica. Final, whatever the reader's own view.
 */
public record CommitCertificate(long view, long seq, Digest digest, List<Signed<Commit>> commits) {
    public CommitCertificate {
        commits = List.copyOf(commits);
    }
}
