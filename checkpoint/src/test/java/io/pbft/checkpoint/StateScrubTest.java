package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.checkpoint.StateRepair.Place;
import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.StateNodes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Records of which each is right for itself, and which are not what the tree means. */
class StateScrubTest {
    private static final int KEYS = 3_000;
    private static final int VALUE_BYTES = 100;

    @TempDir
    private Path folder;

    private LmdbEnvironment env;
    private StateTables tables;

    @BeforeEach
    void load() {
        BulkLoad.load(folder, KEYS, VALUE_BYTES);
        env = LmdbEnvironment.open(
                folder.resolve("state"),
                "the state",
                LmdbStateStore.MAP_BYTES,
                StateTables.Databases.COUNT,
                new StateCheck());
        tables = new StateTables(StateTables.Databases.open(env));
    }

    @AfterEach
    void close() {
        env.close();
    }

    private List<Place> look() {
        StateScrub scrub = new StateScrub(env, new StateTables(StateTables.Databases.open(env)));
        List<Place> found = new ArrayList<>(scrub.step());
        while (!scrub.isAtEnd()) {
            found.addAll(scrub.step());
        }
        return found;
    }

    private static Bytes place(int key) {
        return StateTree.key(StateTree.APPLICATION, BulkLoad.key(key));
    }

    @Test
    void entriesThatAreGoneOrOlderAreFoundAndPutBack() {
        assertThat(look()).isEmpty();
        env.write(txn -> {
            tables.deleteEntry(txn, place(5));
            tables.putEntry(txn, place(6), BulkLoad.value(new Random(1), VALUE_BYTES));
        });
        List<Place> found = look();
        assertThat(found).containsExactlyInAnyOrder(new Place(true, place(5)), new Place(true, place(6)));
        StateRepair repair = new StateRepair(tables);
        env.write(txn ->
                found.forEach(place -> assertThat(repair.rewrite(txn, place)).isEmpty()));
        assertThat(look()).isEmpty();
    }

    @Test
    void nodesThatAreGoneAreFoundAndTakenFromOthers() {
        Map<Bytes, Bytes> gone = new TreeMap<>();
        env.write(txn -> {
            for (Bytes path : List.of(Bytes.EMPTY, Bytes.fromHex("03"), Bytes.fromHex("0405"))) {
                gone.put(path, Optional.ofNullable(tables.rawNode(txn, path)).orElseThrow());
            }
        });
        for (Map.Entry<Bytes, Bytes> node : gone.entrySet()) {
            env.write(txn -> tables.deleteNode(txn, node.getKey()));
            StateScrub scrub = new StateScrub(env, new StateTables(StateTables.Databases.open(env)));
            List<Place> found = scrub.step();
            while (found.isEmpty() && !scrub.isAtEnd()) {
                found = scrub.step();
            }
            assertThat(found).containsExactly(new Place(false, node.getKey()));
            StateRepair repair = new StateRepair(new StateTables(StateTables.Databases.open(env)));
            env.write(txn -> {
                assertThat(repair.rewrite(txn, new Place(false, node.getKey())))
                        .contains(new StateRepair.Wanted(node.getKey(), Digest.of(node.getValue())));
                assertThat(repair.put(txn, new StateNodes.Node(node.getKey(), node.getValue())))
                        .isTrue();
            });
            assertThat(look()).isEmpty();
        }
    }
}
