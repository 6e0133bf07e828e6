package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.checkpoint.TreeNode.MalformedNode;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.nio.ByteBuffer;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Checks what the trees of a state's file hold, as {@link LmdbPages} comes by it: the checksum of every entry, which
 * covers its key, and the digest of every node of the state tree, from the root in the checkpoint's record down. It
 * needs no more memory than the nodes on a path: LMDB keeps nodes in the order of their paths, a parent before its
 * children.
 *
 * <p>What it leaves to those who read: whether an entry, right for itself, is the one that the tree means.
 *
 * <p>NOT thread-safe; used once.
 */
final class StateCheck implements LmdbPages.Values {
    private static final String META = "meta";
    static final String ENTRIES = "entries";
    static final String NODES = "nodes";

    /** Of nodes whose parents came by. */
    private final TreeMap<Bytes, Digest> expected = new TreeMap<>();

    private long seq = -1;
    private Digest root = Digest.ZERO;
    private long entries;
    private long entriesInTree;

    /** An install was cut short: the tree is partly of the state before, and the next start brings that to its end. */
    private boolean installing;

    /** Of the checkpoint that the state stands at; -1 while it is not known. */
    long seq() {
        return seq;
    }

    Digest root() {
        return root;
    }

    long entries() {
        return entries;
    }

    @Override
    public void check(String database, ByteBuffer place, ByteBuffer record) throws LmdbPages.Damage {
        switch (database) {
            case META -> checkMeta(LmdbEnvironment.copy(place), record);
            case ENTRIES -> {
                entries++;
                checkEntry(place, record);
            }
            case NODES -> checkNode(LmdbEnvironment.copy(place), record);
            default -> {
                // Staged nodes are checked against their parents when they are used.
            }
        }
    }

    @Override
    public void end() throws LmdbPages.Damage {
        if (installing) {
            return;
        }
        if (!expected.isEmpty()) {
            throw new LmdbPages.Damage("node " + expected.firstKey() + " of the state tree: it is missing");
        }
        if (entries != entriesInTree) {
            throw new LmdbPages.Damage("its entries: there are " + entries + ", and the tree has " + entriesInTree);
        }
    }

    private void checkMeta(Bytes key, ByteBuffer record) throws LmdbPages.Damage {
        ByteBuffer content = record.duplicate();
        if (!isWhole(key.asReadOnlyBuffer(), content)) {
            throw new LmdbPages.Damage("its " + key.toUtf8() + ": its checksum is wrong");
        }
        content.position(Integer.BYTES);
        boolean isTarget = key.equals(StateTables.INSTALLING);
        installing |= isTarget;
        if ((key.equals(StateTables.CHECKPOINT) || isTarget) && content.remaining() >= StateTables.Head.BYTES) {
            seq = content.getLong();
            root = Digest.copyOf(LmdbEnvironment.copy(content).toByteArray(), 0, Digest.SIZE);
            expected.put(Bytes.EMPTY, root);
        }
    }

    /** Whether the checksum of an entry is right. */
    static boolean isWholeEntry(ByteBuffer place, ByteBuffer record) {
        if (place.remaining() > StateTables.PLAIN_KEY_BYTES_MAX) {
            // The key stands in the record, between its size and the value, and the checksum leaves out the size.
            return record.remaining() >= Integer.BYTES + Short.BYTES && isWholeBehindSize(record);
        }
        return isWhole(place, record);
    }

    private static void checkEntry(ByteBuffer place, ByteBuffer record) throws LmdbPages.Damage {
        if (!isWholeEntry(place, record)) {
            throw new LmdbPages.Damage("the entry of key " + LmdbEnvironment.copy(place) + ": its checksum is wrong");
        }
    }

    private static boolean isWhole(ByteBuffer key, ByteBuffer record) {
        if (record.remaining() < Integer.BYTES) {
            return false;
        }
        CRC32C crc = new CRC32C();
        crc.update(key.duplicate());
        crc.update(record.duplicate().position(Integer.BYTES));
        return record.duplicate().getInt(0) == (int) crc.getValue();
    }

    private static boolean isWholeBehindSize(ByteBuffer record) {
        CRC32C crc = new CRC32C();
        crc.update(record.duplicate().position(Integer.BYTES + Short.BYTES));
        return record.duplicate().getInt(0) == (int) crc.getValue();
    }

    private void checkNode(Bytes key, ByteBuffer content) throws LmdbPages.Damage {
        if (installing) {
            return;
        }
        Bytes path = key.slice(1, key.size());
        Digest digest = expected.remove(path);
        if (digest == null) {
            throw new LmdbPages.Damage("node " + path + " of the state tree: nothing leads to it");
        }
        try {
            TreeNode node = TreeNode.decode(LmdbEnvironment.copy(content));
            if (!node.digest().equals(digest)) {
                throw new LmdbPages.Damage("node " + path + " of the state tree: its digest is wrong");
            }
            if (node instanceof Leaf leaf) {
                entriesInTree += leaf.entries().size();
                return;
            }
            Inner parent = (Inner) node;
            for (int i = 0; i < StateTree.FANOUT; i++) {
                Child child = parent.child(i);
                if (child != null) {
                    expected.put(StateTree.childPath(path, i), child.digest());
                }
            }
        } catch (MalformedNode e) {
            throw new LmdbPages.Damage("node " + path + " of the state tree: " + e.getMessage());
        }
    }
}
