package io.pbft.benchmarks.micro;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signature;
import io.pbft.crypto.Signer;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Commit;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verified;
import io.pbft.protocol.kv.KvOperation;
import java.util.ArrayList;
import java.util.List;

/** Four replicas and a client, with keys, who sign what benchmarks need. */
final class Cluster {
    static final int REPLICAS = 4;
    static final long TIME_MILLIS = 1_700_000_000_000L;
    static final long EPOCH = (TIME_MILLIS - 1_000) << 20;

    private final Ed25519 scheme = new Ed25519();
    private final List<Sealer> replicas = new ArrayList<>();
    private final Sealer client;
    private final ClusterConfig config;

    /** @param signs false: signatures are constants, for benchmarks of what does not look at them */
    Cluster(boolean signs) {
        Digest id = Digest.of(Bytes.utf8("benchmarks"));
        List<ClusterConfig.ReplicaInfo> infos = new ArrayList<>();
        for (int i = 0; i < REPLICAS; i++) {
            Signer signer = signer(i, signs);
            replicas.add(new Sealer(id, NodeId.replica(i), signer));
            infos.add(new ClusterConfig.ReplicaInfo(i, "127.0.0.1", 7_000 + i, signer.publicKey()));
        }
        Signer signer = signer(REPLICAS, signs);
        client = new Sealer(id, NodeId.client(0), signer);
        config = new ClusterConfig(
                id, infos, List.of(new ClusterConfig.ClientInfo(0, signer.publicKey())), ProtocolParameters.DEFAULT);
    }

    private Signer signer(int node, boolean signs) {
        Signer signer = scheme.signer(Digest.of(Bytes.utf8("node " + node)).toBytes());
        Signature constant = signer.sign(new byte[0]);
        return signs ? signer : new Constant(signer.publicKey(), constant);
    }

    private record Constant(PublicKey publicKey, Signature signature) implements Signer {
        @Override
        public Signature sign(byte[] payload) {
            return signature;
        }
    }

    ClusterConfig config() {
        return config;
    }

    Ed25519 scheme() {
        return scheme;
    }

    /** A request of so many puts of 100 bytes. */
    Verified<Signed<Request>> request(long first, int operations) {
        List<Bytes> puts = new ArrayList<>();
        for (int i = 0; i < operations; i++) {
            puts.add(new KvOperation.Put(Bytes.utf8("bench/" + i), Bytes.wrap(new byte[100])).encode());
        }
        return client.seal(new Request(0, EPOCH, first, first, 0, puts));
    }

    Batch batch(long first, int operations) {
        return new Batch(TIME_MILLIS, List.of(request(first, operations).message()));
    }

    Verified<Proposal> proposal(long seq, Batch batch) {
        return replicas.get(0).propose(new PrePrepare(0, seq, batch.digest(), 0), batch);
    }

    Verified<Signed<Prepare>> prepare(long seq, Digest digest, int replica) {
        return replicas.get(replica).seal(new Prepare(0, seq, digest, replica));
    }

    Verified<Signed<Checkpoint>> checkpoint(long seq, Digest root, int replica) {
        return replicas.get(replica).seal(new Checkpoint(seq, root, replica));
    }

    Verified<Signed<Commit>> commit(long seq, Digest digest, int replica) {
        return replicas.get(replica).seal(new Commit(0, seq, digest, replica));
    }
}
