package io.pbft.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MerkleTreeTest {
    /** The leaves and the roots of their prefixes that Certificate Transparency implementations test against. */
    private static final List<Digest> CT_LEAVES = Stream.of(
                    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
            .map(hex -> MerkleTree.leafHash(Bytes.fromHex(hex)))
            .toList();

    private static final List<String> CT_ROOTS = List.of(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

    @Test
    void rootsAreThoseOfCertificateTransparency() {
        for (int size = 0; size <= CT_LEAVES.size(); size++) {
            assertThat(MerkleTree.of(CT_LEAVES.subList(0, size)).root().toHex())
                    .as("%d leaves", size)
                    .isEqualTo(CT_ROOTS.get(size));
        }
    }

    @Test
    void pathsAreThoseOfCertificateTransparency() {
        assertPath(0, 1);
        assertPath(
                0,
                8,
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
        assertPath(
                5,
                8,
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
        assertPath(2, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
        assertPath(
                1,
                5,
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
    }

    private static void assertPath(int index, int size, String... path) {
        MerkleTree tree = MerkleTree.of(CT_LEAVES.subList(0, size));
        assertThat(tree.path(index).stream().map(Digest::toHex)).containsExactly(path);
        assertThat(MerkleTree.verify(tree.root(), CT_LEAVES.get(index), index, size, tree.path(index)))
                .isTrue();
    }

    @Test
    void agreesWithTheRecursiveDefinitionForAllSizesUpTo130() {
        for (int size = 1; size <= 130; size++) {
            List<Digest> leaves = leaves(size);
            MerkleTree tree = MerkleTree.of(leaves);
            assertThat(tree.size()).isEqualTo(size);
            assertThat(tree.root()).as("size %d", size).isEqualTo(recursiveRoot(leaves));
            for (int index = 0; index < size; index++) {
                assertThat(tree.path(index)).as("index %d of %d", index, size).isEqualTo(recursivePath(index, leaves));
                assertThat(MerkleTree.verify(tree.root(), leaves.get(index), index, size, tree.path(index)))
                        .as("index %d of %d", index, size)
                        .isTrue();
            }
        }
    }

    @Test
    void aPathProvesItsLeafAtItsPlaceOnly() {
        for (int size = 1; size <= 20; size++) {
            List<Digest> leaves = leaves(size);
            MerkleTree tree = MerkleTree.of(leaves);
            for (int index = 0; index < size; index++) {
                for (int claimed = -1; claimed <= size; claimed++) {
                    assertThat(MerkleTree.verify(tree.root(), leaves.get(index), claimed, size, tree.path(index)))
                            .as("leaf %d claimed at %d of %d", index, claimed, size)
                            .isEqualTo(claimed == index);
                }
            }
        }
    }

    @Test
    void rejectsPathsThatAreLongerShorterOrChanged() {
        int size = 11;
        List<Digest> leaves = leaves(size);
        MerkleTree tree = MerkleTree.of(leaves);
        for (int index = 0; index < size; index++) {
            List<Digest> path = tree.path(index);
            Digest leaf = leaves.get(index);
            List<Digest> longer = new ArrayList<>(path);
            longer.add(tree.root());
            assertThat(MerkleTree.verify(tree.root(), leaf, index, size, longer))
                    .isFalse();
            assertThat(MerkleTree.rootOf(leaf, index, size, longer)).isEmpty();
            List<Digest> shorter = path.subList(0, path.size() - 1);
            assertThat(MerkleTree.verify(tree.root(), leaf, index, size, shorter))
                    .isFalse();
            assertThat(MerkleTree.rootOf(leaf, index, size, shorter)).isEmpty();
            for (int level = 0; level < path.size(); level++) {
                List<Digest> changed = new ArrayList<>(path);
                changed.set(level, Digest.of(new byte[] {(byte) level}));
                assertThat(MerkleTree.verify(tree.root(), leaf, index, size, changed))
                        .isFalse();
            }
            assertThat(MerkleTree.verify(Digest.ZERO, leaf, index, size, path)).isFalse();
            assertThat(MerkleTree.verify(tree.root(), Digest.ZERO, index, size, path))
                    .isFalse();
        }
    }

    @Test
    void aTreeWithoutLeavesProvesNothing() {
        assertThat(MerkleTree.of(List.of()).root()).isEqualTo(MerkleTree.EMPTY_ROOT);
        assertThat(MerkleTree.verify(MerkleTree.EMPTY_ROOT, MerkleTree.EMPTY_ROOT, 0, 0, List.of()))
                .isFalse();
        assertThatThrownBy(() -> MerkleTree.of(List.of()).path(0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> MerkleTree.of(leaves(3)).path(3)).hasMessageContaining("no leaf 3 in a tree of 3");
    }

    @Test
    void aLeafIsNotAnInnerNode() {
        List<Digest> leaves = leaves(2);
        Bytes inner = leaves.get(0).toBytes().concat(leaves.get(1).toBytes());
        assertThat(MerkleTree.leafHash(inner))
                .isNotEqualTo(MerkleTree.of(leaves).root());
        assertThat(MerkleTree.leafHash(inner.toByteArray())).isEqualTo(MerkleTree.leafHash(inner));
    }

    private static List<Digest> leaves(int size) {
        return IntStream.range(0, size)
                .mapToObj(i -> MerkleTree.leafHash(Bytes.utf8("leaf " + i)))
                .toList();
    }

    /** RFC 9162, section 2.1.1, word for word: MTH. */
    private static Digest recursiveRoot(List<Digest> leaves) {
        if (leaves.size() == 1) {
            return leaves.get(0);
        }
        int k = split(leaves.size());
        return Digest.ofNode(
                (byte) 1, recursiveRoot(leaves.subList(0, k)), recursiveRoot(leaves.subList(k, leaves.size())));
    }

    /** RFC 9162, section 2.1.3.1, word for word: PATH. */
    private static List<Digest> recursivePath(int index, List<Digest> leaves) {
        if (leaves.size() == 1) {
            return List.of();
        }
        int k = split(leaves.size());
        List<Digest> left = leaves.subList(0, k);
        List<Digest> right = leaves.subList(k, leaves.size());
        List<Digest> path = new ArrayList<>(index < k ? recursivePath(index, left) : recursivePath(index - k, right));
        path.add(recursiveRoot(index < k ? right : left));
        return path;
    }

    private static int split(int size) {
        return Integer.highestOneBit(size - 1);
    }
}
