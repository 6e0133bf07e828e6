package io.pbft.protocol;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.SignatureScheme;
import io.pbft.protocol.ClusterConfig.ClientInfo;
import io.pbft.protocol.ClusterConfig.ReplicaInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * A cluster for tests: every node's key comes from its name, so that all of it, signatures included, is the same in
 * every run. Speaks for any node.
 */
public final class TestCluster {
    private final SignatureScheme scheme;
    private final ClusterConfig config;

    public TestCluster(int replicas, int clients, ProtocolParameters parameters, SignatureScheme scheme) {
        this.scheme = scheme;
        List<ReplicaInfo> replicaInfos = new ArrayList<>();
        for (int i = 0; i < replicas; i++) {
            replicaInfos.add(new ReplicaInfo(i, "127.0.0.1", 7_000 + i, key(NodeId.replica(i))));
        }
        List<ClientInfo> clientInfos = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            clientInfos.add(new ClientInfo(i, key(NodeId.client(i))));
        }
        this.config = new ClusterConfig(Digest.of(Bytes.utf8("test cluster")), replicaInfos, clientInfos, parameters);
    }

    /** Two clients, checkpoints every 4, a window of 16, and cheap signatures. */
    public static TestCluster of(int replicas) {
        return new TestCluster(replicas, 2, parameters(4, 16), new CheapScheme());
    }

    /** The defaults, with another checkpoint interval and window. */
    public static ProtocolParameters parameters(int checkpointInterval, int window) {
        ProtocolParameters d = ProtocolParameters.DEFAULT;
        return new ProtocolParameters(
                checkpointInterval,
                window,
                Math.min(d.pipelineDepth(), window),
                d.batchOperationsMax(),
                d.batchBytesMax(),
                d.tickMillis(),
                d.requestTimeoutMillis(),
                d.disconnectedTimeoutMillis(),
                d.fairnessTimeoutMillis(),
                d.viewChangeTimeoutMillis(),
                d.viewChangeTimeoutMaxMillis(),
                d.statusIntervalMillis(),
                d.clockSkewMillis(),
                d.sessionWindow(),
                d.sessionsPerClient(),
                d.resultBytesMax());
    }

    /** The seed of a node's key. */
    public static Bytes privateKey(NodeId node) {
        return Digest.of(Bytes.utf8("private key of " + node)).toBytes();
    }

    private PublicKey key(NodeId node) {
        return scheme.signer(privateKey(node)).publicKey();
    }

    public ClusterConfig config() {
        return config;
    }

    public Quorum quorum() {
        return config.quorum();
    }

    public SignatureScheme scheme() {
        return scheme;
    }

    public Sealer sealer(NodeId node) {
        return new Sealer(config.clusterId(), node, scheme.signer(privateKey(node)));
    }

    /** A verifier that remembers nothing. */
    public Verifier verifier() {
        return new Verifier(config, scheme, 0);
    }

    /** Signs as whoever the statement says it is by. */
    public <S extends Statement> Signed<S> sign(S statement) {
        return sealer(statement.signer()).seal(statement).message();
    }

    public Signed<Request> request(int client, long first, Bytes... operations) {
        return sign(new Request(client, 1L << 20, 1, first, -1, List.of(operations)));
    }

    public Proposal proposal(long view, long seq, Batch batch) {
        int primary = quorum().primary(view);
        return sealer(NodeId.replica(primary))
                .propose(new PrePrepare(view, seq, batch.digest(), primary), batch)
                .message();
    }

    /** Of the primary of {@code view} and the first backups. */
    public PreparedCertificate prepared(long view, long seq, Digest digest) {
        int primary = quorum().primary(view);
        List<Signed<Prepare>> prepares = new ArrayList<>();
        for (int i = 0; prepares.size() < quorum().prepares(); i++) {
            if (i != primary) {
                prepares.add(sign(new Prepare(view, seq, digest, i)));
            }
        }
        return new PreparedCertificate(sign(new PrePrepare(view, seq, digest, primary)), prepares);
    }

    public CommitCertificate committed(long view, long seq, Digest digest) {
        List<Signed<Commit>> commits = new ArrayList<>();
        for (int i = 0; i < quorum().quorum(); i++) {
            commits.add(sign(new Commit(view, seq, digest, i)));
        }
        return new CommitCertificate(view, seq, digest, commits);
    }

    /** {@link CheckpointCertificate#GENESIS} at 0. */
    public CheckpointCertificate stable(long seq, Digest state) {
        if (seq == 0) {
            return CheckpointCertificate.GENESIS;
        }
        List<Signed<Checkpoint>> proof = new ArrayList<>();
        for (int i = 0; i < quorum().quorum(); i++) {
            proof.add(sign(new Checkpoint(seq, state, i)));
        }
        return new CheckpointCertificate(seq, state, proof);
    }

    /**
     * Of the first replicas, all with the same content, and a null request for each sequence number of {@code seqs}.
     */
    public Signed<NewView> newView(
            long view, CheckpointCertificate stable, List<PreparedCertificate> prepared, List<Long> seqs) {
        int primary = quorum().primary(view);
        List<Signed<ViewChange>> changes = new ArrayList<>();
        for (int i = 0; i < quorum().quorum(); i++) {
            changes.add(sign(new ViewChange(view, stable, prepared, i)));
        }
        List<PrePrepare> proposals = new ArrayList<>();
        for (long seq : seqs) {
            proposals.add(new PrePrepare(view, seq, Batch.NULL.digest(), primary));
        }
        return sealer(NodeId.replica(primary))
                .newView(view, changes, proposals, primary)
                .message();
    }
}
