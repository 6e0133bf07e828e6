package io.pbft.replica.core;

import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Quorum;

/** Which replica this is, of how many, with which parameters, and how many clients are registered. */
public record Config(int self, Quorum quorum, int clients, ProtocolParameters parameters) {
    public Config {
        if (self < 0 || self >= quorum.replicas()) {
            throw new IllegalArgumentException("replica " + self + " of " + quorum.replicas());
        }
    }
}
