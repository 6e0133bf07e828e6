package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What a plan costs; what it finds is in {@link StateStoreContract}. */
class TreeInstallTest {
    private static final int ENTRIES = 20_000;

    private final MemoryStateStore source = new MemoryStateStore(new MemoryStateStore.Disk());
    private final StagingOnly local = new StagingOnly();
    private Digest root = Digest.ZERO;

    /** A store with nothing but a staging area. */
    private static final class StagingOnly implements TreeInstall.Local {
        final TreeMap<Bytes, Bytes> staging = new TreeMap<>();
        int lookedUp;
        boolean keepsUp = true;

        @Override
        public TreeNode node(Bytes path) {
            return path.isEmpty() ? TreeNode.Leaf.EMPTY : null;
        }

        @Override
        public Bytes value(Bytes key) {
            return null;
        }

        @Override
        public Bytes staged(Bytes path) {
            lookedUp++;
            return staging.get(path);
        }

        @Override
        public void stage(Bytes path, Bytes content) {
            staging.put(path, content);
        }

        @Override
        public boolean keepsUp() {
            return keepsUp;
        }

        @Override
        public boolean settled() {
            return true;
        }

        @Override
        public void install(TreeInstall complete) {
            throw new AssertionError("not of interest here");
        }
    }

    TreeInstallTest() {
        for (int i = 0; i < ENTRIES; i++) {
            source.state().put(Bytes.utf8("k" + i), Bytes.utf8("v" + i));
        }
        checkpoint(1);
    }

    private void checkpoint(long seq) {
        source.checkpoint(seq, Map.of(), digest -> root = digest);
    }

    private int fetch(TreeInstall install) {
        int nodes = 0;
        while (!install.complete()) {
            for (Bytes path : install.missing(Set.of(), 100)) {
                assertThat(install.offer(source.node(install.seq(), path).orElseThrow()))
                        .isTrue();
                nodes++;
            }
        }
        return nodes;
    }

    @Test
    void theNextTargetCostsWhatChanged() {
        TreeInstall first = new TreeInstall(1, root, local, null);
        int all = fetch(first);
        assertThat(all).isGreaterThan(ENTRIES / 16);
        source.state().put(Bytes.utf8("k7"), Bytes.utf8("changed"));
        checkpoint(2);
        local.lookedUp = 0;
        TreeInstall second = new TreeInstall(2, root, local, first);
        assertThat(fetch(second)).isLessThan(10);
        assertThat(local.lookedUp).isLessThan(2 * StateTree.FANOUT);
        assertThat(second.progress().entries()).isEqualTo(ENTRIES);
    }

    @Test
    void whatACrashLeftIsLookedThroughPieceByPiece() {
        int all = fetch(new TreeInstall(1, root, local, null));
        local.lookedUp = 0;
        TreeInstall again = new TreeInstall(1, root, local, null);
        int before = 0;
        while (!again.complete()) {
            assertThat(again.missing(Set.of(), 100)).isEmpty();
            assertThat(local.lookedUp - before).isBetween(1, TreeInstall.EXAMINED_PER_CALL_MAX);
            before = local.lookedUp;
        }
        assertThat(local.lookedUp).isEqualTo(all);
        assertThat(all).isGreaterThan(2 * TreeInstall.EXAMINED_PER_CALL_MAX);
    }

    @Test
    void nothingIsAskedForWhileTheDiskIsBehind() {
        TreeInstall install = new TreeInstall(1, root, local, null);
        local.keepsUp = false;
        assertThat(install.missing(Set.of(), 9)).isEmpty();
        local.keepsUp = true;
        assertThat(install.missing(Set.of(), 9)).containsExactly(Bytes.EMPTY);
        assertThat(install.missing(Set.of(Bytes.EMPTY), 9)).isEmpty();
    }

    @Test
    void theListStaysShort() {
        TreeInstall install = new TreeInstall(1, root, local, null);
        int longest = 0;
        while (!install.complete()) {
            List<Bytes> missing = install.missing(Set.of(), 1_000_000);
            longest = Math.max(longest, missing.size());
            for (Bytes path : missing.subList(0, Math.min(8, missing.size()))) {
                install.offer(source.node(1, path).orElseThrow());
            }
        }
        assertThat(longest).isLessThan(8 * StateTree.FANOUT * 5);
    }

    @Test
    void aNodeThatNobodyAskedForIsNotTaken() {
        TreeInstall install = new TreeInstall(1, root, local, null);
        Bytes below = Bytes.fromHex("0102");
        assertThat(install.offer(new StateNodes.Node(below, Bytes.wrap(new byte[1 << 20]))))
                .isTrue();
        assertThat(install.offer(source.node(1, below).orElseThrow())).isTrue();
        assertThat(local.staging).isEmpty();
        assertThat(install.progress().bytesReceived()).isZero();
    }
}
