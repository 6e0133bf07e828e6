package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SortedChangesTest {
    @TempDir
    Path folder;

    private Path file = Path.of("");
    private final TreeMap<Bytes, Optional<Bytes>> model = new TreeMap<>();

    @BeforeEach
    void inAFolderOfItsOwn() {
        file = folder.resolve("sort");
    }

    private SortedChanges filled(int changes, int memoryBytes) {
        Random random = new Random(changes);
        SortedChanges sorted = new SortedChanges(file, memoryBytes);
        while (model.size() < changes) {
            byte[] place = new byte[1 + random.nextInt(40)];
            random.nextBytes(place);
            byte[] record = new byte[random.nextInt(10) == 0 ? 100_000 : random.nextInt(300)];
            random.nextBytes(record);
            Optional<Bytes> change = random.nextInt(5) == 0 ? Optional.empty() : Optional.of(Bytes.wrap(record));
            if (model.putIfAbsent(Bytes.wrap(place), change) == null) {
                change.ifPresentOrElse(r -> sorted.put(Bytes.wrap(place), r), () -> sorted.delete(Bytes.wrap(place)));
            }
        }
        return sorted;
    }

    private void comeBackSorted(int changes, int memoryBytes) {
        List<Bytes> order = new ArrayList<>();
        TreeMap<Bytes, Optional<Bytes>> found = new TreeMap<>();
        try (SortedChanges sorted = filled(changes, memoryBytes)) {
            assertThat(sorted.channel != null).isEqualTo(memoryBytes < SortedChanges.MEMORY_BYTES);
            sorted.forEach((place, record) -> {
                order.add(place);
                found.put(place, Optional.ofNullable(record));
            });
        }
        assertThat(order).containsExactlyElementsOf(model.keySet());
        assertThat(found).isEqualTo(model);
        assertThat(file).doesNotExist();
    }

    @Test
    void fewAreSortedInMemory() {
        comeBackSorted(300, SortedChanges.MEMORY_BYTES);
    }

    @Test
    void manyAreMergedFromAFile() {
        comeBackSorted(2_000, 500_000);
    }

    @Test
    void nothingIsNothing() {
        comeBackSorted(0, SortedChanges.MEMORY_BYTES);
    }

    @Test
    void aDamagedFileIsNoticed() throws IOException {
        try (SortedChanges sorted = filled(500, 100_000)) {
            FileChannel channel = Objects.requireNonNull(sorted.channel);
            ByteBuffer octet = ByteBuffer.allocate(1);
            channel.read(octet, channel.size() / 2);
            channel.write(octet.put(0, (byte) (octet.get(0) ^ 8)).flip(), channel.size() / 2);
            assertThatThrownBy(() -> sorted.forEach((place, record) -> {}))
                    .isInstanceOf(StorageFailure.class)
                    .hasMessageContaining(file.toString());
        }
    }
}
