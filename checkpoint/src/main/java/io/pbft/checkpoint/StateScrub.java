package io.pbft.checkpoint;

import io.pbft.checkpoint.StateRepair.Place;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.checkpoint.TreeNode.Leaf;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.lmdbjava.Txn;

/**
 * Looks through a state that is in use, some pages at a time, each time as of the last transaction: no read transaction
 * stays open for longer than that, and so no page that was freed is kept from being used again.
 *
 * <p>It reads as {@link LmdbPages} and {@link StateCheck} do before a start, from the disk and not from the system's
 * cache, and finds records that are damaged, that are gone, or that are not those that the tree means; what is wrong
 * with the pages themselves it throws.
 *
 * <p>One thread's.
 */
final class StateScrub {
    /**
     * Leaf pages looked at in one step, with the values that lie outside of them: 128 KiB, and some ten milliseconds.
     */
    static final int LEAVES_PER_STEP = 32;

    private static final List<String> TREES = List.of("meta", StateCheck.ENTRIES, StateCheck.NODES);

    private final LmdbEnvironment env;
    private final StateTables tables;
    private final StateRepair repair;
    private int tree;
    private Bytes after = Bytes.EMPTY;

    StateScrub(LmdbEnvironment env, StateTables tables) {
        this.env = env;
        this.tables = tables;
        this.repair = new StateRepair(tables);
    }

    /** Whether the last step came to the end. The next one begins from the beginning. */
    boolean isAtEnd() {
        return tree == 0 && after.isEmpty();
    }

    /**
     * Goes on by some pages.
     *
     * @return records that are damaged
     * @throws StorageFailure when the pages themselves are
     */
    List<Place> step() {
        List<Place> damaged = new ArrayList<>();
        try (Txn<ByteBuffer> txn = env.read();
                CheckedFile file = CheckedFile.uncached(env.data())) {
            if (tables.installing(txn).isPresent()) {
                // Nothing in the tree is in its place until that is over.
                return damaged;
            }
            StateTables.Head head = tables.head(txn).orElseThrow();
            if (!tables.hasNode(txn, Bytes.EMPTY)) {
                damaged.add(new Place(false, Bytes.EMPTY));
                return damaged;
            }
            LmdbPages.Values values = new LmdbPages.Values() {
                @Override
                public void check(String name, ByteBuffer key, ByteBuffer value) {
                    damaged.addAll(checkRecord(txn, head, name, key, value));
                }

                @Override
                public void end() {
                    // What is missing is found by what speaks of it.
                }
            };
            Optional<Bytes> next =
                    LmdbPages.checkSome(file, txn.getId(), TREES.get(tree), after, LEAVES_PER_STEP, values);
            after = next.orElse(Bytes.EMPTY);
            if (next.isEmpty()) {
                tree = (tree + 1) % TREES.size();
            }
            return damaged;
        } catch (LmdbPages.Damage damage) {
            throw env.damaged(String.valueOf(damage.getMessage()), "found while it was in use");
        } catch (IOException e) {
            throw env.damaged("a page", "it cannot be read (" + StorageFailure.reason(e) + ")");
        }
    }

    private List<Place> checkRecord(
            Txn<ByteBuffer> txn, StateTables.Head head, String name, ByteBuffer key, ByteBuffer value) {
        Bytes place = LmdbEnvironment.copy(key);
        try {
            if (name.equals(StateCheck.ENTRIES)) {
                boolean right = StateCheck.isWholeEntry(key, value)
                        && repair.isInTree(txn, head, place, LmdbEnvironment.copy(value));
                return right ? List.of() : List.of(new Place(true, place));
            }
            if (name.equals(StateCheck.NODES)) {
                return checkNode(txn, head, place.slice(1, place.size()), LmdbEnvironment.copy(value));
            }
        } catch (StateRepair.Unreachable above) {
            // A node above it is damaged, and was found before: this one is looked at the next time.
        }
        return List.of();
    }

    /**
     * Whether it is the one that the tree has there, and what it speaks of is there: what is gone does not come by
     * itself.
     */
    private List<Place> checkNode(Txn<ByteBuffer> txn, StateTables.Head head, Bytes path, Bytes content) {
        if (!repair.expected(txn, head, path).equals(Optional.of(Digest.of(content)))) {
            return List.of(new Place(false, path));
        }
        List<Place> gone = new ArrayList<>();
        if (TreeInstall.decodeChecked(content) instanceof Inner inner) {
            for (int i = 0; i < StateTree.FANOUT; i++) {
                Bytes below = StateTree.childPath(path, i);
                if (inner.child(i) != null && !tables.hasNode(txn, below)) {
                    gone.add(new Place(false, below));
                }
            }
        } else if (TreeInstall.decodeChecked(content) instanceof Leaf leaf) {
            leaf.entries().forEach(entry -> {
                Bytes place = StateTables.place(entry.key());
                if (!tables.hasRecord(txn, place)) {
                    gone.add(new Place(true, place));
                }
            });
        }
        return gone;
    }
}
