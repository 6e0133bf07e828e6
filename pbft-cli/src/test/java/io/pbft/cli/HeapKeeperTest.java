package io.pbft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeapKeeperTest {
    private static final long MIB = 1 << 20;

    private long used;
    private long lives;
    private int collections;

    private final HeapKeeper keeper = new HeapKeeper(() -> used, () -> {
        collections++;
        used = lives;
    });

    private int collectionsAt(long mebibytes) {
        used = mebibytes * MIB;
        int before = collections;
        keeper.look();
        return collections - before;
    }

    @Test
    void collectsOnceWhatIsInUseMayBeGarbageForTheLargerPart() {
        assertThat(collectionsAt(32)).isZero();
        lives = 20 * MIB;
        assertThat(collectionsAt(33)).isEqualTo(1);
        assertThat(collectionsAt(62)).isZero();
        assertThat(collectionsAt(63)).isEqualTo(1);
    }

    /** A state that lives is not collected again and again. */
    @Test
    void growsWithWhatLives() {
        lives = 200 * MIB;
        assertThat(collectionsAt(201)).isEqualTo(1);
        assertThat(collectionsAt(332)).isZero();
        assertThat(collectionsAt(333)).isEqualTo(1);
        lives = 10 * MIB;
        assertThat(collectionsAt(333)).isEqualTo(1);
        assertThat(collectionsAt(48)).isEqualTo(1);
    }
}
