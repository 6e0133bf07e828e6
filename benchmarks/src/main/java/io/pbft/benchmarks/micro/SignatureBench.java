package io.pbft.benchmarks.micro;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.MerkleTree;
import io.pbft.crypto.PublicKey;
import io.pbft.crypto.Signature;
import io.pbft.crypto.Signer;
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

/** Signatures, digests and Merkle trees: what {@code io.pbft.crypto} costs. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class SignatureBench {
    /** What is signed is a digest with a tag before it, whatever the size of the message. */
    private static final int PAYLOAD_BYTES = 64;

    @Param({"1", "100", "1000"})
    int leaves;

    private final Ed25519 scheme = new Ed25519();
    private final byte[] payload = new byte[PAYLOAD_BYTES];
    private Signer signer;
    private PublicKey key;
    private Signature signature;
    private List<Digest> leafHashes;
    private MerkleTree tree;
    private List<Digest> path;

    @Setup
    public void setUp() {
        signer = scheme.signer(Bytes.wrap(new byte[Ed25519.PRIVATE_KEY_SIZE]));
        key = signer.publicKey();
        signature = signer.sign(payload);
        leafHashes = new ArrayList<>();
        for (int i = 0; i < leaves; i++) {
            leafHashes.add(MerkleTree.leafHash(Bytes.utf8("leaf " + i)));
        }
        tree = MerkleTree.of(leafHashes);
        path = tree.path(leaves / 2);
    }

    @Benchmark
    public Signature sign() {
        return signer.sign(payload);
    }

    @Benchmark
    public boolean verify() {
        return scheme.verify(key, payload, signature);
    }

    @Benchmark
    public Digest merkleRoot() {
        return MerkleTree.of(leafHashes).root();
    }

    @Benchmark
    public List<Digest> merklePath() {
        return tree.path(leaves / 2);
    }

    @Benchmark
    public boolean merkleVerify() {
        return MerkleTree.verify(tree.root(), leafHashes.get(leaves / 2), leaves / 2, leaves, path);
    }
}
