package io.pbft.checkpoint;

import io.pbft.checkpoint.StateRepair.Place;
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
 * cache, and finds records that are damaged; what is wrong with the pages themselves it throws.
 *
 * <p>One thread's.
 */
final class StateScrub {
    /** Leaf pages looked at in one step, with the values that lie outside of them: 128 KiB, some milliseconds. */
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
            LmdbPages.Values values = new LmdbPages.Values() {
                @Override
                public void check(String name, ByteBuffer key, ByteBuffer value) {
                    checkRecord(txn, head, name, key, value).ifPresent(damaged::add);
                }

                @Override
                public void end() {
                    // Only a look at everything could say that something is missing.
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

    private Optional<Place> checkRecord(
            Txn<ByteBuffer> txn, StateTables.Head head, String name, ByteBuffer key, ByteBuffer value) {
        if (name.equals(StateCheck.ENTRIES)) {
            return StateCheck.isWholeEntry(key, value)
                    ? Optional.empty()
                    : Optional.of(new Place(true, LmdbEnvironment.copy(key)));
        }
        if (name.equals(StateCheck.NODES)) {
            Bytes path = LmdbEnvironment.copy(key).slice(1, key.remaining());
            try {
                Optional<Digest> wanted = repair.expected(txn, head, path);
                return wanted.equals(Optional.of(Digest.of(LmdbEnvironment.copy(value))))
                        ? Optional.empty()
                        : Optional.of(new Place(false, path));
            } catch (StateRepair.Unreachable above) {
                // A node above it is damaged, and was found before: this one is looked at the next time.
                return Optional.empty();
            }
        }
        return Optional.empty();
    }
}
