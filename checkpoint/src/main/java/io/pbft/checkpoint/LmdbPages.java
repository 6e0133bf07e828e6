package io.pbft.checkpoint;

import io.pbft.crypto.Bytes;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Looks at an LMDB file before LMDB does. LMDB believes what its pages say: an offset or a page number with a flipped
 * bit makes it read or write outside of its map, which ends the process, or overwrite pages that are in use. So
 * everything by which it finds its way is checked here: both first pages, and, from the newer one down, each page's
 * number, kind and bounds, each node's place and size, the order of keys, the counts that each tree gives of itself,
 * and the list of free pages, which must have no page in common with the trees. What the values say is for
 * the caller to check, who is shown each.
 *
 * <p>The layout is that of LMDB 0.9 (data format 1), in the machine's byte order:
 *
 * <pre>
 *   page     number (8) | unused (2) | flags (2) | lower (2), upper (2); or number of overflow pages (4)
 *              | offsets of nodes (2 each, up to lower) | free | nodes (from upper on)
 *   node     size of value, or child's number (4) | flags, or the child's number's upper bits (2) | size of key (2)
 *              | key | value, or the number of the overflow page that it begins on
 *   meta     page's head | magic (4) | version (4) | address (8) | map size (8) | tree of free pages (48) | main tree
 *              (48) | last page (8) | transaction (8)
 *   tree     page size or unused (4) | flags (2) | depth (2) | branch pages, leaf pages, overflow pages, entries, root
 *   (8 each)
 * </pre>
 *
 * <p>{@link #check} reads every page that is in use once; {@link #checkSome} a few of them. NOT thread-safe, used once.
 */
final class LmdbPages {
    private static final int PAGE_HEAD_BYTES = 16;
    private static final int NODE_HEAD_BYTES = 8;
    private static final int TREE_BYTES = 48;
    private static final int KEY_BYTES_MAX = 511;
    private static final int DEPTH_MAX = 32;
    private static final long NO_PAGE = -1;

    private static final int META_MAGIC = 0xbeefc0de;
    private static final int META_VERSION = 1;
    private static final int META_MAGIC_OFFSET = 16;
    private static final int META_PAGE_BYTES_OFFSET = 40;
    private static final int META_FREE_OFFSET = 40;
    private static final int META_MAIN_OFFSET = 88;
    private static final int META_LAST_PAGE_OFFSET = 136;
    private static final int META_TRANSACTION_OFFSET = 144;
    private static final int META_BYTES = 152;

    private static final int PAGE_BRANCH = 1;
    private static final int PAGE_LEAF = 2;
    private static final int PAGE_OVERFLOW = 4;
    private static final int PAGE_META = 8;
    private static final int NODE_BIG = 1;
    private static final int NODE_TREE = 2;
    private static final int TREE_INTEGER_KEYS = 8;

    /** What a tree says of itself. */
    private record Tree(int flags, int depth, long branches, long leaves, long overflows, long entries, long root) {
        static Tree at(ByteBuffer in, int offset) {
            return new Tree(
                    in.getShort(offset + 4) & 0xffff,
                    in.getShort(offset + 6) & 0xffff,
                    in.getLong(offset + 8),
                    in.getLong(offset + 16),
                    in.getLong(offset + 24),
                    in.getLong(offset + 32),
                    in.getLong(offset + 40));
        }
    }

    /** What a walk through a tree counts. */
    private static final class Count {
        private long branches;
        private long leaves;
        private long overflows;
        private long entries;
    }

    /** What is to be done with the nodes of a leaf. */
    private enum Content {
        FREE_PAGES,
        TREES,
        VALUES
    }

    /** Looks at what a tree holds. */
    interface Values {
        /** @param tree the name of the tree */
        void check(String tree, ByteBuffer key, ByteBuffer value) throws Damage;

        /** After the last one. */
        void end() throws Damage;
    }

    /** Where it is wrong, and how. */
    static final class Damage extends Exception {
        private static final long serialVersionUID = 1L;

        Damage(String message) {
            super(message);
        }
    }

    private final CheckedFile file;
    private final Values values;
    private int pageBytes;
    private long pages;
    private long lastPage;
    private long transaction;
    private final BitSet used = new BitSet();

    /** Of the tree that is being walked through. */
    private String name = "";

    /**
     * Of the tree of which only a part is looked at: the keys behind {@code after}, from a bounded number of leaves.
     */
    private @Nullable Part part;

    private static final class Part {
        private final String tree;
        private final Bytes after;
        private int leavesLeft;

        /** The last key that was looked at. */
        private Bytes last;

        private boolean cut;

        Part(String tree, Bytes after, int leaves) {
            this.tree = tree;
            this.after = after;
            this.leavesLeft = leaves;
            this.last = after;
        }
    }

    private LmdbPages(CheckedFile file, Values values) {
        this.file = file;
        this.values = values;
    }

    /**
     * Looks through {@code file}; an empty one, or none, is as it must be.
     *
     * @throws Damage when LMDB must not see it
     */
    static void check(Path file, Values values) throws IOException, Damage {
        if (!Files.exists(file) || Files.size(file) == 0) {
            return;
        }
        try (CheckedFile open = CheckedFile.cached(file)) {
            new LmdbPages(open, values).check();
        } catch (EOFException e) {
            throw new Damage("it ends early");
        } catch (CheckedFile.Unreadable e) {
            throw new Damage(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Looks at some of the pages of one tree, as {@code transaction} left it, while others read and write. Whoever
     * calls this holds a read transaction of that number, so that none of these pages is used again meanwhile.
     *
     * @param after looks at what comes behind this key
     * @param leaves how many leaf pages, with the values that lie outside of them, are looked at
     * @return where to go on; empty: at the end of the tree
     * @throws Damage when something is not as it must be
     */
    static Optional<Bytes> checkSome(
            CheckedFile file, long transaction, String tree, Bytes after, int leaves, Values values)
            throws IOException, Damage {
        try {
            return new LmdbPages(file, values).checkSome(transaction, new Part(tree, after, leaves));
        } catch (EOFException e) {
            throw new Damage("it ends early");
        } catch (CheckedFile.Unreadable e) {
            throw new Damage(String.valueOf(e.getMessage()));
        }
    }

    private Optional<Bytes> checkSome(long number, Part wanted) throws IOException, Damage {
        ByteBuffer first = meta(0);
        pageBytes = first.getInt(META_PAGE_BYTES_OFFSET);
        requirePageSize();
        ByteBuffer meta = number % 2 == 0 ? first : meta(pageBytes);
        if (meta.getLong(META_TRANSACTION_OFFSET) > number) {
            // A later transaction has taken its place already: the caller tries again with that one.
            return Optional.of(wanted.after);
        }
        requireMeta(meta, (int) (number % 2));
        require(
                meta.getLong(META_TRANSACTION_OFFSET) == number,
                "page " + number % 2,
                "transaction " + number + " is not there");
        pages = file.size() / pageBytes;
        lastPage = meta.getLong(META_LAST_PAGE_OFFSET);
        transaction = number;
        part = wanted;
        walk(Tree.at(meta, META_MAIN_OFFSET), Content.TREES, "its trees");
        return wanted.cut ? Optional.of(wanted.last) : Optional.empty();
    }

    private void check() throws IOException, Damage {
        ByteBuffer newest = newestMeta();
        pages = file.size() / pageBytes;
        lastPage = newest.getLong(META_LAST_PAGE_OFFSET);
        require(lastPage >= 1 && lastPage < Integer.MAX_VALUE, "its first pages", "there is no page " + lastPage);
        used.set(0, 2);
        walk(Tree.at(newest, META_MAIN_OFFSET), Content.TREES, "its trees");
        walk(Tree.at(newest, META_FREE_OFFSET), Content.FREE_PAGES, "its list of free pages");
        values.end();
    }

    /**
     * The file begins with two pages that say where everything is, one of the last transaction and one of that before;
     * LMDB takes the one with the higher number. Were that number damaged, the last transaction would be gone without a
     * trace. But the numbers are always neighbours (after creation both are 0), the even one in the first page.
     */
    private ByteBuffer newestMeta() throws IOException, Damage {
        ByteBuffer first = meta(0);
        pageBytes = first.getInt(META_PAGE_BYTES_OFFSET);
        requirePageSize();
        ByteBuffer second = meta(pageBytes);
        requireMeta(first, 0);
        requireMeta(second, 1);
        long even = first.getLong(META_TRANSACTION_OFFSET);
        long odd = second.getLong(META_TRANSACTION_OFFSET);
        boolean created = even == 0 && odd == 0;
        require(
                created || (even % 2 == 0 && Math.abs(even - odd) == 1),
                "its first pages",
                "transactions " + even + " and " + odd + " are no neighbours");
        transaction = Math.max(even, odd);
        return even >= odd ? first : second;
    }

    private void requirePageSize() throws Damage {
        require(
                pageBytes >= 512 && pageBytes <= 65_536 && Integer.bitCount(pageBytes) == 1,
                "page 0",
                "the size of pages is wrong");
    }

    private ByteBuffer meta(long offset) throws IOException {
        return read(offset, META_BYTES);
    }

    private void requireMeta(ByteBuffer meta, int number) throws Damage {
        String place = "page " + number;
        require(
                meta.getInt(META_MAGIC_OFFSET) == META_MAGIC && meta.getInt(META_MAGIC_OFFSET + 4) == META_VERSION,
                place,
                "it is not the beginning of such a file");
        require(meta.getLong(0) == number && meta.getShort(10) == PAGE_META, place, "it is another page");
        require(meta.getInt(META_PAGE_BYTES_OFFSET) == pageBytes, place, "the size of pages is wrong");
        require(
                (Tree.at(meta, META_FREE_OFFSET).flags() & 0xff) == TREE_INTEGER_KEYS
                        && Tree.at(meta, META_MAIN_OFFSET).flags() == 0,
                place,
                "the kind of keys is wrong");
    }

    private void walk(Tree tree, Content content, String name) throws IOException, Damage {
        Count count = new Count();
        if (tree.root() == NO_PAGE) {
            require(tree.depth() == 0 && tree.entries() == 0, name, "it has entries and no root");
            return;
        }
        require(tree.depth() >= 1 && tree.depth() <= DEPTH_MAX, name, "its depth is " + tree.depth());
        walkPage(tree.root(), tree.depth(), content, count);
        if (part != null && content == Content.VALUES) {
            return;
        }
        require(
                count.branches == tree.branches()
                        && count.leaves == tree.leaves()
                        && count.overflows == tree.overflows()
                        && count.entries == tree.entries(),
                name,
                "it has not as many pages and entries as it says");
    }

    private void walkPage(long number, int depth, Content content, Count count) throws IOException, Damage {
        take(number, 1);
        ByteBuffer page = page(number);
        String place = "page " + number;
        int kind = depth == 1 ? PAGE_LEAF : PAGE_BRANCH;
        require(page.getShort(10) == kind, place, "it is of another kind");
        int nodes = checkedNodes(page, place, kind == PAGE_LEAF, content);
        if (kind == PAGE_LEAF) {
            count.leaves++;
            count.entries += nodes;
            walkLeaf(page, nodes, content, count, place);
            return;
        }
        require(nodes >= 2, place, "it has " + nodes + " children");
        count.branches++;
        for (int i = 0; i < nodes; i++) {
            if (isBeside(page, nodes, i, content)) {
                continue;
            }
            int node = offset(page, i);
            long child = (page.getInt(node) & 0xffff_ffffL) | ((page.getShort(node + 4) & 0xffffL) << 32);
            walkPage(child, depth - 1, content, count);
        }
    }

    private void walkLeaf(ByteBuffer page, int nodes, Content content, Count count, String place)
            throws IOException, Damage {
        Part some = content == Content.VALUES ? part : null;
        for (int i = 0; i < nodes; i++) {
            int node = offset(page, i);
            if (some != null) {
                Bytes key = LmdbEnvironment.copy(key(page, node));
                if (key.compareTo(some.after) <= 0) {
                    continue;
                }
                some.last = key;
            }
            walkValue(page, node, content, count, place);
        }
        if (some != null) {
            some.leavesLeft--;
        }
    }

    /** Whether child {@code i} of a branch is not to be looked into. */
    private boolean isBeside(ByteBuffer page, int nodes, int i, Content content) {
        Part some = content == Content.VALUES ? part : null;
        if (some == null) {
            return false;
        }
        if (some.leavesLeft <= 0) {
            some.cut = true;
            return true;
        }
        // Child i ends where child i + 1 begins.
        return i + 1 < nodes
                && LmdbEnvironment.copy(key(page, offset(page, i + 1))).compareTo(some.after) <= 0;
    }

    /** How many nodes a page has, after a look at the place, the size and the key of each. */
    private int checkedNodes(ByteBuffer page, String place, boolean leaf, Content content) throws Damage {
        int lower = page.getShort(12) & 0xffff;
        int upper = page.getShort(14) & 0xffff;
        require(
                lower > PAGE_HEAD_BYTES && lower % 2 == 0 && lower <= upper && upper <= pageBytes,
                place,
                "its bounds are wrong");
        int nodes = (lower - PAGE_HEAD_BYTES) / 2;
        int bytes = 0;
        @Nullable ByteBuffer before = null;
        for (int i = 0; i < nodes; i++) {
            int node = offset(page, i);
            require(
                    node >= upper && node % 2 == 0 && node + NODE_HEAD_BYTES <= pageBytes,
                    place,
                    "node " + i + " lies outside of it");
            int size = NODE_HEAD_BYTES + keySize(page, node) + (leaf ? inlineBytes(page, node) : 0);
            require(
                    keySize(page, node) <= KEY_BYTES_MAX && size > 0 && node + size <= pageBytes,
                    place,
                    "node " + i + " reaches beyond it");
            bytes += size + size % 2;
            if (leaf || i > 0) {
                ByteBuffer key = key(page, node);
                require(before == null || ascend(before, key, content), place, "its keys are not in order");
                before = key;
            }
        }
        require(bytes == pageBytes - upper, place, "its nodes overlap");
        return nodes;
    }

    private static boolean ascend(ByteBuffer before, ByteBuffer key, Content content) {
        if (content == Content.FREE_PAGES) {
            return key.remaining() == Long.BYTES
                    && before.remaining() == Long.BYTES
                    && before.getLong(before.position()) < key.getLong(key.position());
        }
        int difference = before.mismatch(key);
        if (difference < 0) {
            return false;
        }
        if (difference == before.remaining() || difference == key.remaining()) {
            return difference == before.remaining();
        }
        return Byte.compareUnsigned(before.get(difference), key.get(difference)) < 0;
    }

    private void walkValue(ByteBuffer page, int node, Content content, Count count, String place)
            throws IOException, Damage {
        int flags = page.getShort(node + 4) & 0xffff;
        int size = page.getInt(node);
        int value = node + NODE_HEAD_BYTES + keySize(page, node);
        long overflow = NO_PAGE;
        if (flags == NODE_BIG) {
            overflow = page.getLong(value);
            count.overflows += walkOverflow(overflow, size);
        } else {
            require(
                    content == Content.TREES ? flags == NODE_TREE : flags == 0,
                    place,
                    "a node of it is of another kind");
        }
        if (content == Content.TREES) {
            require(size == TREE_BYTES && overflow == NO_PAGE, place, "it describes no tree");
            Tree tree = Tree.at(page, value);
            require(tree.flags() == 0, place, "the kind of keys is wrong");
            name = StandardCharsets.UTF_8.decode(key(page, node)).toString();
            if (part == null || part.tree.equals(name)) {
                walk(tree, Content.VALUES, "its tree " + name);
            }
        } else if (content == Content.VALUES) {
            values.check(
                    name,
                    key(page, node),
                    overflow == NO_PAGE ? page.slice(value, size) : read(overflow * pageBytes + PAGE_HEAD_BYTES, size));
        } else {
            require(keySize(page, node) == Long.BYTES, place, "a free page's transaction is missing");
            long freedBy = page.getLong(node + NODE_HEAD_BYTES);
            require(freedBy > 0 && freedBy <= transaction, place, "pages were freed by transaction " + freedBy);
            ByteBuffer list = overflow == NO_PAGE
                    ? page.slice(value, size).order(ByteOrder.nativeOrder())
                    : read(overflow * pageBytes + PAGE_HEAD_BYTES, size);
            takeFree(list, place);
        }
    }

    /** How many pages a value of {@code size} bytes takes from {@code number} on. */
    private long walkOverflow(long number, int size) throws IOException, Damage {
        String place = "page " + number;
        long needed = (PAGE_HEAD_BYTES + (size & 0xffff_ffffL) + pageBytes - 1) / pageBytes;
        take(number, needed);
        ByteBuffer head = read(number * pageBytes, PAGE_HEAD_BYTES);
        require(
                head.getLong(0) == number && head.getShort(10) == PAGE_OVERFLOW && head.getInt(12) == needed,
                place,
                "it is not where that value begins");
        return needed;
    }

    private void takeFree(ByteBuffer list, String place) throws Damage {
        require(list.remaining() >= Long.BYTES, place, "a list of free pages is cut short");
        long length = list.getLong();
        require(length >= 0 && length <= list.remaining() / Long.BYTES, place, "a list of free pages is cut short");
        long before = Long.MAX_VALUE;
        for (long i = 0; i < length; i++) {
            long free = list.getLong();
            require(
                    free < before && free > 1 && free <= lastPage && !used.get((int) free),
                    place,
                    "page " + free + " is in use, and among those that are free");
            used.set((int) free);
            before = free;
        }
    }

    /** Takes pages for a tree: no other may have them. */
    private void take(long number, long count) throws Damage {
        String place = "page " + number;
        require(
                number > 1 && count > 0 && number + count - 1 <= lastPage && number + count <= pages,
                place,
                "there is no such page");
        int from = Math.toIntExact(number);
        int to = Math.toIntExact(number + count);
        int taken = used.nextSetBit(from);
        require(taken < 0 || taken >= to, place, "it is used twice");
        used.set(from, to);
    }

    private ByteBuffer page(long number) throws IOException, Damage {
        ByteBuffer page = read(number * pageBytes, pageBytes);
        require(page.getLong(0) == number, "page " + number, "it is another page");
        return page;
    }

    private ByteBuffer read(long offset, int bytes) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
        file.read(offset, in);
        if (in.hasRemaining()) {
            throw new EOFException();
        }
        return in.flip();
    }

    private static int offset(ByteBuffer page, int node) {
        return page.getShort(PAGE_HEAD_BYTES + 2 * node) & 0xffff;
    }

    private static int keySize(ByteBuffer page, int node) {
        return page.getShort(node + 6) & 0xffff;
    }

    private static ByteBuffer key(ByteBuffer page, int node) {
        return page.slice(node + NODE_HEAD_BYTES, keySize(page, node)).order(ByteOrder.nativeOrder());
    }

    /** Of a leaf's value, in the node itself. */
    private int inlineBytes(ByteBuffer page, int node) {
        if ((page.getShort(node + 4) & NODE_BIG) != 0) {
            return Long.BYTES;
        }
        int size = page.getInt(node);
        return size < 0 || size > pageBytes ? pageBytes : size;
    }

    private static void require(boolean holds, String place, String how) throws Damage {
        if (!holds) {
            throw new Damage(place + ": " + how);
        }
    }
}
