package io.pbft.crypto;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The Merkle tree of RFC 9162, section 2.1: a leaf is hashed as SHA-256(0x00, content) and an inner node as
 * SHA-256(0x01, left, right), so that neither can pass for the other. Immutable and thread-safe.
 *
 * <p>The RFC splits n leaves at the largest power of two below n. Pairing neighbours from the left, level by level, and
 * lifting an odd last node unchanged gives the same tree; that is how it is kept here: k leaves take less than 2k
 * digests and k - 1 hashes, and a path is read off in log2(k) steps. The path of a lifted node is shorter, as there is
 * no neighbour to name on its level:
 *
 * <pre>
 *   level 2             r              path(2) = [p]
 *                     /   \
 *   level 1          p     2           2 is lifted
 *                   / \     \
 *   level 0        0   1     2
 * </pre>
 */
public final class MerkleTree {
    private static final byte LEAF_TAG = 0x00;
    private static final byte NODE_TAG = 0x01;

    /** The root of no leaves: SHA-256 of the empty string (RFC 9162, section 2.1.1). */
    public static final Digest EMPTY_ROOT = Digest.of(Bytes.EMPTY);

    /** From the leaves up to the root; a level of one node is the last. Empty for the empty tree. */
    private final List<Digest[]> levels;

    private MerkleTree(List<Digest[]> levels) {
        this.levels = levels;
    }

    /** The tree over leaves that {@link #leafHash} has hashed. */
    public static MerkleTree of(List<Digest> leafHashes) {
        List<Digest[]> levels = new ArrayList<>();
        Digest[] level = leafHashes.toArray(new Digest[0]);
        while (level.length > 1) {
            levels.add(level);
            level = parents(level);
        }
        if (level.length == 1) {
            levels.add(level);
        }
        return new MerkleTree(levels);
    }

    private static Digest[] parents(Digest[] level) {
        Digest[] parents = new Digest[(level.length + 1) / 2];
        for (int i = 0; i < level.length / 2; i++) {
            parents[i] = Digest.ofNode(NODE_TAG, level[2 * i], level[2 * i + 1]);
        }
        if (level.length % 2 == 1) {
            parents[parents.length - 1] = level[level.length - 1];
        }
        return parents;
    }

    public static Digest leafHash(byte[] content) {
        return Digest.ofTagged(LEAF_TAG, content);
    }

    public static Digest leafHash(Bytes content) {
        return Digest.ofTagged(LEAF_TAG, content);
    }

    /** The number of leaves. */
    public int size() {
        return levels.isEmpty() ? 0 : levels.get(0).length;
    }

    public Digest root() {
        return levels.isEmpty() ? EMPTY_ROOT : levels.get(levels.size() - 1)[0];
    }

    /**
     * The inclusion path of a leaf, from its neighbour up to a child of the root (RFC 9162, section 2.1.3.1): at most
     * log2(size), rounded up, digests.
     *
     * @throws IndexOutOfBoundsException when there is no leaf {@code index}
     */
    public List<Digest> path(int index) {
        if (index < 0 || index >= size()) {
            throw new IndexOutOfBoundsException("no leaf " + index + " in a tree of " + size());
        }
        List<Digest> path = new ArrayList<>(levels.size());
        int node = index;
        for (Digest[] level : levels) {
            int neighbour = node ^ 1;
            if (neighbour < level.length) {
                path.add(level[neighbour]);
            }
            node >>= 1;
        }
        return List.copyOf(path);
    }

    /**
     * The root that {@code path} leads to from a leaf, or nothing when no tree of {@code size} leaves has a path of
     * this length at {@code index} (RFC 9162, section 2.1.3.2). Takes what a peer sent and never throws on it. The root
     * proves something only to one who compares it with a root that is trusted.
     */
    public static Optional<Digest> rootOf(Digest leafHash, int index, int size, List<Digest> path) {
        if (index < 0 || index >= size) {
            return Optional.empty();
        }
        // node and last are the place of our node, and of the last node, on the level that the loop has reached.
        int node = index;
        int last = size - 1;
        Digest hash = leafHash;
        for (Digest neighbour : path) {
            if (last == 0) {
                return Optional.empty();
            }
            if ((node & 1) == 1 || node == last) {
                hash = Digest.ofNode(NODE_TAG, neighbour, hash);
                // A last node without a neighbour was lifted: go up to where it has one on its left.
                while ((node & 1) == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = Digest.ofNode(NODE_TAG, hash, neighbour);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 ? Optional.of(hash) : Optional.empty();
    }

    /**
     * Whether {@code path} proves that the tree of {@code size} leaves under {@code root} has this leaf at this place.
     */
    public static boolean verify(Digest root, Digest leafHash, int index, int size, List<Digest> path) {
        return rootOf(leafHash, index, size, path).equals(Optional.of(root));
    }
}
