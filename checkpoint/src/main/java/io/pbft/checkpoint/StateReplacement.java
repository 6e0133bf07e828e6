package io.pbft.checkpoint;

import io.pbft.checkpoint.TreeNode.Child;
import io.pbft.checkpoint.TreeNode.Inner;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Txn;

/**
 * Turns the state into the one whose missing nodes are staged, in transactions of bounded size.
 *
 * <pre>
 *   look      at both trees: which entries change                    nothing is written
 *   entries   in the order of their keys: {@link SortedChanges}      the tree is the old one still
 *   nodes     in the order of their paths, as the new tree is walked entries are not touched any more
 *   end       the staging area is emptied, and the new checkpoint's record written
 * </pre>
 *
 * <p>Everything staged is checked once more against the certified root before anything is written.
 *
 * <p><b>After a crash</b> between two transactions {@link StateTables.Installing} says how far it was, and the same is
 * done again from the beginning of that step. It gives the same then: entries follow from the old tree, which is whole
 * until all of them are there, and nodes from what is staged alone, which stays until the end.
 *
 * <p>NOT thread-safe.
 */
final class StateReplacement {
    /** Something staged is not what it was when it arrived: the disk has changed it. */
    static final class StagedDamage extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StagedDamage(String message) {
            super(message);
        }
    }

    /** Nodes that are deleted at a time. */
    private static final int DELETED_MAX = 256;

    private final StateTables tables;
    private final LmdbEnvironment.Parts parts;
    private final Txn<ByteBuffer> old;
    private final boolean again;

    /** Nothing was there before: everything is appended. */
    private boolean fromNothing;

    /**
     * @param parts takes what changes
     * @param old shows what it begins with, and stays so
     * @param again whether a crash may have left some of what is to be written
     */
    StateReplacement(StateTables tables, LmdbEnvironment.Parts parts, Txn<ByteBuffer> old, boolean again) {
        this.tables = tables;
        this.parts = parts;
        this.old = old;
        this.again = again;
    }

    /**
     * @param begun how far it is
     * @param sortFile for entries while they are brought into order
     * @throws StagedDamage when a staged node is missing or damaged; if not {@code again}, nothing was written
     */
    void run(StateTables.Installing begun, Path sortFile) {
        StateTables.Head before = tables.head(old).orElseThrow();
        StateTables.Head target = begun.target();
        if (!before.root().equals(target.root())) {
            if (!begun.entriesDone()) {
                TreeNode mine = tables.root(old, before);
                fromNothing = mine.count() == 0 && !again;
                try (SortedChanges entries = new SortedChanges(sortFile)) {
                    new StateDifference(tables, old, entries).look(mine, target.root());
                    tables.putInstalling(parts.txn(), begun);
                    entries.forEach(this::write);
                }
            }
            tables.putInstalling(parts.txn(), new StateTables.Installing(target, true));
            putNodes(Bytes.EMPTY, target.root());
        }
        tables.clearStaging(parts.txn());
        tables.putHead(parts.txn(), target);
        tables.deleteInstalling(parts.txn());
    }

    private void write(Bytes place, @Nullable Bytes record) {
        if (record == null) {
            tables.deleteEntryAt(parts.txn(), place);
        } else {
            tables.putEntryAt(parts.txn(), place, record, fromNothing);
        }
        parts.wrote(1, record == null ? 0 : record.size());
    }

    /**
     * Writes what is staged of the new tree, and deletes what has no place in it; what is not staged is there already.
     */
    private void putNodes(Bytes path, Digest wanted) {
        Bytes content = tables.staged(old, path);
        if (content == null || !Digest.of(content).equals(wanted)) {
            return;
        }
        tables.putNode(parts.txn(), path, content, fromNothing && !path.isEmpty());
        parts.wrote(1, content.size());
        if (!(TreeInstall.decodeChecked(content) instanceof Inner inner)) {
            deleteNodes(StateTree.childPath(path, 0), path);
            return;
        }
        for (int i = 0; i < StateTree.FANOUT; i++) {
            Bytes below = StateTree.childPath(path, i);
            Child child = inner.child(i);
            if (child == null) {
                deleteNodes(below, below);
            } else {
                putNodes(below, child.digest());
            }
        }
    }

    private void deleteNodes(Bytes first, Bytes prefix) {
        int deleted = fromNothing ? 0 : DELETED_MAX;
        while (deleted == DELETED_MAX) {
            deleted = tables.deleteNodes(parts.txn(), first, prefix, DELETED_MAX);
            parts.wrote(deleted, 0);
        }
    }
}
