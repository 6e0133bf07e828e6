package io.pbft.protocol;

import io.pbft.crypto.Digest;
import java.util.List;

/**
 * Proof that a batch prepared: the primary's PRE-PREPARE and {@link Quorum#prepares} matching PREPAREs of different
 * backups (TOCS'02, section 2.3.2). Prepares stand in ascending order of their replica.
 */
public record PreparedCertificate(Signed<PrePrepare> prePrepare, List<Signed<Prepare>> prepares) {
    public PreparedCertificate {
        prepares = List.copyOf(prepares);
    }

    public long view() {
        return prePrepare.statement().view();
    }

    public long seq() {
        return prePrepare.statement().seq();
    }

    public Digest digest() {
        return prePrepare.statement().digest();
    }
}
