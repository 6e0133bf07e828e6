package io.pbft.benchmarks.micro;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Verified;
import io.pbft.replica.core.Config;
import io.pbft.replica.core.Effect;
import io.pbft.replica.core.Effects;
import io.pbft.replica.core.Input;
import io.pbft.replica.core.Promise;
import io.pbft.replica.core.Recovered;
import io.pbft.replica.core.Replica;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The core of a backup alone: one sequence number from the proposal to the replies, and a checkpoint where one is due.
 * Promises are kept at once and signatures are constants, so what remains is the protocol, and the making and hashing of its
 * messages. One sequence number takes {@value #INPUTS} inputs: the proposal, three PREPAREs and four COMMITs with its own, the
 * execution.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class CoreBench {
    static final int INPUTS = 9;

    private static final int SELF = 1;

    @Param({"1", "100"})
    int operations;

    private final Deque<Input> inputs = new ArrayDeque<>();
    private final Effects effects = new Effects();
    private Cluster cluster;
    private Replica core;
    private long seq;
    private long number;
    private long executed;

    @Setup
    public void setUp() {
        cluster = new Cluster(false);
        ClusterConfig config = cluster.config();
        core = new Replica(
                new Config(SELF, config.quorum(), config.clients().size(), config.parameters()), Recovered.nothing());
        seq = 0;
        number = 1;
        inputs.clear();
        take(new Input.Tick(Cluster.TIME_MILLIS));
    }

    /** The last sequence number executed, so that a benchmark that came to a halt is noticed. */
    @Benchmark
    public long sequenceNumber() {
        Batch batch = cluster.batch(number, operations);
        number += operations;
        seq++;
        receive(cluster.proposal(seq, batch));
        for (int replica = 2; replica < Cluster.REPLICAS; replica++) {
            receive(cluster.prepare(seq, batch.digest(), replica));
        }
        for (int replica = 0; replica < Cluster.REPLICAS; replica++) {
            if (replica != SELF) {
                receive(cluster.commit(seq, batch.digest(), replica));
            }
        }
        if (executed != seq) {
            throw new IllegalStateException("executed up to " + executed + " of " + seq);
        }
        return executed;
    }

    private void receive(Verified<?> message) {
        take(new Input.Received(message));
    }

    private void take(Input first) {
        inputs.add(first);
        for (Input input = inputs.poll(); input != null; input = inputs.poll()) {
            core.step(input, effects);
            effects.drain().forEach(this::carryOut);
        }
    }

    private void carryOut(Effect effect) {
        if (effect instanceof Effect.Bind bind) {
            keep(bind.promise());
        } else if (effect instanceof Effect.Execute execute) {
            executed = execute.seq();
            Input.Result result = new Input.Result(Outcome.EXECUTED, Bytes.EMPTY);
            inputs.add(new Input.Executed(
                    execute.seq(), Collections.nCopies(execute.calls().size(), result)));
        } else if (effect instanceof Effect.TakeSnapshot snapshot) {
            inputs.add(new Input.SnapshotTaken(snapshot.seq(), Digest.ZERO));
        }
    }

    private void keep(Promise promise) {
        if (promise instanceof Promise.AgreeTo agree) {
            own(cluster.prepare(agree.prepare().seq(), agree.prepare().digest(), SELF));
        } else if (promise instanceof Promise.CommitTo commit) {
            own(cluster.commit(commit.commit().seq(), commit.commit().digest(), SELF));
        } else if (promise instanceof Promise.Vouch vouch) {
            for (int replica = 0; replica < Cluster.REPLICAS; replica++) {
                own(cluster.checkpoint(
                        vouch.checkpoint().seq(), vouch.checkpoint().state(), replica));
            }
        } else {
            throw new IllegalStateException("nothing here gives rise to a " + promise);
        }
    }

    private void own(Verified<?> message) {
        inputs.add(new Input.Received(message));
    }
}
