package io.pbft.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Limits;
import io.pbft.protocol.StateNodes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What every {@link StateStore} does. */
abstract class StateStoreContract {
    /** The store under test: again, after a close, over the same disk. */
    abstract StateStore open();

    /** Another one, empty, to compare with. */
    abstract StateStore openOther();

    /** Lets what the store does in the background get done, with its callbacks. */
    void settle() {}

    /** Lets it get done up to its callbacks. */
    void letTheDiskWork() {}

    private Digest checkpoint(StateStore store, long seq, Map<Bytes, Optional<Bytes>> system) {
        Digest[] root = new Digest[1];
        store.checkpoint(seq, system, digest -> root[0] = digest);
        settle();
        assertThat(root[0]).as("checkpoint %d is durable", seq).isNotNull();
        return root[0];
    }

    static Bytes utf8(String text) {
        return Bytes.utf8(text);
    }

    static Bytes large(int seed, int size) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return Bytes.wrap(bytes);
    }

    static String scan(StateView view, String prefix, String from, int limit) {
        StringBuilder text = new StringBuilder();
        for (StateView.Entry entry : view.scan(utf8(prefix), utf8(from), limit)) {
            text.append(entry.key().toUtf8())
                    .append('=')
                    .append(entry.value().toUtf8())
                    .append(' ');
        }
        return text.toString().strip();
    }

    @Test
    void aFreshStoreIsEmptyAtZero() {
        try (StateStore store = open()) {
            assertThat(store.seq()).isZero();
            assertThat(store.root()).isEqualTo(TreeNode.Leaf.EMPTY.digest());
            assertThat(store.systemEntries()).isEmpty();
            assertThat(store.state().get(utf8("a"))).isEmpty();
            assertThat(store.state().scan(Bytes.EMPTY, Bytes.EMPTY, 10)).isEmpty();
            assertThat(store.state().delete(utf8("a"))).isFalse();
            assertThat(store.holds(0)).isTrue();
        }
    }

    @Test
    void aChangeIsSeenByTheNextRead() {
        try (StateStore store = open()) {
            State state = store.state();
            state.put(utf8("b"), utf8("1"));
            state.put(utf8("a"), utf8("2"));
            checkpoint(store, 10, Map.of());
            state.put(utf8("b"), utf8("3"));
            state.put(utf8("c"), Bytes.EMPTY);
            assertThat(state.delete(utf8("a"))).isTrue();
            assertThat(state.delete(utf8("a"))).isFalse();
            state.put(utf8("ab"), utf8("4"));
            assertThat(state.get(utf8("b"))).contains(utf8("3"));
            assertThat(state.get(utf8("c"))).contains(Bytes.EMPTY);
            assertThat(state.get(utf8("a"))).isEmpty();
            assertThat(scan(state, "", "", 10)).isEqualTo("ab=4 b=3 c=");
            assertThat(scan(state, "", "b", 1)).isEqualTo("b=3");
            assertThat(scan(state, "a", "", 10)).isEqualTo("ab=4");
            assertThat(scan(state, "", "", 0)).isEmpty();
            checkpoint(store, 20, Map.of());
            assertThat(scan(state, "", "", 10)).isEqualTo("ab=4 b=3 c=");
        }
    }

    @Test
    void readsAndScansAgreeWithAModelAcrossCheckpointsAndRestarts() {
        Random random = new Random(42);
        TreeMap<Bytes, Bytes> model = new TreeMap<>();
        TreeMap<Bytes, Bytes> durable = new TreeMap<>();
        StateStore store = open();
        for (int round = 1; round <= 30; round++) {
            for (int i = 0; i < 40; i++) {
                Bytes key = someKey(random);
                if (random.nextInt(3) == 0) {
                    assertThat(store.state().delete(key)).isEqualTo(model.remove(key) != null);
                } else {
                    Bytes value = large(random.nextInt(), random.nextInt(random.nextInt(10) == 0 ? 2000 : 30));
                    store.state().put(key, value);
                    model.put(key, value);
                }
            }
            compare(store, model, random);
            if (random.nextInt(4) > 0) {
                checkpoint(store, round * 10L, Map.of());
                durable.clear();
                durable.putAll(model);
                compare(store, model, random);
            }
            if (random.nextInt(4) == 0) {
                store.close();
                store = open();
                model.clear();
                model.putAll(durable);
                compare(store, model, random);
            }
        }
        store.close();
    }

    /** Short ones, and long ones that agree in a long beginning. */
    private static Bytes someKey(Random random) {
        int number = random.nextInt(60);
        if (number % 3 > 0) {
            return utf8("key" + number);
        }
        byte[] bytes = new byte[470 + random.nextInt(20)];
        bytes[bytes.length - 1] = (byte) number;
        return Bytes.wrap(bytes);
    }

    private static void compare(StateStore store, TreeMap<Bytes, Bytes> model, Random random) {
        List<StateView.Entry> all = model.entrySet().stream()
                .map(entry -> new StateView.Entry(entry.getKey(), entry.getValue()))
                .toList();
        assertThat(store.state().scan(Bytes.EMPTY, Bytes.EMPTY, Integer.MAX_VALUE))
                .isEqualTo(all);
        for (int i = 0; i < 10; i++) {
            Bytes key = someKey(random);
            assertThat(store.state().get(key)).isEqualTo(Optional.ofNullable(model.get(key)));
            int limit = random.nextInt(20);
            assertThat(store.state().scan(Bytes.EMPTY, key, limit))
                    .isEqualTo(all.stream()
                            .filter(entry -> entry.key().compareTo(key) >= 0)
                            .limit(limit)
                            .toList());
        }
    }

    @Test
    void rootsAreEqualHoweverTheStateCameToBe() {
        try (StateStore one = open();
                StateStore other = openOther()) {
            for (int i = 0; i < 100; i++) {
                one.state().put(utf8("k" + i), utf8("v" + i));
                other.state().put(utf8("k" + (99 - i)), utf8("other"));
            }
            checkpoint(other, 5, Map.of(utf8("t"), Optional.of(utf8("x")), utf8("u"), Optional.of(utf8("y"))));
            for (int i = 0; i < 100; i++) {
                other.state().put(utf8("k" + i), utf8("v" + i));
                other.state().put(utf8("gone" + i), utf8("v" + i));
                other.state().delete(utf8("gone" + i));
            }
            Digest first = checkpoint(one, 10, Map.of(utf8("t"), Optional.of(utf8("1"))));
            Digest second =
                    checkpoint(other, 10, Map.of(utf8("t"), Optional.of(utf8("1")), utf8("u"), Optional.empty()));
            assertThat(second).isEqualTo(first);
            assertThat(one.root()).isEqualTo(first);
        }
    }

    @Test
    void systemEntriesAreOfTheLastDurableCheckpointAndApart() {
        try (StateStore store = open()) {
            store.state().put(utf8("t"), utf8("application"));
            checkpoint(store, 10, Map.of(utf8("t"), Optional.of(utf8("1")), utf8("s"), Optional.of(utf8("2"))));
            checkpoint(store, 20, Map.of(utf8("s"), Optional.empty()));
            assertThat(store.state().get(utf8("t"))).contains(utf8("application"));
            assertThat(store.systemEntries()).containsExactly(new StateView.Entry(utf8("t"), utf8("1")));
        }
        try (StateStore store = open()) {
            assertThat(store.seq()).isEqualTo(20);
            assertThat(store.systemEntries()).containsExactly(new StateView.Entry(utf8("t"), utf8("1")));
            assertThat(scan(store.state(), "", "", 10)).isEqualTo("t=application");
        }
    }

    @Test
    void keysAndValuesHaveLimits() {
        try (StateStore store = open()) {
            State state = store.state();
            Bytes longest = large(1, Limits.KEY_BYTES_MAX);
            Bytes largest = large(2, Limits.VALUE_BYTES_MAX);
            state.put(longest, largest);
            checkpoint(store, 10, Map.of());
            assertThat(state.get(longest)).contains(largest);
            assertThatThrownBy(() -> state.put(Bytes.EMPTY, Bytes.EMPTY)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> state.put(longest.concat(utf8("x")), Bytes.EMPTY))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> state.put(utf8("k"), largest.concat(utf8("x"))))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void atLeastTheLastTwoCheckpointsCanBeServed() {
        try (StateStore store = open()) {
            store.state().put(utf8("k"), utf8("1"));
            Digest first = checkpoint(store, 10, Map.of());
            store.state().put(utf8("k"), utf8("2"));
            Digest second = checkpoint(store, 20, Map.of());
            store.release(20, Set.of());
            assertThat(rootOf(store, 10)).contains(first);
            assertThat(rootOf(store, 20)).contains(second);
            store.state().put(utf8("k"), utf8("3"));
            checkpoint(store, 30, Map.of());
            store.release(30, Set.of());
            assertThat(store.holds(10)).isFalse();
            assertThat(store.node(10, Bytes.EMPTY)).isEmpty();
            assertThat(rootOf(store, 20)).contains(second);
            assertThat(store.node(30, Bytes.fromHex("05"))).isEmpty();
            assertThat(store.node(30, Bytes.fromHex("ff"))).isEmpty();
            assertThat(store.node(30, Bytes.fromHex("1000"))).isEmpty();
        }
    }

    private static Optional<Digest> rootOf(StateStore store, long seq) {
        return store.node(seq, Bytes.EMPTY).map(node -> Digest.of(node.content()));
    }

    /** Fills {@code target} from {@code source}; the bytes that it took. */
    long transfer(StateStore source, StateStore target, long seq, Digest root) {
        StateInstall install = target.install(seq, root);
        fetch(source, install);
        commit(install);
        return install.progress().bytesReceived();
    }

    static void fetch(StateStore source, StateInstall install) {
        while (!install.complete()) {
            for (Bytes path : install.missing(Set.of(), 7)) {
                assertThat(install.offer(source.node(install.seq(), path).orElseThrow()))
                        .isTrue();
            }
        }
    }

    void commit(StateInstall install) {
        List<Boolean> ends = new ArrayList<>();
        install.commit(ends::add);
        settle();
        assertThat(ends).containsExactly(true);
    }

    private static void fill(State state, int from, int to, int seed) {
        for (int i = from; i < to; i++) {
            state.put(utf8("k" + i), large(seed + i, i % 10 == 0 ? 1000 : 20));
        }
    }

    @Test
    void aTransferredStateIsTheState() {
        try (StateStore target = open();
                StateStore source = openOther()) {
            fill(source.state(), 0, 500, 0);
            source.state().put(large(3, 600), utf8("long key"));
            Digest root = checkpoint(source, 10, Map.of(utf8("t"), Optional.of(utf8("1"))));
            fill(target.state(), 300, 700, 7);
            checkpoint(target, 5, Map.of(utf8("u"), Optional.of(utf8("2"))));
            target.state().put(utf8("written since"), utf8("x"));

            transfer(source, target, 10, root);
            assertThat(target.seq()).isEqualTo(10);
            assertThat(target.root()).isEqualTo(root);
            assertThat(target.systemEntries()).isEqualTo(source.systemEntries());
            assertThat(target.state().scan(Bytes.EMPTY, Bytes.EMPTY, Integer.MAX_VALUE))
                    .isEqualTo(source.state().scan(Bytes.EMPTY, Bytes.EMPTY, Integer.MAX_VALUE));

            fill(target.state(), 0, 30, 9);
            fill(source.state(), 0, 30, 9);
            assertThat(checkpoint(target, 20, Map.of())).isEqualTo(checkpoint(source, 20, Map.of()));
        }
        try (StateStore target = open()) {
            assertThat(target.seq()).isEqualTo(20);
            assertThat(target.state().scan(utf8("k"), Bytes.EMPTY, Integer.MAX_VALUE))
                    .hasSize(500);
        }
    }

    @Test
    void bytesMovedGrowWithWhatDiffers() {
        try (StateStore target = open();
                StateStore source = openOther()) {
            fill(source.state(), 0, 3000, 0);
            long all = transfer(source, target, 10, checkpoint(source, 10, Map.of()));
            source.state().put(utf8("k7"), utf8("new"));
            long one = transfer(source, target, 20, checkpoint(source, 20, Map.of()));
            fill(source.state(), 0, 30, 1);
            long thirty = transfer(source, target, 30, checkpoint(source, 30, Map.of()));
            assertThat(one).isPositive().isLessThan(all / 50);
            assertThat(thirty).isGreaterThan(one).isLessThan(all / 3);
            assertThat(transfer(source, target, 40, checkpoint(source, 40, Map.of())))
                    .isZero();
            assertThat(target.seq()).isEqualTo(40);
        }
    }

    @Test
    void everyForgedNodeIsRefused() {
        try (StateStore target = open();
                StateStore source = openOther()) {
            fill(source.state(), 0, 100, 0);
            Digest root = checkpoint(source, 10, Map.of());
            StateInstall install = target.install(10, root);
            Random random = new Random(1);
            while (!install.complete()) {
                Bytes path = install.missing(Set.of(), 1).get(0);
                StateNodes.Node right = source.node(10, path).orElseThrow();
                byte[] wrong = right.content().toByteArray();
                wrong[random.nextInt(wrong.length)] ^= (byte) (1 + random.nextInt(255));
                assertThat(install.offer(new StateNodes.Node(path, Bytes.wrap(wrong))))
                        .isFalse();
                assertThat(install.offer(new StateNodes.Node(path, Bytes.EMPTY)))
                        .isFalse();
                assertThat(install.missing(Set.of(), 1)).containsExactly(path);
                assertThat(install.offer(right)).isTrue();
                assertThat(install.offer(right)).isTrue();
            }
            commit(install);
            assertThat(target.root()).isEqualTo(root);
        }
    }

    @Test
    void whatArrivedIsKeptForTheNextTarget() {
        try (StateStore target = open();
                StateStore source = openOther()) {
            fill(source.state(), 0, 500, 0);
            StateInstall first = target.install(10, checkpoint(source, 10, Map.of()));
            for (int i = 0; i < 60; i++) {
                Bytes path = first.missing(Set.of(), 1).get(0);
                assertThat(first.offer(source.node(10, path).orElseThrow())).isTrue();
            }
            assertThatThrownBy(() -> first.commit(end -> {})).isInstanceOf(IllegalStateException.class);
            source.state().put(utf8("k7"), utf8("new"));
            Digest root = checkpoint(source, 20, Map.of());
            long rest = transfer(source, target, 20, root);
            assertThat(target.root()).isEqualTo(root);
            long all;
            try (StateStore fresh = openThird()) {
                all = transfer(source, fresh, 20, root);
            }
            assertThat(rest).isLessThan(all - first.progress().bytesReceived() / 2);
        }
    }

    @Test
    void untilTheEndOfTheInstallTheStateIsTheOneBefore() {
        try (StateStore target = open();
                StateStore source = openOther()) {
            target.state().put(utf8("k1"), utf8("before"));
            Digest before = checkpoint(target, 5, Map.of(utf8("t"), Optional.of(utf8("5"))));
            target.state().put(utf8("k2"), utf8("since"));
            fill(source.state(), 0, 300, 0);
            Digest root = checkpoint(source, 10, Map.of(utf8("t"), Optional.of(utf8("10"))));
            StateInstall install = target.install(10, root);
            fetch(source, install);
            List<Boolean> ends = new ArrayList<>();
            install.commit(ends::add);
            letTheDiskWork();
            if (ends.isEmpty()) {
                assertThat(target.seq()).isEqualTo(5);
                assertThat(target.root()).isEqualTo(before);
                assertThat(scan(target.state(), "", "", 9)).isEqualTo("k1=before k2=since");
                assertThat(target.systemEntries()).containsExactly(new StateView.Entry(utf8("t"), utf8("5")));
                assertThat(install.complete()).isFalse();
                assertThat(install.missing(Set.of(), 9)).isEmpty();
                assertThatThrownBy(install::abandon).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> target.install(20, root)).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> target.checkpoint(6, Map.of(), digest -> {}))
                        .isInstanceOf(IllegalStateException.class);
            }
            settle();
            assertThat(ends).containsExactly(true);
            assertThat(target.seq()).isEqualTo(10);
            assertThat(target.systemEntries()).containsExactly(new StateView.Entry(utf8("t"), utf8("10")));
            assertThat(target.state().get(utf8("k2"))).contains(large(2, 20));
        }
    }

    @Test
    void aTargetThatComesBackIsFetchedWhereTheOneBetweenReplacedIt() {
        try (StateStore target = open();
                StateStore source = openOther()) {
            fill(source.state(), 0, 600, 0);
            Digest first = checkpoint(source, 10, Map.of());
            fill(source.state(), 0, 60, 5);
            Digest second = checkpoint(source, 20, Map.of());
            fetch(source, target.install(10, first));
            StateInstall between = target.install(20, second);
            for (int i = 0; i < 30; i++) {
                Bytes path = between.missing(Set.of(), 1).get(0);
                assertThat(between.offer(source.node(20, path).orElseThrow())).isTrue();
            }
            assertThat(between.complete()).isFalse();
            StateInstall back = target.install(10, first);
            assertThat(back.complete()).isFalse();
            fetch(source, back);
            assertThat(back.progress().bytesReceived())
                    .isPositive()
                    .isLessThanOrEqualTo(between.progress().bytesReceived());
            commit(back);
            assertThat(target.root()).isEqualTo(first);
            assertThat(target.state().get(utf8("k7"))).contains(large(7, 20));
        }
    }

    @Test
    void progressEndsAtTheWholeStateWithNothingMissing() {
        try (StateStore target = open();
                StateStore source = openOther()) {
            fill(source.state(), 0, 2_000, 0);
            StateInstall install = target.install(10, checkpoint(source, 10, Map.of()));
            long missing = Long.MAX_VALUE;
            while (!install.complete()) {
                for (Bytes path : install.missing(Set.of(), 50)) {
                    assertThat(install.offer(source.node(10, path).orElseThrow()))
                            .isTrue();
                }
                StateInstall.Progress progress = install.progress();
                assertThat(progress.entries()).isEqualTo(2_000);
                assertThat(progress.entriesMissing()).isLessThanOrEqualTo(missing);
                assertThat(progress.bytesExpected()).isGreaterThanOrEqualTo(progress.bytesReceived());
                missing = progress.entriesMissing();
            }
            assertThat(install.progress().entriesMissing()).isZero();
            assertThat(install.progress().bytesExpected())
                    .isEqualTo(install.progress().bytesReceived());
        }
    }

    @Test
    void whatIsServedIsNotReleased() {
        try (StateStore store = open()) {
            for (int i = 1; i <= 6; i++) {
                store.state().put(utf8("k"), utf8("v" + i));
                checkpoint(store, i, Map.of());
                store.release(i, Set.of(2L));
            }
            assertThat(store.holds(1)).isFalse();
            assertThat(store.holds(2)).isTrue();
            assertThat(store.holds(3)).isFalse();
            for (int i = 7; i <= 30; i++) {
                store.state().put(utf8("k"), utf8("v" + i));
                checkpoint(store, i, Map.of());
                store.release(i, LongStream.rangeClosed(1, i).boxed().collect(Collectors.toSet()));
            }
            assertThat(LongStream.rangeClosed(1, 30).filter(store::holds).count())
                    .isEqualTo(8);
        }
    }

    /** One more, empty. */
    abstract StateStore openThird();

    @Test
    void theWayToAnEmptyStateIsATransferToo() {
        try (StateStore target = open();
                StateStore source = openOther()) {
            fill(target.state(), 0, 100, 0);
            checkpoint(target, 5, Map.of(utf8("t"), Optional.of(utf8("1"))));
            transfer(source, target, 10, checkpoint(source, 10, Map.of()));
            assertThat(target.state().scan(Bytes.EMPTY, Bytes.EMPTY, 1)).isEmpty();
            assertThat(target.systemEntries()).isEmpty();
            assertThat(target.seq()).isEqualTo(10);
        }
    }
}
