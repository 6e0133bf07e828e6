package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LmdbPagesTest {
    private static final int PAGE_BYTES = 4096;

    @TempDir
    Path folder;

    private Path data() {
        return folder.resolve("state/data.mdb");
    }

    private void check() throws IOException, LmdbPages.Damage {
        LmdbPages.check(data(), new StateCheck());
    }

    /** States of all shapes: small and large values, long keys, deletions, pages that became free. */
    private void work(long seed, int rounds) throws IOException, LmdbPages.Damage {
        Random random = new Random(seed);
        try (LmdbStateStore store = LmdbStateStore.open(folder, Runnable::run, failure -> {})) {
            long first = store.seq();
            for (long seq = first + 1; seq <= first + rounds; seq++) {
                for (int i = 0; i < 200; i++) {
                    Bytes key = key(random.nextInt(1_500));
                    if (random.nextInt(3) == 0) {
                        store.state().delete(key);
                    } else {
                        int size = random.nextInt(20) == 0 ? random.nextInt(60_000) : random.nextInt(300);
                        store.state().put(key, StateStoreContract.large(random.nextInt(), size));
                    }
                }
                java.util.concurrent.CompletableFuture<Boolean> durable =
                        new java.util.concurrent.CompletableFuture<>();
                store.checkpoint(seq, Map.of(), root -> durable.complete(true));
                durable.join();
                store.release(seq, Set.of());
            }
        }
        check();
    }

    private static Bytes key(int number) {
        return Bytes.utf8("key " + number + "x".repeat(number % 50 == 0 ? 600 : number % 40));
    }

    @Test
    void whatLmdbWroteIsAsItMustBe() throws IOException, LmdbPages.Damage {
        for (int seed = 0; seed < 10; seed++) {
            work(seed, 4);
        }
    }

    @Test
    void noFileAndAnEmptyOneAreAsTheyMustBe() throws IOException {
        assertThatCode(this::check).doesNotThrowAnyException();
        Files.createDirectory(folder.resolve("state"));
        Files.createFile(data());
        assertThatCode(this::check).doesNotThrowAnyException();
    }

    /** In the head of a page that is in use nothing can change unseen. */
    @Test
    void everyDamagedHeadOfAPageInUseIsFound() throws IOException, LmdbPages.Damage {
        work(1, 4);
        byte[] whole = Files.readAllBytes(data());
        // A page that was never used, or is free, may hold anything: those are the ones that can be overwritten.
        int found = 0;
        for (int page = 0; page * PAGE_BYTES < whole.length; page++) {
            byte[] damaged = whole.clone();
            Arrays.fill(damaged, page * PAGE_BYTES, (page + 1) * PAGE_BYTES, (byte) 0xaa);
            if (isFound(damaged)) {
                found++;
                for (int offset : new int[] {0, 7, 10, 11, 12, 13, 14, 15}) {
                    ByteBuffer.wrap(damaged).put(whole);
                    damaged[page * PAGE_BYTES + offset] ^= (byte) (1 << (page + offset) % 8);
                    // The first pages have no bounds.
                    assertThat(isFound(damaged) || (page < 2 && offset > 11))
                            .as("page %d, byte %d", page, offset)
                            .isTrue();
                }
            }
        }
        assertThat(found).isGreaterThan(100);
    }

    private boolean isFound(byte[] bytes) throws IOException {
        Files.write(data(), bytes);
        try {
            check();
            return false;
        } catch (LmdbPages.Damage damage) {
            return true;
        }
    }

    @Test
    void aFileThatIsCutShortIsFound() throws IOException, LmdbPages.Damage {
        work(1, 2);
        byte[] whole = Files.readAllBytes(data());
        for (int size : new int[] {1, 100, PAGE_BYTES, 2 * PAGE_BYTES, whole.length / 2}) {
            assertThat(isFound(Arrays.copyOf(whole, size))).isTrue();
        }
    }

    @Test
    void pagesThatChangedPlacesAreFound() throws IOException, LmdbPages.Damage {
        work(1, 2);
        byte[] swapped = Files.readAllBytes(data());
        byte[] first = Arrays.copyOfRange(swapped, 0, PAGE_BYTES);
        System.arraycopy(swapped, PAGE_BYTES, swapped, 0, PAGE_BYTES);
        System.arraycopy(first, 0, swapped, PAGE_BYTES, PAGE_BYTES);
        assertThat(isFound(swapped)).isTrue();
    }

    @Test
    void aFileOfSomethingElseIsNamed() throws IOException {
        Files.createDirectory(folder.resolve("state"));
        Files.write(data(), new byte[20_000]);
        assertThatThrownBy(() -> LmdbStateStore.open(folder, Runnable::run, failure -> {}))
                .isInstanceOfSatisfying(
                        StorageFailure.class,
                        failure -> assertThat(failure.isDamageOf(StorageFailure.Part.STATE))
                                .isTrue())
                .hasMessageContaining(data().toString())
                .hasMessageContaining("page 0");
    }
}
