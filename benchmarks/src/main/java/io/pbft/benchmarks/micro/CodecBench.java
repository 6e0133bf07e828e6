package io.pbft.benchmarks.micro;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Message;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The wire: a vote, and a proposal of 100 operations of 100 bytes, in one request or in a request each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class CodecBench {
    private static final int OPERATIONS = 100;

    @Param({"1", "100"})
    int requests;

    private Message prepare;
    private Proposal proposal;
    private byte[] prepareFrame;
    private byte[] proposalFrame;

    @Setup
    public void setUp() {
        Cluster cluster = new Cluster(true);
        List<Signed<io.pbft.protocol.Request>> signed = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            signed.add(cluster.request(1 + (long) i * OPERATIONS, OPERATIONS / requests)
                    .message());
        }
        Batch batch = new Batch(Cluster.TIME_MILLIS, signed);
        proposal = cluster.proposal(1, batch).message();
        prepare = cluster.prepare(1, batch.digest(), 1).message();
        prepareFrame = Codec.encode(prepare);
        proposalFrame = Codec.encode(proposal);
    }

    @Benchmark
    public byte[] encodeVote() {
        return Codec.encode(prepare);
    }

    @Benchmark
    public Message decodeVote() {
        return Codec.decode(prepareFrame);
    }

    @Benchmark
    public byte[] encodeProposal() {
        return Codec.encode(proposal);
    }

    @Benchmark
    public Message decodeProposal() {
        return Codec.decode(proposalFrame);
    }

    /** A batch keeps its digest, so each time it is another one. */
    @Benchmark
    public Digest batchDigest() {
        return new Batch(Cluster.TIME_MILLIS, proposal.batch().requests()).digest();
    }
}
