package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.NewView;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.ViewChange;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a view is left, and for which (OSDI'99, section 4.5.2; TOCS'02, section 2.3.5; traps 18, 19, 20, 27, 64). */
class ViewChangeTimersTest {
    private static int ticks(CoreWorld world, int millis) {
        return world.ticks(millis);
    }

    private static int request(CoreWorld world) {
        return ticks(world, world.parameters.requestTimeoutMillis());
    }

    private static boolean carries(CoreWorld.Letter letter, Class<? extends Statement> kind) {
        return letter.message() instanceof Signed<?> signed && kind.isInstance(signed.statement());
    }

    private static void ticks(CoreWorld world, int replica, int times) {
        for (int i = 0; i < times; i++) {
            world.step(replica, new Input.Tick(world.wallMillis()));
        }
    }

    @Test
    @DisplayName("trap 18a: the timer runs from the first knowledge of a request, stops when it is executed")
    void theRequestTimerStartsWithARequestAndStopsWithItsExecution() {
        CoreWorld world = new CoreWorld(4);
        world.tick(5 * request(world));
        assertThat(world.node(1).report().view()).as("idle").isZero();
        world.submit(0, 1, "a", 1);
        world.link = letter -> false || letter.from().isClient();
        world.deliver();
        ticks(world, 1, request(world) - 1);
        assertThat(world.node(1).report().view()).isZero();
        ticks(world, 1, 1);
        assertThat(world.node(1).report().view()).isEqualTo(1);
        assertThat(world.node(1).notes(Event.REQUEST_TIMED_OUT)).hasSize(1);
    }

    @Test
    @DisplayName("trap 18a: while requests wait, each execution starts the patience anew")
    void executionRestartsTheTimerWhileOthersWait() {
        CoreWorld world = new CoreWorld(4);
        world.submit(1, 1, "waits", 1);
        world.link = letter -> !(letter.to() == 0
                && letter.message() instanceof Signed<?> s
                && s.statement() instanceof io.pbft.protocol.Request r
                && r.client() == 1);
        for (int i = 1; i <= 3; i++) {
            world.deliver();
            world.tick(request(world) - 5);
            world.submit(0, i, "op" + i, 0);
            world.deliver();
        }
        assertThat(world.node(1).report().view()).isZero();
        assertThat(world.node(1).report().queued()).isEqualTo(1);
        world.tick(request(world) + 1);
        assertThat(world.node(1).promises(Promise.LeaveView.class)).isNotEmpty();
    }

    @Test
    @DisplayName("traps 18b, 18c: no timer runs in a change of view before a quorum wants the view")
    void noTimerBeforeAQuorumWantsTheView() {
        CoreWorld world = new CoreWorld(4);
        world.submit(0, 1, "a", 1);
        world.link = letter -> letter.from().isClient();
        world.deliver();
        ticks(world, 1, request(world));
        assertThat(world.node(1).report().view()).isEqualTo(1);
        ticks(world, 1, 50 * request(world));
        assertThat(world.node(1).report().view()).isEqualTo(1);
        assertThat(world.node(1).promises(Promise.LeaveView.class)).hasSize(1);
    }

    @Test
    @DisplayName("Who waits for a view is not left waiting by one that has gone further")
    void aQuorumForThisViewOrLaterStartsTheTimer() {
        CoreWorld world = new CoreWorld(4);
        world.crash(0);
        // Replica 3's VIEW-CHANGE for view 1 reaches nobody; it hears the others, waits, and goes on to view 2.
        world.link = letter -> letter.from().isClient() || letter.from().index() != 3;
        world.submit(0, 1, "a", 1, 2, 3);
        world.deliver();
        while (world.node(3).report().view() < 2) {
            world.tick(1);
        }
        assertThat(world.node(1).report().view()).isEqualTo(1);
        assertThat(world.node(2).report().view()).isEqualTo(1);
        world.link = letter -> true;
        world.tick(20 * request(world));
        for (int id = 1; id < 4; id++) {
            assertThat(world.node(id).executed).containsExactly("a");
        }
    }

    /** The views that replica {@code id} left for, and the tick of each, while nobody ever leads. */
    private static List<Integer> waits(CoreWorld world, int id, int failures) {
        List<Integer> waits = new ArrayList<>();
        int since = 0;
        long view = world.node(id).report().view();
        while (waits.size() < failures) {
            world.tick(1);
            since++;
            if (world.node(id).report().view() > view) {
                view = world.node(id).report().view();
                waits.add(since);
                since = 0;
            }
        }
        return waits;
    }

    @Test
    @DisplayName(
            "traps 18d, 27: the wait for a NEW-VIEW doubles with each failed view, is capped, and progress resets it")
    void theNewViewTimerDoublesIsCappedAndResets() {
        CoreWorld world = new CoreWorld(4);
        world.link = letter -> !carries(letter, NewView.class);
        world.node(1).disk = true;
        // Nobody's NEW-VIEW arrives, so each primary enters alone and the others go on.
        world.submit(0, 1, "a", world.all());
        world.link = letter -> letter.from().isClient() || carries(letter, ViewChange.class);
        world.deliver();
        List<Integer> waits = waits(world, 3, 7);
        int base = ticks(world, world.parameters.viewChangeTimeoutMillis());
        int cap = ticks(world, world.parameters.viewChangeTimeoutMaxMillis());
        assertThat(waits.get(0)).isEqualTo(request(world));
        assertThat(waits.get(1)).isEqualTo(base);
        for (int i = 2; i < waits.size(); i++) {
            int expected = Math.min(cap, base << (i - 1));
            // Others, who entered alone, may be the ones that give up and be joined, never the other way round.
            assertThat(waits.get(i)).as("failure %d of %s", i, waits).isLessThanOrEqualTo(expected);
            assertThat(waits.get(i)).as("failure %d of %s", i, waits).isGreaterThan(expected / 2);
        }
        world.link = letter -> true;
        world.tick(2 * cap);
        assertThat(world.node(3).executed).containsExactly("a");
        world.submit(0, 2, "b", 1, 2, 3, 0);
        world.deliver();
        assertThat(world.node(3).executed).containsExactly("a", "b");
        // After progress the patience is the first one again.
        world.crash(
                new io.pbft.protocol.Quorum(4).primary(world.node(3).report().view()));
        world.submit(0, 3, "c", world.all());
        world.deliver();
        long view = world.nodes.stream()
                .filter(node -> node.up)
                .findFirst()
                .orElseThrow()
                .report()
                .view();
        world.tick(request(world) + 2);
        for (CoreWorld.Node node : world.nodes) {
            if (node.up) {
                assertThat(node.report().view()).isGreaterThan(view);
            }
        }
    }

    @Test
    @DisplayName("trap 19: f + 1 VIEW-CHANGEs for later views move a replica to the smallest of them, its timer quiet")
    void weakQuorumIsJoinedAtTheSmallestView() {
        CoreWorld world = new CoreWorld(7);
        for (int sender = 4; sender < 6; sender++) {
            world.receive(3, sender, world.viewChange(sender, sender, CheckpointCertificate.GENESIS));
        }
        assertThat(world.node(3).report().view()).as("f are not enough").isZero();
        world.receive(3, 6, world.viewChange(6, 9, CheckpointCertificate.GENESIS));
        assertThat(world.node(3).report().view()).isEqualTo(4);
        assertThat(world.node(3).promises(Promise.LeaveView.class)).hasSize(1);
    }

    @Test
    @DisplayName("traps 2, 19: one replica's VIEW-CHANGEs count once, however many it sends")
    void oneReplicaIsNotAWeakQuorum() {
        CoreWorld world = new CoreWorld(4);
        for (int view = 1; view < 20; view++) {
            world.receive(1, 3, world.viewChange(3, view, CheckpointCertificate.GENESIS));
        }
        assertThat(world.node(1).report().view()).isZero();
    }

    @Test
    @DisplayName("trap 20: a lost VIEW-CHANGE is said again, and so is a lost NEW-VIEW")
    void whatIsOwedIsRepeated() {
        CoreWorld world = new CoreWorld(4);
        world.crash(0);
        world.submit(0, 1, "a", 1, 2, 3);
        world.link = letter -> letter.from().isClient() || !carries(letter, ViewChange.class);
        world.deliver();
        world.tick(request(world) + 1);
        for (int id = 1; id < 4; id++) {
            assertThat(world.node(id).report().view()).isEqualTo(1);
        }
        world.link = letter -> !(carries(letter, NewView.class) && letter.to() == 3);
        world.tick(30);
        assertThat(world.node(1).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.VIEW_CHANGE);
        world.link = letter -> true;
        world.tick(30);
        assertThat(world.node(3).report().status()).isEqualTo(ReplicaReport.Status.NORMAL);
        assertThat(world.node(3).executed).containsExactly("a");
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 10, 13})
    void faultyConsecutivePrimariesAreReplaced(int n) {
        CoreWorld world = new CoreWorld(n);
        int f = new io.pbft.protocol.Quorum(n).faulty();
        world.submit(0, 1, "a", 0);
        world.deliver();
        for (int id = 0; id < f; id++) {
            world.crash(id);
        }
        world.submit(0, 2, "b", world.all());
        world.deliver();
        int ticks = 0;
        while (!world.node(n - 1).executed.contains("b") && ticks < 2_000) {
            world.tick(1);
            ticks++;
        }
        // One request timeout, then one for each failed view, doubling.
        int base = ticks(world, world.parameters.viewChangeTimeoutMillis());
        assertThat(ticks).isLessThanOrEqualTo(request(world) + base * ((1 << (f - 1)) - 1) + 5 * f);
        for (int id = f; id < n; id++) {
            assertThat(world.node(id).report().view()).isEqualTo(f);
            assertThat(world.node(id).executed).containsExactly("a", "b");
        }
    }

    @Test
    @DisplayName("trap 64: however long a replica slept, it wakes to one tick and accuses nobody")
    void aPauseAccusesNobody() {
        CoreWorld world = new CoreWorld(4);
        world.submit(0, 1, "a", 0);
        world.link = letter -> letter.to() != 3;
        world.deliver();
        world.submit(0, 2, "b", 3);
        world.step(3, new Input.Received(world.verified(io.pbft.protocol.NodeId.client(0), world.request(0, 2, "b"))));
        world.step(3, new Input.Tick(world.wallMillis() + 3_600_000));
        assertThat(world.node(3).report().view()).isZero();
        assertThat(world.node(3).notes(Event.REQUEST_TIMED_OUT)).isEmpty();
    }

    @Test
    @DisplayName(
            "A closed connection to the primary shortens the patience and decides nothing while requests are executed")
    void aDisconnectedPrimaryIsGivenLessTime() {
        CoreWorld world = new CoreWorld(4);
        int early = ticks(world, world.parameters.disconnectedTimeoutMillis());
        for (int id = 1; id < 4; id++) {
            world.step(id, new Input.Connection(0, false));
        }
        // One request waits all the time, others are executed.
        world.link = letter -> letter.to() != 0
                || !(letter.message() instanceof Signed<?> signed
                        && signed.statement() instanceof io.pbft.protocol.Request request
                        && request.client() == 1);
        world.submit(1, 1, "waits", 1, 2, 3);
        for (int i = 1; i <= 20; i++) {
            world.submit(0, i, "op" + i, world.all());
            world.deliver();
            world.tick(early - 1);
        }
        assertThat(world.node(1).report().view()).as("down, but working").isZero();
        world.link = letter -> true;
        world.submit(1, 1, "waits", 0);
        world.deliver();
        world.tick(20 * early);
        assertThat(world.node(1).report().view())
                .as("down, and nothing asked of it")
                .isZero();
        world.crash(0);
        world.submit(0, 21, "b", 1, 2, 3);
        world.deliver();
        world.tick(early + 2);
        assertThat(early + 2).isLessThan(request(world));
        assertThat(world.node(1).report().view()).isEqualTo(1);
        assertThat(world.node(1).executed).endsWith("b");
    }

    private static CoreWorld withoutItsPrimary() {
        CoreWorld world = new CoreWorld(4);
        world.crash(0);
        for (int id = 1; id < 4; id++) {
            world.step(id, new Input.Absent(0));
        }
        world.submit(0, 1, "a", 1, 2, 3);
        world.deliver();
        return world;
    }

    @Test
    @DisplayName("trap 34: a primary that starts later than the others is not accused of what could not reach it")
    void aPrimaryThatStartsLateKeepsItsView() {
        CoreWorld world = withoutItsPrimary();
        world.tick(2 * request(world) - 1);
        world.restart(0);
        for (int id = 1; id < 4; id++) {
            world.step(id, new Input.Connection(0, true));
        }
        world.link = letter -> letter.to() != 0;
        world.tick(request(world) - 1);
        world.link = letter -> true;
        assertThat(world.node(1).report().view()).as("told once it was there").isZero();
        world.submit(0, 1, "a", 0);
        world.deliver();
        world.tick(2 * request(world));
        assertThat(world.node(1).report().view()).isZero();
        assertThat(world.node(1).executed).containsExactly("a");
    }

    @Test
    @DisplayName("A primary that never comes is replaced all the same, and one that comes and is silent too")
    void aPrimaryThatNeverComesIsReplaced() {
        CoreWorld never = withoutItsPrimary();
        never.tick(ViewChanger.ABSENT_PATIENCE * request(never) + 2);
        assertThat(never.node(1).report().view()).isEqualTo(1);
        assertThat(never.node(1).executed).containsExactly("a");

        CoreWorld silent = withoutItsPrimary();
        for (int id = 1; id < 4; id++) {
            silent.step(id, new Input.Connection(0, true));
        }
        silent.tick(request(silent) + 2);
        assertThat(silent.node(1).report().view()).isEqualTo(1);
    }

    @Test
    @DisplayName("The time of one that arrives begins anew once: who closes and opens its connection gains nothing")
    void aConnectionThatIsOpenedAgainGivesNoTime() {
        CoreWorld world = withoutItsPrimary();
        for (int tick = 0; tick < request(world) + 2; tick++) {
            for (int id = 1; id < 4; id++) {
                world.step(id, new Input.Connection(0, true));
                world.step(id, new Input.Connection(0, false));
                world.step(id, new Input.Connection(0, true));
            }
            world.tick(1);
        }
        assertThat(world.node(1).report().view()).isEqualTo(1);
    }

    @Test
    @DisplayName("A connection that comes back takes the hint away")
    void aReconnectedPrimaryHasAllItsTime() {
        CoreWorld world = new CoreWorld(4);
        for (int id = 1; id < 4; id++) {
            world.step(id, new Input.Connection(0, false));
        }
        world.tick(2 * ticks(world, world.parameters.disconnectedTimeoutMillis()));
        for (int id = 1; id < 4; id++) {
            world.step(id, new Input.Connection(0, true));
        }
        world.link = letter -> letter.to() != 0 && letter.from().isClient();
        world.submit(0, 1, "a", 1, 2, 3);
        world.deliver();
        world.tick(request(world) - 2);
        assertThat(world.node(1).report().view()).isZero();
    }
}
