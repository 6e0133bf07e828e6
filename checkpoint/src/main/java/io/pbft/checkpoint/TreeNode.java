package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A node of the {@link StateTree}: a leaf with entries or an inner node with children. Immutable and thread-safe.
 *
 * <p>Its content is what travels and what is hashed; integers are big-endian:
 *
 * <pre>
 *   leaf    0x00, number of entries (1 byte), then for each entry, in ascending order of SHA-256(key):
 *           size of the key (2), key, size of the value (4), and the value itself when it has at most
 *           {@link StateTree#INLINE_VALUE_BYTES_MAX} bytes, otherwise its digest (32)
 *   inner   0x01, which of the 16 children there are, a bit each (2), then for each: entries below it (8), its digest (32)
 *   value   the bytes of a value that is too large for its leaf; hashed with 0x02 before it
 * </pre>
 *
 * <p>The first byte tells leaf, inner node and value apart under the hash, so that none can pass for another.
 */
abstract sealed class TreeNode permits TreeNode.Leaf, TreeNode.Inner {
    private static final byte LEAF_TAG = 0x00;
    private static final byte INNER_TAG = 0x01;
    private static final byte VALUE_TAG = 0x02;

    private static final int CHILD_BYTES = Long.BYTES + Digest.SIZE;

    /** Entries in this subtree. */
    abstract long count();

    /** The SHA-256 of {@link #encode}. */
    abstract Digest digest();

    abstract Bytes encode();

    static Digest digestOfValue(Bytes value) {
        return Digest.ofTagged(VALUE_TAG, value);
    }

    /** The bytes are not the content of a node. */
    static final class MalformedNode extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedNode(String message) {
            super(message);
        }
    }

    /**
     * An entry of a leaf.
     *
     * @param hash SHA-256(key): its place in the tree
     * @param valueDigest of a value too large to stand in the leaf; null: it stands there
     * @param value null when it is large and not at hand
     */
    record LeafEntry(
            Bytes hash,
            Bytes key,
            int valueBytes,
            @Nullable Digest valueDigest,
            @Nullable Bytes value) {
        static LeafEntry of(Bytes hash, Bytes key, Bytes value) {
            boolean large = value.size() > StateTree.INLINE_VALUE_BYTES_MAX;
            return new LeafEntry(hash, key, value.size(), large ? digestOfValue(value) : null, value);
        }

        boolean isLarge() {
            return valueDigest != null;
        }

        /** Whether both have the same key and value, as far as digests can tell. */
        boolean sameAs(LeafEntry other) {
            if (valueBytes != other.valueBytes || !key.equals(other.key)) {
                return false;
            }
            if (valueDigest != null) {
                return Objects.equals(valueDigest, other.valueDigest);
            }
            return Objects.equals(value, other.value);
        }

        Bytes valueAtHand() {
            if (value == null) {
                throw new IllegalStateException("the value of " + key + " is not at hand");
            }
            return value;
        }

        private int encodedBytes() {
            return Short.BYTES + key.size() + Integer.BYTES + (valueDigest != null ? Digest.SIZE : valueBytes);
        }

        private void encode(ByteBuffer out) {
            out.putShort((short) key.size());
            put(out, key);
            out.putInt(valueBytes);
            put(out, valueDigest != null ? valueDigest.toBytes() : valueAtHand());
        }

        private static void put(ByteBuffer out, Bytes bytes) {
            out.put(bytes.asReadOnlyBuffer());
        }

        private static LeafEntry decode(ByteBuffer in) throws MalformedNode {
            Bytes key = take(in, Short.toUnsignedInt(in.getShort()));
            int size = in.getInt();
            if (key.isEmpty() || size < 0 || size > StateTree.VALUE_BYTES_MAX) {
                throw new MalformedNode("an entry with a key of " + key.size() + " and a value of " + size + " bytes");
            }
            Bytes hash = Digest.of(key).toBytes();
            if (size > StateTree.INLINE_VALUE_BYTES_MAX) {
                Bytes digest = take(in, Digest.SIZE);
                return new LeafEntry(hash, key, size, Digest.copyOf(digest.toByteArray(), 0, Digest.SIZE), null);
            }
            return new LeafEntry(hash, key, size, null, take(in, size));
        }
    }

    /** At most {@link StateTree#LEAF_ENTRIES_MAX} entries, in ascending order of their hashes. */
    static final class Leaf extends TreeNode {
        static final Leaf EMPTY = new Leaf(List.of());

        private final List<LeafEntry> entries;
        private final Digest digest;

        Leaf(List<LeafEntry> entries) {
            this.entries = List.copyOf(entries);
            this.digest = Digest.of(encode());
        }

        List<LeafEntry> entries() {
            return entries;
        }

        @Override
        long count() {
            return entries.size();
        }

        @Override
        Digest digest() {
            return digest;
        }

        @Override
        Bytes encode() {
            int size = 2;
            for (LeafEntry entry : entries) {
                size += entry.encodedBytes();
            }
            ByteBuffer out = ByteBuffer.allocate(size).put(LEAF_TAG).put((byte) entries.size());
            for (LeafEntry entry : entries) {
                entry.encode(out);
            }
            return Bytes.wrap(out.array());
        }
    }

    /**
     * What a parent knows of a child.
     *
     * @param node null when it is not in memory
     */
    record Child(long count, Digest digest, @Nullable TreeNode node) {}

    /** More than {@link StateTree#LEAF_ENTRIES_MAX} entries, told apart by the next four bits of their hashes. */
    static final class Inner extends TreeNode {
        private final @Nullable Child[] children;
        private final long count;
        private final Digest digest;

        /** @param children {@link StateTree#FANOUT} of them, null where there is none; handed over */
        Inner(@Nullable Child[] children) {
            this.children = children;
            long sum = 0;
            for (Child child : children) {
                sum += child == null ? 0 : child.count();
            }
            this.count = sum;
            this.digest = Digest.of(encode());
        }

        @Nullable
        Child child(int index) {
            return children[index];
        }

        @Nullable
        Child[] copyOfChildren() {
            return children.clone();
        }

        @Override
        long count() {
            return count;
        }

        @Override
        Digest digest() {
            return digest;
        }

        @Override
        Bytes encode() {
            int bitmap = 0;
            for (int i = 0; i < StateTree.FANOUT; i++) {
                bitmap |= children[i] == null ? 0 : 1 << i;
            }
            ByteBuffer out = ByteBuffer.allocate(1 + Short.BYTES + Integer.bitCount(bitmap) * CHILD_BYTES);
            out.put(INNER_TAG).putShort((short) bitmap);
            for (Child child : children) {
                if (child != null) {
                    out.putLong(child.count());
                    child.digest().copyTo(out.array(), out.position());
                    out.position(out.position() + Digest.SIZE);
                }
            }
            return Bytes.wrap(out.array());
        }
    }

    /**
     * The node whose content this is. Form alone is checked: whether it is the right one is for its digest to say.
     *
     * @throws MalformedNode when it is the content of no node
     */
    static TreeNode decode(Bytes content) throws MalformedNode {
        ByteBuffer in = content.asReadOnlyBuffer();
        if (in.remaining() < 2) {
            throw new MalformedNode("a node of " + content.size() + " bytes");
        }
        byte tag = in.get();
        if (tag != LEAF_TAG && tag != INNER_TAG) {
            throw new MalformedNode("a node with tag " + tag);
        }
        try {
            TreeNode node = tag == LEAF_TAG ? decodeLeaf(in) : decodeInner(in);
            if (in.hasRemaining()) {
                throw new MalformedNode(in.remaining() + " bytes after a node's end");
            }
            return node;
        } catch (java.nio.BufferUnderflowException e) {
            throw new MalformedNode("a node that ends early");
        }
    }

    private static Leaf decodeLeaf(ByteBuffer in) throws MalformedNode {
        int count = Byte.toUnsignedInt(in.get());
        if (count > StateTree.LEAF_ENTRIES_MAX) {
            throw new MalformedNode("a leaf with " + count + " entries");
        }
        List<LeafEntry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            LeafEntry entry = LeafEntry.decode(in);
            if (i > 0 && entries.get(i - 1).hash().compareTo(entry.hash()) >= 0) {
                throw new MalformedNode("a leaf out of order");
            }
            entries.add(entry);
        }
        return new Leaf(entries);
    }

    private static Inner decodeInner(ByteBuffer in) throws MalformedNode {
        int bitmap = Short.toUnsignedInt(in.getShort());
        @Nullable Child[] children = new Child[StateTree.FANOUT];
        for (int i = 0; i < StateTree.FANOUT; i++) {
            if ((bitmap >> i & 1) == 1) {
                long count = in.getLong();
                byte[] digest = new byte[Digest.SIZE];
                in.get(digest);
                if (count <= 0 || count > StateTree.ENTRIES_MAX) {
                    throw new MalformedNode("a child with " + count + " entries");
                }
                children[i] = new Child(count, Digest.copyOf(digest, 0, digest.length), null);
            }
        }
        return new Inner(children);
    }

    private static Bytes take(ByteBuffer in, int size) throws MalformedNode {
        if (size > in.remaining()) {
            throw new MalformedNode("a node that ends early");
        }
        byte[] bytes = new byte[size];
        in.get(bytes);
        return Bytes.wrap(bytes);
    }
}
