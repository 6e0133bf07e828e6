package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
}
