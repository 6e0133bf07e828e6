package io.pbft.replica.core;

import io.pbft.crypto.Digest;
import java.util.Map;

/** The protocol of one replica: a function of its inputs. NOT thread-safe. */
public final class Replica implements Core {
    private final Config config;
    private final Recovered recovered;

    public Replica(Config config, Recovered recovered) {
        this.config = config;
        this.recovered = recovered;
    }

    @Override
    public void step(Input input, Effects out) {
        throw new UnsupportedOperationException("the core of replica " + config.self() + " follows shortly: " + input);
    }

    @Override
    public ReplicaReport report() {
        return new ReplicaReport(
                config.self(),
                ReplicaReport.Status.NORMAL,
                0,
                config.self() == 0,
                0,
                0,
                Digest.ZERO,
                0,
                0,
                0,
                0,
                Map.of("recovered", recovered.stateSeq()));
    }
}
