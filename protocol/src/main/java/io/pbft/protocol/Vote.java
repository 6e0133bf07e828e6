package io.pbft.protocol;

import io.pbft.crypto.Digest;

/**
 * What one replica says of one sequence number in one view: it names a digest, and never two for the same (type,
 * view, seq).
 */
public sealed interface Vote extends Statement permits PrePrepare, Prepare, Commit {
    long view();

    long seq();

    Digest digest();

    int replica();
}
