package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Txn;

/**
 * Makes a large state for a measurement, at checkpoint 1: the same files' content that millions of puts and a checkpoint
 * leave, in a fraction of the time. Entries are appended in the order of their keys and nodes written in that of the tree.
 */
final class BulkLoad {
    /** A key's number and the beginning of its hash share a long. */
    private static final int NUMBER_BITS = 24;

    private static final int PER_TRANSACTION = 200_000;
    private static final long MAP_BYTES = 64L << 30;

    private final StateTables tables;
    private final LmdbEnvironment env;
    private final int valueBytes;
    private final List<Node> nodes = new ArrayList<>();

    /** The first bits of the hashes of all keys, in ascending order, each with the number of its key. */
    private final long[] order;

    private record Node(Bytes path, Bytes content) {}

    private BulkLoad(LmdbEnvironment env, int keys, int valueBytes) {
        this.env = env;
        this.tables = new StateTables(StateTables.Databases.open(env));
        this.valueBytes = valueBytes;
        this.order = new long[keys];
    }

    /** @param folder a replica's folder, without a state */
    static void load(Path folder, int keys, int valueBytes) {
        if (keys >= 1 << NUMBER_BITS) {
            throw new IllegalArgumentException("at most " + (1 << NUMBER_BITS) + " keys");
        }
        try (LmdbEnvironment env = LmdbEnvironment.open(
                folder.resolve("state"), "the state", MAP_BYTES, StateTables.Databases.COUNT, new StateCheck())) {
            new BulkLoad(env, keys, valueBytes).run();
        }
    }

    static Bytes key(int number) {
        return Bytes.utf8(String.format(Locale.ROOT, "user/%08d", number));
    }

    static Bytes value(Random random, int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return Bytes.wrap(bytes);
    }

    private LeafEntry entry(int number) {
        Bytes key = StateTree.key(StateTree.APPLICATION, key(number));
        return LeafEntry.of(Digest.of(key).toBytes(), key, value(new Random(number), valueBytes));
    }

    private void run() {
        for (int from = 0; from < order.length; from += PER_TRANSACTION) {
            int first = from;
            env.write(txn -> {
                for (int i = first; i < Math.min(first + PER_TRANSACTION, order.length); i++) {
                    LeafEntry entry = entry(i);
                    long hash = entry.hash().asReadOnlyBuffer().getLong();
                    order[i] = ((hash >>> NUMBER_BITS) << NUMBER_BITS) | i;
                    tables.putEntryAt(
                            txn,
                            StateTables.place(entry.key()),
                            StateTables.record(entry.key(), entry.valueAtHand()),
                            true);
                }
            });
        }
        sortUnsigned(order);
        TreeNode root = build(Bytes.EMPTY, 0, order.length);
        flush(0);
        env.write(txn -> {
            tables.putNode(txn, Bytes.EMPTY, root.encode());
            tables.putFormat(txn);
            tables.putHead(txn, new StateTables.Head(1, root.digest()));
        });
    }

    private static void sortUnsigned(long[] numbers) {
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] ^= Long.MIN_VALUE;
        }
        Arrays.parallelSort(numbers);
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] ^= Long.MIN_VALUE;
        }
    }

    private TreeNode build(Bytes path, int from, int to) {
        if (to - from <= StateTree.LEAF_ENTRIES_MAX) {
            List<LeafEntry> entries = new ArrayList<>();
            for (int i = from; i < to; i++) {
                entries.add(entry((int) (order[i] & ((1 << NUMBER_BITS) - 1))));
            }
            entries.sort(Comparator.comparing(LeafEntry::hash));
            return new Leaf(entries);
        }
        @Nullable Child[] children = new Child[StateTree.FANOUT];
        int next = from;
        while (next < to) {
            int begin = next;
            int step = step(order[begin], path.size());
            while (next < to && step(order[next], path.size()) == step) {
                next++;
            }
            Bytes below = StateTree.childPath(path, step);
            TreeNode node = build(below, begin, next);
            nodes.add(new Node(below, node.encode()));
            children[step] = new Child(node.count(), node.digest(), null);
            flush(PER_TRANSACTION);
        }
        return new Inner(children);
    }

    private static int step(long hash, int depth) {
        return (int) (hash >>> (60 - 4 * depth)) & 0xf;
    }

    private void flush(int more) {
        if (nodes.size() > more) {
            env.write((Txn<ByteBuffer> txn) -> nodes.forEach(node -> tables.putNode(txn, node.path(), node.content())));
            nodes.clear();
        }
    }
}
