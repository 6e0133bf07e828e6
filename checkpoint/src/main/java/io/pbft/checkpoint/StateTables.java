package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.LeafEntry;
import io.pbft.checkpoint.TreeNode.MalformedNode;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.GetOp;
import org.lmdbjava.PutFlags;
import org.lmdbjava.Txn;

/**
 * How the state lies in LMDB, seen by one thread. Everything read is checked: entries by a checksum over key and value,
 * nodes of the tree by the digest that their parent holds, from the root in {@code meta} down.
 *
 * <pre>
 *   meta     "format" -> version (4); "checkpoint" -> seq (8), root (32); while a state is installed in several
 *            transactions, "installing" -> seq (8), root (32), whether all entries are there (1);
 *            each with a CRC-32C of key and content before it
 *   entries  key with its keyspace -> CRC-32C of key and value (4), value
 *   nodes    0x6e, path -> content of the node
 *   staging  0x6e, path -> content of a node that an unfinished transfer brought
 * </pre>
 *
 * <p>LMDB's keys end at 511 bytes, ours do not. A key of more than {@link #PLAIN_KEY_BYTES_MAX} bytes is stored under
 * so many of its first bytes and 16 of its hash, with the key itself (after its size, 2 bytes) before the value. Such
 * keys stand in LMDB's order right behind the key that they all begin with, but among themselves in the order of their
 * hashes: a scan that comes by them sorts the group in memory.
 */
final class StateTables {
    static final int PLAIN_KEY_BYTES_MAX = 480;
    private static final int LONG_KEY_HASH_BYTES = 16;

    static final int FORMAT_VERSION = 1;
    private static final Bytes FORMAT = Bytes.utf8("format");
    static final Bytes CHECKPOINT = Bytes.utf8("checkpoint");
    static final Bytes INSTALLING = Bytes.utf8("installing");
    private static final Bytes NODE = Bytes.utf8("n");

    /** The databases of an environment: shared by all threads. */
    record Databases(
            LmdbEnvironment env,
            Dbi<ByteBuffer> meta,
            Dbi<ByteBuffer> entries,
            Dbi<ByteBuffer> nodes,
            Dbi<ByteBuffer> staging) {
        static final int COUNT = 4;

        static Databases open(LmdbEnvironment env) {
            return new Databases(
                    env, env.database("meta"), env.database("entries"), env.database("nodes"), env.database("staging"));
        }
    }

    /** What the state is at. */
    record Head(long seq, Digest root) {
        static final int BYTES = Long.BYTES + Digest.SIZE;

        private static Head read(Bytes content) {
            return new Head(
                    content.asReadOnlyBuffer().getLong(),
                    Digest.copyOf(content.toByteArray(), Long.BYTES, Digest.SIZE));
        }

        private Bytes encode() {
            return Bytes.wrap(ByteBuffer.allocate(BYTES)
                    .putLong(seq)
                    .put(root.toBytes().asReadOnlyBuffer())
                    .array());
        }
    }

    /**
     * What a crash has left of an install, which has to be brought to its end.
     *
     * @param entriesDone whether all entries are there, and only nodes of the tree are left; before that these are as
     *     they were
     */
    record Installing(Head target, boolean entriesDone) {}

    /** Takes an entry of a scan; false: that was enough. */
    interface EntrySink {
        boolean take(Bytes key, Bytes value);
    }

    /** Inner nodes remembered: the upper three levels of a large tree, which every walk from the root passes. */
    private static final int INNER_NODES_MAX = 1_024;

    private final Databases databases;
    private final LmdbEnvironment.KeyBuffer buffer = new LmdbEnvironment.KeyBuffer();

    /** By digest, so that it is right for every version of the tree; the one that was used longest ago goes first. */
    private final LinkedHashMap<Digest, Inner> inner = new LinkedHashMap<>(16, 0.75f, true);

    StateTables(Databases databases) {
        this.databases = databases;
    }

    // Meta.

    Optional<Integer> format(Txn<ByteBuffer> txn) {
        return meta(txn, FORMAT).map(content -> content.asReadOnlyBuffer().getInt());
    }

    Optional<Head> head(Txn<ByteBuffer> txn) {
        return meta(txn, CHECKPOINT).map(Head::read);
    }

    Optional<Installing> installing(Txn<ByteBuffer> txn) {
        return meta(txn, INSTALLING).map(content -> new Installing(Head.read(content), content.get(Head.BYTES) != 0));
    }

    private Optional<Bytes> meta(Txn<ByteBuffer> txn, Bytes key) {
        ByteBuffer record = databases.meta().get(txn, buffer.of(key));
        return record == null ? Optional.empty() : Optional.of(checked(key, record, key.toUtf8()));
    }

    void putFormat(Txn<ByteBuffer> txn) {
        byte[] content =
                ByteBuffer.allocate(Integer.BYTES).putInt(FORMAT_VERSION).array();
        putChecked(databases.meta(), txn, FORMAT, FORMAT, Bytes.EMPTY, Bytes.wrap(content));
    }

    void putHead(Txn<ByteBuffer> txn, Head head) {
        putChecked(databases.meta(), txn, CHECKPOINT, CHECKPOINT, Bytes.EMPTY, head.encode());
    }

    void putInstalling(Txn<ByteBuffer> txn, Installing state) {
        Bytes content = state.target().encode().concat(Bytes.wrap(new byte[] {(byte) (state.entriesDone() ? 1 : 0)}));
        putChecked(databases.meta(), txn, INSTALLING, INSTALLING, Bytes.EMPTY, content);
    }

    void deleteInstalling(Txn<ByteBuffer> txn) {
        databases.meta().delete(txn, buffer.of(INSTALLING));
    }

    // Entries.

    @Nullable
    Bytes entry(Txn<ByteBuffer> txn, Bytes key) {
        ByteBuffer record = databases.entries().get(txn, buffer.of(place(key)));
        if (record == null) {
            return null;
        }
        if (isLong(key)) {
            LongEntry found = longEntry(record);
            return found.key().equals(key) ? found.value() : null;
        }
        return checked(key, record, "the entry of key " + key);
    }

    void putEntry(Txn<ByteBuffer> txn, Bytes key, Bytes value) {
        putChecked(databases.entries(), txn, place(key), key, isLong(key) ? sized(key) : Bytes.EMPTY, value);
    }

    void deleteEntry(Txn<ByteBuffer> txn, Bytes key) {
        deleteEntryAt(txn, place(key));
    }

    /**
     * Puts what {@link #record} has made to its {@link #place}.
     *
     * @param append the place lies behind all others: pages become full
     */
    void putEntryAt(Txn<ByteBuffer> txn, Bytes place, Bytes record, boolean append) {
        reserve(databases.entries(), txn, place, record.size(), append).put(record.asReadOnlyBuffer());
    }

    void deleteEntryAt(Txn<ByteBuffer> txn, Bytes place) {
        databases.entries().delete(txn, buffer.of(place));
    }

    /** What stands at the place of an entry. */
    static Bytes record(Bytes key, Bytes value) {
        Bytes header = isLong(key) ? sized(key) : Bytes.EMPTY;
        return Bytes.wrap(ByteBuffer.allocate(Integer.BYTES + header.size() + value.size())
                .putInt(checksum(key, value.asReadOnlyBuffer()))
                .put(header.asReadOnlyBuffer())
                .put(value.asReadOnlyBuffer())
                .array());
    }

    /** The value in what {@link #record} has made. */
    static Bytes value(Bytes key, Bytes record) {
        return record.slice(Integer.BYTES + (isLong(key) ? Short.BYTES + key.size() : 0), record.size());
    }

    private ByteBuffer reserve(Dbi<ByteBuffer> database, Txn<ByteBuffer> txn, Bytes key, int size, boolean append) {
        return append
                ? database.reserve(txn, buffer.of(key), size, PutFlags.MDB_APPEND)
                : database.reserve(txn, buffer.of(key), size);
    }

    /** Has an entry from elsewhere whose record, at {@code place}, is damaged; or throws that it is. */
    interface Spare {
        LeafEntry of(Bytes place, StorageFailure damage);
    }

    /** Hands over entries in ascending order of key, from {@code first} on, until the sink has enough. */
    void scan(Txn<ByteBuffer> txn, Bytes first, Spare spare, EntrySink sink) {
        Bytes start = isLong(first) ? first.slice(0, PLAIN_KEY_BYTES_MAX) : first;
        TreeMap<Bytes, Bytes> group = new TreeMap<>();
        Bytes groupStart = Bytes.EMPTY;
        try (Cursor<ByteBuffer> cursor = databases.entries().openCursor(txn)) {
            boolean found = cursor.get(buffer.of(start), GetOp.MDB_SET_RANGE);
            while (found) {
                Bytes place = LmdbEnvironment.copy(cursor.key());
                boolean inGroup = isLong(place) && place.startsWith(groupStart);
                if (!group.isEmpty() && !inGroup) {
                    if (!drain(group, first, sink)) {
                        return;
                    }
                }
                if (isLong(place)) {
                    groupStart = place.slice(0, PLAIN_KEY_BYTES_MAX);
                    LongEntry entry = longEntry(place, cursor.val(), spare);
                    group.put(entry.key(), entry.value());
                } else if (place.compareTo(first) >= 0 && !sink.take(place, value(place, cursor.val(), spare))) {
                    return;
                }
                found = cursor.next();
            }
        }
        drain(group, first, sink);
    }

    private Bytes value(Bytes place, ByteBuffer record, Spare spare) {
        try {
            return checked(place, record, "the entry of key " + place);
        } catch (StorageFailure damage) {
            return spare.of(place, damage).valueAtHand();
        }
    }

    private LongEntry longEntry(Bytes place, ByteBuffer record, Spare spare) {
        try {
            return longEntry(record);
        } catch (StorageFailure damage) {
            LeafEntry whole = spare.of(place, damage);
            return new LongEntry(whole.key(), whole.valueAtHand());
        }
    }

    private static boolean drain(TreeMap<Bytes, Bytes> group, Bytes first, EntrySink sink) {
        for (var entry : group.tailMap(first, true).entrySet()) {
            if (!sink.take(entry.getKey(), entry.getValue())) {
                return false;
            }
        }
        group.clear();
        return true;
    }

    private record LongEntry(Bytes key, Bytes value) {}

    private LongEntry longEntry(ByteBuffer record) {
        ByteBuffer in = record.duplicate();
        if (in.remaining() < Integer.BYTES + Short.BYTES) {
            throw databases.env().damaged("an entry with a long key", "the record ends early");
        }
        int checksum = in.getInt();
        int size = Short.toUnsignedInt(in.getShort());
        if (in.remaining() < size) {
            throw databases.env().damaged("an entry with a long key", "the record ends early");
        }
        Bytes key = LmdbEnvironment.copy(in.duplicate().limit(in.position() + size));
        in.position(in.position() + size);
        if (checksum != checksum(key, in)) {
            throw databases.env().damaged("the entry of key " + key, "its checksum is wrong");
        }
        return new LongEntry(key, LmdbEnvironment.copy(in));
    }

    private static boolean isLong(Bytes keyOrPlace) {
        return keyOrPlace.size() > PLAIN_KEY_BYTES_MAX;
    }

    /** Under what an entry stands in LMDB. */
    static Bytes place(Bytes key) {
        return isLong(key)
                ? key.slice(0, PLAIN_KEY_BYTES_MAX)
                        .concat(Digest.of(key).toBytes().slice(0, LONG_KEY_HASH_BYTES))
                : key;
    }

    /** As much as {@link #place} tells of the hash of the key. */
    static Bytes hashOfPlace(Bytes place) {
        return isLong(place)
                ? place.slice(PLAIN_KEY_BYTES_MAX, place.size())
                : Digest.of(place).toBytes();
    }

    boolean hasRecord(Txn<ByteBuffer> txn, Bytes place) {
        return databases.entries().get(txn, buffer.of(place)) != null;
    }

    StorageFailure damaged(String place, String how) {
        return databases.env().damaged(place, how);
    }

    private static Bytes sized(Bytes key) {
        return Bytes.wrap(ByteBuffer.allocate(Short.BYTES + key.size())
                .putShort((short) key.size())
                .put(key.asReadOnlyBuffer())
                .array());
    }

    private void putChecked(
            Dbi<ByteBuffer> database, Txn<ByteBuffer> txn, Bytes place, Bytes key, Bytes header, Bytes content) {
        ByteBuffer record = database.reserve(txn, buffer.of(place), Integer.BYTES + header.size() + content.size());
        ByteBuffer bytes = content.asReadOnlyBuffer();
        record.putInt(checksum(key, bytes)).put(header.asReadOnlyBuffer()).put(bytes);
    }

    private Bytes checked(Bytes key, ByteBuffer record, String name) {
        ByteBuffer content = record.duplicate();
        if (content.remaining() < Integer.BYTES || content.getInt() != checksum(key, content)) {
            throw databases.env().damaged(name, "its checksum is wrong");
        }
        return LmdbEnvironment.copy(content);
    }

    private static int checksum(Bytes key, ByteBuffer content) {
        CRC32C crc = new CRC32C();
        crc.update(key.asReadOnlyBuffer());
        crc.update(content.duplicate());
        return (int) crc.getValue();
    }

    // The tree.

    /** The node at {@code path} whose digest is {@code expected}. */
    TreeNode node(Txn<ByteBuffer> txn, Bytes path, Digest expected) {
        Inner known = inner.get(expected);
        if (known != null) {
            return known;
        }
        TreeNode node = readNode(txn, path, expected);
        if (node instanceof Inner read) {
            inner.put(expected, read);
            if (inner.size() > INNER_NODES_MAX) {
                inner.remove(inner.keySet().iterator().next());
            }
        }
        return node;
    }

    private TreeNode readNode(Txn<ByteBuffer> txn, Bytes path, Digest expected) {
        try {
            return TreeNode.decode(checkedNode(txn, path, expected));
        } catch (MalformedNode e) {
            throw new IllegalStateException("a node with the right digest is none", e);
        }
    }

    boolean hasNode(Txn<ByteBuffer> txn, Bytes path) {
        return databases.nodes().get(txn, buffer.of(NODE.concat(path))) != null;
    }

    /** What stands at a path, right or wrong. */
    @Nullable
    Bytes rawNode(Txn<ByteBuffer> txn, Bytes path) {
        ByteBuffer record = databases.nodes().get(txn, buffer.of(NODE.concat(path)));
        return record == null ? null : LmdbEnvironment.copy(record);
    }

    private Bytes checkedNode(Txn<ByteBuffer> txn, Bytes path, Digest expected) {
        Bytes content = rawNode(txn, path);
        if (content == null) {
            throw databases.env().damaged("node " + path + " of the state tree", "it is missing");
        }
        if (!Digest.of(content).equals(expected)) {
            throw databases.env().damaged("node " + path + " of the state tree", "its digest is wrong");
        }
        return content;
    }

    void putNode(Txn<ByteBuffer> txn, Bytes path, Bytes content) {
        putNode(txn, path, content, false);
    }

    /** @param append the path lies behind all others: pages become full */
    void putNode(Txn<ByteBuffer> txn, Bytes path, Bytes content, boolean append) {
        reserve(databases.nodes(), txn, NODE.concat(path), content.size(), append)
                .put(content.asReadOnlyBuffer());
    }

    /**
     * Deletes nodes in the order of their paths.
     *
     * @param first begins with the node there, or the next one
     * @param prefix ends with the last node whose path begins so
     * @param max deletes so many at most
     * @return how many
     */
    int deleteNodes(Txn<ByteBuffer> txn, Bytes first, Bytes prefix, int max) {
        Bytes all = NODE.concat(prefix);
        int deleted = 0;
        try (Cursor<ByteBuffer> cursor = databases.nodes().openCursor(txn)) {
            boolean found = cursor.get(buffer.of(NODE.concat(first)), GetOp.MDB_SET_RANGE);
            while (found && deleted < max && LmdbEnvironment.copy(cursor.key()).startsWith(all)) {
                cursor.delete();
                deleted++;
                found = cursor.next();
            }
        }
        return deleted;
    }

    void deleteNode(Txn<ByteBuffer> txn, Bytes path) {
        databases.nodes().delete(txn, buffer.of(NODE.concat(path)));
    }

    /** The tree as it lies in {@code txn}. Changing it needs a transaction that may write. */
    StateTree tree(Txn<ByteBuffer> txn) {
        return new StateTree(new StateTree.Nodes() {
            @Override
            public TreeNode load(Bytes path, Child child) {
                return node(txn, path, child.digest());
            }

            @Override
            public Child store(Bytes path, TreeNode node) {
                putNode(txn, path, node.encode());
                return new Child(node.count(), node.digest(), null);
            }

            @Override
            public void remove(Bytes path) {
                deleteNode(txn, path);
            }
        });
    }

    TreeNode root(Txn<ByteBuffer> txn, Head head) {
        return node(txn, Bytes.EMPTY, head.root());
    }

    /**
     * The content of the node, or the large value, at {@code path}, or null where there is none. A node is checked
     * against its parent's digest and not looked into: it is for others.
     */
    @Nullable
    Bytes content(Txn<ByteBuffer> txn, Head head, Bytes path) {
        if (path.isEmpty()) {
            return checkedNode(txn, path, head.root());
        }
        StateTree tree = tree(txn);
        if (!StateTree.isValuePath(path)) {
            int step = path.get(path.size() - 1);
            if (step < 0
                    || step >= StateTree.FANOUT
                    || !(tree.find(root(txn, head), path.slice(0, path.size() - 1)) instanceof Inner parent)) {
                return null;
            }
            Child child = parent.child(step);
            return child == null ? null : checkedNode(txn, path, child.digest());
        }
        int index = path.get(path.size() - 1);
        if (tree.find(root(txn, head), path.slice(0, path.size() - 2)) instanceof Leaf leaf
                && index >= 0
                && index < leaf.entries().size()
                && leaf.entries().get(index).isLarge()) {
            return value(txn, leaf.entries().get(index));
        }
        return null;
    }

    /** The value that the tree and the entries must agree about. */
    private Bytes value(Txn<ByteBuffer> txn, LeafEntry entry) {
        Bytes value = entry(txn, entry.key());
        if (value == null || !Objects.equals(TreeNode.digestOfValue(value), entry.valueDigest())) {
            throw databases.env().damaged("the entry of key " + entry.key(), "its value is not the tree's");
        }
        return value;
    }

    // Staging.

    @Nullable
    Bytes staged(Txn<ByteBuffer> txn, Bytes path) {
        ByteBuffer content = databases.staging().get(txn, buffer.of(NODE.concat(path)));
        return content == null ? null : LmdbEnvironment.copy(content);
    }

    void stage(Txn<ByteBuffer> txn, Bytes path, Bytes content) {
        databases
                .staging()
                .reserve(txn, buffer.of(NODE.concat(path)), content.size())
                .put(content.asReadOnlyBuffer());
    }

    void clearStaging(Txn<ByteBuffer> txn) {
        databases.staging().drop(txn, false);
    }
}
