package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tree is a function of the set of entries, and of nothing else. */
class StateTreeTest {
    private static final StateTree TREE = new StateTree(StateTree.IN_MEMORY);

    private static Bytes key(int i) {
        return StateTree.key(StateTree.APPLICATION, Bytes.utf8("key" + i));
    }

    private static TreeNode rebuild(Map<Bytes, Bytes> entries) {
        TreeMap<Bytes, Optional<Bytes>> changes = new TreeMap<>();
        entries.forEach((key, value) -> changes.put(key, Optional.of(value)));
        return TREE.update(Leaf.EMPTY, changes);
    }

    private static Bytes value(Random random) {
        int size = random.nextInt(8) == 0 ? 257 + random.nextInt(500) : random.nextInt(40);
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return Bytes.wrap(bytes);
    }

    /** The rule of the shape, by the book: no increments, no batches. */
    private static Digest naive(List<Map.Entry<Bytes, Bytes>> entries, int depth) {
        return Digest.of(naiveNode(entries, depth));
    }

    private static Bytes naiveNode(List<Map.Entry<Bytes, Bytes>> entries, int depth) {
        if (entries.size() <= 16) {
            List<Map.Entry<Bytes, Bytes>> sorted = new ArrayList<>(entries);
            sorted.sort((a, b) -> Digest.of(a.getKey()).compareTo(Digest.of(b.getKey())));
            Bytes content = Bytes.fromHex("00").concat(number(sorted.size(), 1));
            for (Map.Entry<Bytes, Bytes> entry : sorted) {
                Bytes value = entry.getValue();
                Bytes shown = value.size() <= 256
                        ? value
                        : Digest.of(Bytes.fromHex("02").concat(value)).toBytes();
                content = content.concat(number(entry.getKey().size(), 2))
                        .concat(entry.getKey())
                        .concat(number(value.size(), 4))
                        .concat(shown);
            }
            return content;
        }
        int bitmap = 0;
        Bytes children = Bytes.EMPTY;
        for (int i = 0; i < 16; i++) {
            List<Map.Entry<Bytes, Bytes>> below = new ArrayList<>();
            for (Map.Entry<Bytes, Bytes> entry : entries) {
                if (Character.digit(Digest.of(entry.getKey()).toHex().charAt(depth), 16) == i) {
                    below.add(entry);
                }
            }
            if (!below.isEmpty()) {
                bitmap |= 1 << i;
                children = children.concat(number(below.size(), 8))
                        .concat(naive(below, depth + 1).toBytes());
            }
        }
        return Bytes.fromHex("01").concat(number(bitmap, 2)).concat(children);
    }

    private static Bytes number(long value, int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[size - 1 - i] = (byte) (value >> (8 * i));
        }
        return Bytes.wrap(bytes);
    }

    @Test
    void theEmptyTreeHasADefinedRoot() {
        assertThat(Leaf.EMPTY.digest()).isEqualTo(Digest.of(Bytes.fromHex("0000")));
        assertThat(rebuild(Map.of()).digest()).isEqualTo(Leaf.EMPTY.digest());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void rootDependsOnTheEntriesAlone(long seed) {
        Random random = new Random(seed);
        TreeMap<Bytes, Bytes> model = new TreeMap<>();
        TreeNode tree = Leaf.EMPTY;
        int keys = 20 + random.nextInt(600);
        for (int round = 0; round < 60; round++) {
            TreeMap<Bytes, Optional<Bytes>> changes = new TreeMap<>();
            int size = random.nextInt(40);
            boolean shrinking = round % 20 >= 12;
            for (int i = 0; i < size; i++) {
                Bytes key = key(random.nextInt(keys));
                boolean delete = random.nextInt(10) < (shrinking ? 8 : 2);
                changes.put(key, delete ? Optional.empty() : Optional.of(value(random)));
            }
            changes.forEach((key, value) -> value.ifPresentOrElse(v -> model.put(key, v), () -> model.remove(key)));
            tree = TREE.update(tree, changes);
            assertThat(tree.count()).isEqualTo(model.size());
            assertThat(tree.digest()).isEqualTo(naive(List.copyOf(model.entrySet()), 0));
        }
        List<Bytes> order = new ArrayList<>(model.keySet());
        Collections.shuffle(order, random);
        TreeNode oneByOne = Leaf.EMPTY;
        for (Bytes key : order) {
            oneByOne = TREE.update(oneByOne, new TreeMap<>(Map.of(key, Optional.of(model.get(key)))));
        }
        assertThat(oneByOne.digest()).isEqualTo(tree.digest());
        TreeMap<Bytes, Bytes> found = new TreeMap<>();
        TREE.forEach(tree, entry -> found.put(entry.key(), entry.valueAtHand()));
        assertThat(found).isEqualTo(model);
    }

    @Test
    void deletionLeavesTheTreeAsIfTheKeyHadNeverBeen() {
        List<Digest> roots = new ArrayList<>();
        TreeNode tree = Leaf.EMPTY;
        for (int i = 0; i < 300; i++) {
            roots.add(tree.digest());
            tree = TREE.update(tree, new TreeMap<>(Map.of(key(i), Optional.of(Bytes.utf8("v" + i)))));
        }
        assertThat(tree).isInstanceOf(Inner.class);
        for (int i = 299; i >= 0; i--) {
            tree = TREE.update(tree, new TreeMap<>(Map.of(key(i), Optional.empty())));
            assertThat(tree.digest()).isEqualTo(roots.get(i));
        }
    }

    @Test
    void anySingleChangeChangesTheRoot() {
        TreeMap<Bytes, Bytes> model = new TreeMap<>();
        for (int i = 0; i < 200; i++) {
            model.put(key(i), i % 3 == 0 ? Bytes.wrap(new byte[300 + i]) : Bytes.utf8("v" + i));
        }
        TreeNode tree = rebuild(model);
        List<Digest> seen = new ArrayList<>(List.of(tree.digest()));
        for (int i = 0; i < 200; i++) {
            Bytes value = model.get(key(i));
            seen.add(changed(tree, key(i), Optional.empty()));
            seen.add(changed(tree, key(i), Optional.of(value.concat(Bytes.utf8("x")))));
            byte[] flipped = value.toByteArray();
            flipped[flipped.length - 1] ^= 1;
            seen.add(changed(tree, key(i), Optional.of(Bytes.wrap(flipped))));
            seen.add(changed(tree, key(1000 + i), Optional.of(value)));
            Bytes system = StateTree.key(StateTree.SYSTEM, StateTree.bare(key(i)));
            seen.add(changed(tree, system, Optional.of(value)));
        }
        assertThat(seen).doesNotHaveDuplicates();
    }

    private static Digest changed(TreeNode tree, Bytes key, Optional<Bytes> value) {
        return TREE.update(tree, new TreeMap<>(Map.of(key, value))).digest();
    }

    @Test
    void writingWhatIsThereChangesNothing() {
        TreeMap<Bytes, Bytes> model = new TreeMap<>();
        for (int i = 0; i < 100; i++) {
            model.put(key(i), Bytes.utf8("v" + i));
        }
        TreeNode tree = rebuild(model);
        assertThat(TREE.update(tree, new TreeMap<>(Map.of(key(7), Optional.of(Bytes.utf8("v7"))))))
                .isSameAs(tree);
        assertThat(TREE.update(tree, new TreeMap<>(Map.of(key(777), Optional.empty()))))
                .isSameAs(tree);
    }

    @Test
    void contentIsCanonical() throws TreeNode.MalformedNode {
        TreeMap<Bytes, Bytes> model = new TreeMap<>();
        Random random = new Random(11);
        for (int i = 0; i < 200; i++) {
            model.put(key(i), value(random));
        }
        TreeNode tree = rebuild(model);
        assertThat(TreeNode.decode(tree.encode()).encode()).isEqualTo(tree.encode());
        for (int i = 0; i < 16; i++) {
            TreeNode leaf = TREE.find(tree, Bytes.wrap(new byte[] {(byte) i}));
            assertThat(leaf).isNotNull();
            assertThat(TreeNode.decode(leaf.encode()).digest()).isEqualTo(leaf.digest());
        }
    }

    @Test
    void malformedContentIsRefusedAndNeverThrowsAnythingElse() {
        TreeMap<Bytes, Bytes> model = new TreeMap<>();
        for (int i = 0; i < 14; i++) {
            model.put(key(i), Bytes.utf8("v" + i));
        }
        byte[] leaf = rebuild(model).encode().toByteArray();
        for (int length = 0; length < leaf.length; length++) {
            Bytes cut = Bytes.copyOf(leaf, 0, length);
            assertThatThrownBy(() -> TreeNode.decode(cut)).isInstanceOf(TreeNode.MalformedNode.class);
        }
        Random random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] mutated = leaf.clone();
            mutated[random.nextInt(mutated.length)] = (byte) random.nextInt(256);
            mutated[random.nextInt(8)] ^= (byte) (1 << random.nextInt(8));
            try {
                TreeNode decoded = TreeNode.decode(Bytes.wrap(mutated));
                assertThat(decoded.encode()).isEqualTo(Bytes.wrap(mutated));
            } catch (TreeNode.MalformedNode e) {
                refused++;
            }
        }
        assertThat(refused).isPositive();
    }
}
