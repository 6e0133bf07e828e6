package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What only the store in memory does; what all stores do is in {@link StateStoreContract}. */
class MemoryStateStoreTest extends StateStoreContract {
    private final MemoryStateStore.Disk disk = new MemoryStateStore.Disk();

    @Override
    StateStore open() {
        return new MemoryStateStore(disk);
    }

    @Override
    StateStore openOther() {
        return new MemoryStateStore(new MemoryStateStore.Disk());
    }

    @Override
    StateStore openThird() {
        return openOther();
    }

    @Test
    void aCrashLosesTheCheckpointThatIsUnderWay() {
        Deque<Runnable> writes = new ArrayDeque<>();
        List<Long> durable = new ArrayList<>();
        MemoryStateStore store = new MemoryStateStore(disk, writes::add);
        store.state().put(Bytes.utf8("a"), Bytes.utf8("1"));
        store.checkpoint(10, Map.of(), root -> durable.add(10L));
        store.state().put(Bytes.utf8("a"), Bytes.utf8("2"));
        store.checkpoint(20, Map.of(), root -> durable.add(20L));
        assertThat(store.seq()).isZero();
        writes.remove().run();
        assertThat(store.seq()).isEqualTo(10);
        assertThat(store.state().get(Bytes.utf8("a"))).contains(Bytes.utf8("2"));

        MemoryStateStore after = new MemoryStateStore(disk);
        writes.remove().run();
        assertThat(durable).containsExactly(10L);
        assertThat(after.seq()).isEqualTo(10);
        assertThat(after.state().get(Bytes.utf8("a"))).isEqualTo(Optional.of(Bytes.utf8("1")));
    }

    /** The plan of a transfer is made against the durable state: a checkpoint that becomes durable later changes it. */
    @Test
    void aTransferWaitsForTheCheckpointThatIsUnderWay() {
        Deque<Runnable> writes = new ArrayDeque<>();
        MemoryStateStore source = new MemoryStateStore(new MemoryStateStore.Disk());
        MemoryStateStore target = new MemoryStateStore(disk, writes::add);
        for (int i = 0; i < 100; i++) {
            source.state().put(Bytes.utf8("k" + i), Bytes.utf8("v"));
            target.state().put(Bytes.utf8("k" + i), Bytes.utf8("v"));
        }
        target.checkpoint(5, Map.of(), root -> {});
        writes.remove().run();
        source.state().put(Bytes.utf8("k1"), Bytes.utf8("w"));
        List<Digest> root = new ArrayList<>();
        source.checkpoint(10, Map.of(), root::add);
        for (int i = 50; i < 100; i++) {
            target.state().put(Bytes.utf8("k" + i), Bytes.utf8("another history"));
        }
        target.checkpoint(6, Map.of(), ignored -> {});

        StateInstall install = target.install(10, root.get(0));
        offerMissing(source, install);
        assertThat(install.missing(Set.of(), 1)).isEmpty();
        assertThat(install.complete()).isFalse();
        writes.remove().run();
        assertThat(install.missing(Set.of(), 1)).isNotEmpty();
        offerMissing(source, install);
        assertThat(install.complete()).isTrue();
        List<Boolean> ends = new ArrayList<>();
        install.commit(ends::add);
        assertThat(ends).isEmpty();
        writes.remove().run();
        assertThat(ends).containsExactly(true);
        assertThat(target.root()).isEqualTo(root.get(0));
        assertThat(target.state().get(Bytes.utf8("k99"))).contains(Bytes.utf8("v"));
    }

    private static void offerMissing(StateStore source, StateInstall install) {
        List<Bytes> missing = install.missing(Set.of(), 9);
        while (!missing.isEmpty()) {
            for (Bytes path : missing) {
                assertThat(install.offer(source.node(install.seq(), path).orElseThrow()))
                        .isTrue();
            }
            missing = install.missing(Set.of(), 9);
        }
    }
}
