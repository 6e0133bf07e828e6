package io.pbft.client.testing;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.MerkleTree;
import io.pbft.crypto.SignatureScheme;
import io.pbft.crypto.Signer;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ProtocolParameters;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Request;
import io.pbft.protocol.Sealer;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Verdict;
import io.pbft.protocol.Verified;
import io.pbft.protocol.Verifier;
import io.pbft.protocol.VerifierContext;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** A cluster on paper: real keys, real signatures, real verification, and answers as replicas would give them. */
public final class TestCluster {
    public static final SignatureScheme SCHEME = new Ed25519();
    public static final long TIME = 1_700_000_000_000L;

    private final ClusterConfig config;
    private final List<Signer> replicas;
    private final Verifier verifier;

    public TestCluster(int replicas) {
        this(replicas, "a cluster");
    }

    public TestCluster(int replicas, String name) {
        this(replicas, name, ProtocolParameters.DEFAULT);
    }

    public TestCluster(int n, String name, ProtocolParameters parameters) {
        replicas = IntStream.range(0, n)
                .mapToObj(i -> SCHEME.signer(privateKey("replica " + i)))
                .toList();
        config = new ClusterConfig(
                Digest.of(name.getBytes(StandardCharsets.UTF_8)),
                IntStream.range(0, n)
                        .mapToObj(i -> new ClusterConfig.ReplicaInfo(
                                i, "127.0.0.1", 7000 + i, replicas.get(i).publicKey()))
                        .toList(),
                IntStream.range(0, 2)
                        .mapToObj(i -> new ClusterConfig.ClientInfo(
                                i, SCHEME.signer(clientKey(i)).publicKey()))
                        .toList(),
                parameters);
        verifier = new Verifier(VerifierContext.of(config).withSelf(NodeId.client(0)), SCHEME, 64);
    }

    public ClusterConfig config() {
        return config;
    }

    public Quorum quorum() {
        return config.quorum();
    }

    public static Bytes clientKey(int client) {
        return privateKey("client " + client);
    }

    public static Bytes replicaKey(int replica) {
        return privateKey("replica " + replica);
    }

    private static Bytes privateKey(String whose) {
        return Digest.of(whose.getBytes(StandardCharsets.UTF_8)).toBytes();
    }

    public Sealer sealer(int replica) {
        return new Sealer(config.clusterId(), NodeId.replica(replica), replicas.get(replica));
    }

    /** What correct replicas say of the operations of {@code request}: executed at {@code seq}, results by {@code machine}. */
    public static List<ReplyLeaf> leaves(Request request, long seq, UnaryOperator<Bytes> machine) {
        List<ReplyLeaf> leaves = new ArrayList<>();
        for (int i = 0; i < request.operations().size(); i++) {
            leaves.add(leaf(
                    request,
                    i,
                    seq,
                    Outcome.EXECUTED,
                    machine.apply(request.operations().get(i))));
        }
        return leaves;
    }

    public static ReplyLeaf leaf(Request request, int index, long seq, Outcome outcome, Bytes result) {
        return new ReplyLeaf(
                request.client(),
                request.epoch(),
                request.first() + index,
                seq,
                TIME + seq,
                Digest.of(request.operations().get(index)),
                outcome,
                Digest.of(result));
    }

    /** A signed reply with these leaves, in a tree that holds leaves of another client before and after them. */
    public Reply reply(int replica, long view, List<ReplyLeaf> leaves, List<Optional<Bytes>> results) {
        ReplyLeaf others =
                new ReplyLeaf(1, 7, 1, leaves.get(0).seq(), TIME, Digest.ZERO, Outcome.EXECUTED, Digest.ZERO);
        List<ReplyLeaf> all = new ArrayList<>(leaves);
        all.add(0, others);
        all.add(others);
        MerkleTree tree = MerkleTree.of(all.stream()
                .map(leaf -> MerkleTree.leafHash(Codec.leafBytes(leaf)))
                .toList());
        List<Reply.Item> items = new ArrayList<>();
        for (int i = 0; i < leaves.size(); i++) {
            items.add(new Reply.Item(leaves.get(i), results.get(i), i + 1, tree.path(i + 1)));
        }
        Signed<ReplyRoot> root = sealer(replica)
                .seal(new ReplyRoot(view, tree.root(), all.size(), replica))
                .message();
        return new Reply(root, items);
    }

    /** The reply of a correct replica to a whole request, with all results in full or with none. */
    public Reply reply(int replica, long view, Request request, long seq, UnaryOperator<Bytes> machine, boolean full) {
        List<Optional<Bytes>> results = request.operations().stream()
                .map(operation -> full ? Optional.of(machine.apply(operation)) : Optional.<Bytes>empty())
                .toList();
        return reply(replica, view, leaves(request, seq, machine), results);
    }

    /** What the client's verifier makes of a message; fails where it refuses it. */
    public Verified<?> verified(int from, Message message) {
        Verdict verdict = verify(from, message);
        if (verdict instanceof Verdict.Accepted accepted) {
            return accepted.message();
        }
        throw new AssertionError(verdict.toString());
    }

    /** By way of its bytes, as it would come. */
    public Verdict verify(int from, Message message) {
        return verifier.verify(NodeId.replica(from), Codec.decode(Codec.encode(message)));
    }

    /** A state machine of one line: it answers an operation with its bytes in reverse. */
    public static Bytes reverse(Bytes operation) {
        byte[] bytes = operation.toByteArray();
        byte[] reversed = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            reversed[i] = bytes[bytes.length - 1 - i];
        }
        return Bytes.wrap(reversed);
    }

    /** Bytes that are long enough to count as a large result. */
    public static Bytes large(int size, int fill) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) fill);
        return Bytes.wrap(bytes);
    }
}
