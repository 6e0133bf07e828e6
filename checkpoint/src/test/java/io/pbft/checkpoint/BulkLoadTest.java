package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BulkLoadTest {
    @Test
    void aLoadedStateIsTheOneThatPutsMake(@TempDir Path folder) {
        MemoryStateStore model = new MemoryStateStore(new MemoryStateStore.Disk());
        for (int i = 0; i < 3_000; i++) {
            model.state().put(BulkLoad.key(i), BulkLoad.value(new Random(i), 300));
        }
        model.checkpoint(1, Map.of(), root -> {});
        BulkLoad.load(folder, 3_000, 300);
        try (LmdbStateStore store = LmdbStateStore.open(folder, Runnable::run, failure -> {
            throw failure;
        })) {
            assertThat(store.seq()).isEqualTo(1);
            assertThat(store.root()).isEqualTo(model.root());
            assertThat(store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 4_000))
                    .isEqualTo(model.state().scan(Bytes.EMPTY, Bytes.EMPTY, 4_000));
        }
    }
}
