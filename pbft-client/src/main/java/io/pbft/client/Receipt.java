package io.pbft.client;

import io.pbft.client.core.Answer;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Ed25519;
import io.pbft.crypto.MerkleTree;
import io.pbft.crypto.Signature;
import io.pbft.crypto.SignatureScheme;
import io.pbft.protocol.ClusterConfig;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Limits;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Signed;
import io.pbft.protocol.SigningPayload;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A portable proof of what became of an operation: the operation and its result in full, the leaf that f + 1 replicas vouch for,
 * and their signatures with the way from the leaf to what they signed. It convinces everybody who knows the replicas' public
 * keys, without asking anybody. The format is described byte by byte in {@code docs/receipts.md}. Immutable and thread-safe.
 *
 * <p>A receipt proves nothing by existing: {@link #verify} does.
 *
 * @param trees the signed trees in which the leaf is found; replicas whose trees are equal share one
 */
public record Receipt(Digest clusterId, ReplyLeaf leaf, Bytes operation, Bytes result, List<Tree> trees) {
    /** Where the leaf lies in a tree, and who signed the tree's root. */
    public record Tree(int leaves, int index, List<Digest> path, List<Signatory> signatories) {
        public Tree {
            path = List.copyOf(path);
            signatories = List.copyOf(signatories);
        }
    }

    /** A replica's signature under the tree's root. */
    public record Signatory(int replica, long view, Signature signature) {}

    /** What {@link #verify} found: {@code reason} says why it is not valid, and is empty when it is. */
    public record Verdict(boolean valid, String reason) {
        private static Verdict not(String reason) {
            return new Verdict(false, reason);
        }
    }

    /** The bytes are not those of a receipt. */
    public static final class MalformedReceipt extends RuntimeException {
        private static final long serialVersionUID = 1L;

        MalformedReceipt(String message) {
            super(message);
        }
    }

    private static final byte[] MAGIC = "PBFTRCPT".getBytes(StandardCharsets.US_ASCII);
    private static final byte VERSION = 1;

    public Receipt {
        trees = List.copyOf(trees);
    }

    static Receipt of(Digest clusterId, Bytes operation, Answer answer) {
        List<Tree> trees = new ArrayList<>();
        for (Answer.Attestation attestation : answer.attestations()) {
            Signed<ReplyRoot> root = attestation.root();
            Signatory signatory =
                    new Signatory(attestation.replica(), root.statement().view(), root.signature());
            addTo(
                    trees,
                    new Tree(root.statement().leaves(), attestation.index(), attestation.path(), List.of(signatory)));
        }
        return new Receipt(clusterId, answer.leaf(), operation, answer.result(), trees);
    }

    private static void addTo(List<Tree> trees, Tree one) {
        for (int i = 0; i < trees.size(); i++) {
            Tree tree = trees.get(i);
            if (tree.leaves() == one.leaves()
                    && tree.index() == one.index()
                    && tree.path().equals(one.path())) {
                List<Signatory> signatories = new ArrayList<>(tree.signatories());
                signatories.addAll(one.signatories());
                trees.set(i, new Tree(tree.leaves(), tree.index(), tree.path(), signatories));
                return;
            }
        }
        trees.add(one);
    }

    /** The receipt in its portable form. */
    public Bytes encode() {
        byte[] leafBytes = Codec.leafBytes(leaf);
        int size = MAGIC.length + 1 + Digest.SIZE + leafBytes.length + 8 + operation.size() + result.size() + 1;
        for (Tree tree : trees) {
            size += 10 + tree.path().size() * Digest.SIZE + tree.signatories().size() * (9 + Signature.SIZE);
        }
        ByteBuffer out = ByteBuffer.allocate(size);
        out.put(MAGIC).put(VERSION).put(clusterId.toBytes().asReadOnlyBuffer()).put(leafBytes);
        out.putInt(operation.size()).put(operation.asReadOnlyBuffer());
        out.putInt(result.size()).put(result.asReadOnlyBuffer());
        out.put((byte) trees.size());
        for (Tree tree : trees) {
            out.putInt(tree.leaves()).putInt(tree.index()).put((byte)
                    tree.path().size());
            tree.path().forEach(digest -> out.put(digest.toBytes().asReadOnlyBuffer()));
            out.put((byte) tree.signatories().size());
            for (Signatory signatory : tree.signatories()) {
                out.put((byte) signatory.replica()).putLong(signatory.view());
                out.put(signatory.signature().toByteArray());
            }
        }
        return Bytes.wrap(out.array());
    }

    /**
     * Reads the portable form; says nothing of whether it is valid.
     *
     * @throws MalformedReceipt when the bytes are not a receipt, with the reason
     */
    public static Receipt decode(Bytes encoding) {
        try {
            return new Reader(encoding.asReadOnlyBuffer()).receipt();
        } catch (BufferUnderflowException e) {
            throw new MalformedReceipt("the receipt ends early: it has only " + encoding.size() + " bytes");
        }
    }

    /** Whether {@code encoding} proves what it says about the cluster of {@code config}, and if not, why. */
    public static Verdict verify(ClusterConfig config, SignatureScheme scheme, Bytes encoding) {
        Receipt receipt;
        try {
            receipt = decode(encoding);
        } catch (MalformedReceipt e) {
            return Verdict.not(String.valueOf(e.getMessage()));
        }
        return receipt.verify(config, scheme);
    }

    /** Whether this receipt proves what it says about the cluster of {@code config}, and if not, why. Asks nobody. */
    public Verdict verify(ClusterConfig config) {
        return verify(config, new Ed25519());
    }

    /** The same under another signature scheme than a cluster's own, Ed25519. */
    public Verdict verify(ClusterConfig config, SignatureScheme scheme) {
        if (!clusterId.equals(config.clusterId())) {
            return Verdict.not("it is of cluster " + clusterId.toHex() + ", not of "
                    + config.clusterId().toHex());
        }
        if (!Digest.of(operation).equals(leaf.operation())) {
            return Verdict.not("the operation's bytes do not have the digest in the leaf");
        }
        if (!Digest.of(result).equals(leaf.result())) {
            return Verdict.not("the result's bytes do not have the digest in the leaf");
        }
        Digest leafHash = MerkleTree.leafHash(Codec.leafBytes(leaf));
        boolean[] signed = new boolean[config.quorum().replicas()];
        int signatures = 0;
        for (Tree tree : trees) {
            var root = MerkleTree.rootOf(leafHash, tree.index(), tree.leaves(), tree.path());
            if (root.isEmpty()) {
                return Verdict.not("no tree of " + tree.leaves() + " leaves has a path of "
                        + tree.path().size() + " digests at leaf " + tree.index());
            }
            for (Signatory signatory : tree.signatories()) {
                int replica = signatory.replica();
                if (replica >= signed.length) {
                    return Verdict.not("the cluster has no replica " + replica);
                }
                if (signed[replica]) {
                    return Verdict.not("replica " + replica + " stands in it twice");
                }
                ReplyRoot statement = new ReplyRoot(signatory.view(), root.get(), tree.leaves(), replica);
                byte[] payload = SigningPayload.of(config.clusterId(), statement);
                if (!scheme.verify(config.replicas().get(replica).publicKey(), payload, signatory.signature())) {
                    return Verdict.not("the signature of replica " + replica + " is not valid");
                }
                signed[replica] = true;
                signatures++;
            }
        }
        int needed = config.quorum().weak();
        return signatures < needed
                ? Verdict.not("it has " + signatures + " signatures; " + needed + " are needed")
                : new Verdict(true, "");
    }

    /** Reads the portable form; every length is checked before anything is allocated. */
    private record Reader(ByteBuffer in) {
        private Receipt receipt() {
            byte[] magic = raw(MAGIC.length);
            if (!Arrays.equals(magic, MAGIC)) {
                throw new MalformedReceipt("not a receipt: it does not begin with PBFTRCPT");
            }
            byte version = in.get();
            if (version != VERSION) {
                throw new MalformedReceipt(
                        "version " + version + " is not known; this program reads version " + VERSION);
            }
            Digest cluster = digest();
            ReplyLeaf leaf = leaf();
            Bytes operation = bytes("operation", Limits.OPERATION_BYTES_MAX);
            Bytes result = bytes("result", Limits.RESULT_BYTES_MAX);
            int count = count("trees", Limits.REPLICAS_MAX);
            List<Tree> trees = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                trees.add(tree());
            }
            if (in.hasRemaining()) {
                throw new MalformedReceipt(in.remaining() + " bytes follow after the receipt's end");
            }
            return new Receipt(cluster, leaf, operation, result, trees);
        }

        private ReplyLeaf leaf() {
            int client = number("client", 0, Limits.CLIENTS_MAX - 1);
            long epoch = in.getLong();
            long number = in.getLong();
            long seq = in.getLong();
            long timeMillis = in.getLong();
            Digest operation = digest();
            byte code = in.get();
            for (Outcome outcome : Outcome.values()) {
                if (outcome.code() == code) {
                    return new ReplyLeaf(client, epoch, number, seq, timeMillis, operation, outcome, digest());
                }
            }
            throw new MalformedReceipt("outcome " + code + " is not known");
        }

        private Tree tree() {
            int leaves = number("leaves", 1, Limits.REPLY_LEAVES_MAX);
            int index = number("index", 0, leaves - 1);
            int steps = count("path", Limits.MERKLE_PATH_MAX);
            List<Digest> path = new ArrayList<>(steps);
            for (int i = 0; i < steps; i++) {
                path.add(digest());
            }
            int count = count("signatures", Limits.REPLICAS_MAX);
            List<Signatory> signatories = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                int replica = in.get() & 0xff;
                long view = in.getLong();
                signatories.add(new Signatory(replica, view, Signature.copyOf(raw(Signature.SIZE), 0, Signature.SIZE)));
            }
            return new Tree(leaves, index, path, signatories);
        }

        private int count(String field, int max) {
            int count = in.get() & 0xff;
            if (count > max) {
                throw new MalformedReceipt(field + ": at most " + max + " are allowed, found " + count);
            }
            return count;
        }

        private int number(String field, int min, int max) {
            int number = in.getInt();
            if (number < min || number > max) {
                throw new MalformedReceipt(field + ": expected a number from " + min + " to " + max + ", found "
                        + Integer.toUnsignedString(number));
            }
            return number;
        }

        private Bytes bytes(String field, int max) {
            return Bytes.wrap(raw(number(field + " size", 0, max)));
        }

        private Digest digest() {
            return Digest.copyOf(raw(Digest.SIZE), 0, Digest.SIZE);
        }

        private byte[] raw(int size) {
            if (size > in.remaining()) {
                throw new BufferUnderflowException();
            }
            byte[] bytes = new byte[size];
            in.get(bytes);
            return bytes;
        }
    }
}
