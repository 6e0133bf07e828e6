package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Batch;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A primary that is slow to everybody is replaced, one that is busy is not (Aardvark, NSDI'09, section 4.1.3; trap 68). The
 * request timeout is 50 ticks, so that 25 are slow; the fairness timeout is 200.
 */
class PrimaryPaceTest {
    private final CoreWorld world = new CoreWorld(4);
    private int number;

    /** The view's primary proposes so many ticks late. */
    private void delayProposals(IntUnaryOperator ticksOfPrimary) {
        world.delay = letter -> letter.message() instanceof Proposal
                ? ticksOfPrimary.applyAsInt(letter.from().index())
                : 0;
    }

    /** Clients that ask all replicas, one request after the other, for so many ticks; until the view changes. */
    private int ask(int ticks, int pause) {
        return ask(ticks, pause, world.all());
    }

    private int ask(int ticks, int pause, int... replicas) {
        long view = world.node(1).report().view();
        int passed = 0;
        while (passed < ticks && world.node(1).report().view() == view) {
            if (passed % pause == 0) {
                number++;
                world.submit(number % 4, 1 + number / 4, "op" + number, replicas);
                world.deliver();
            }
            world.tick(1);
            passed++;
        }
        return passed;
    }

    @Test
    @DisplayName("trap 68: a primary that is just fast enough for the request timer, and slow to all, loses its office")
    void aPrimaryThatIsSlowToAllIsReplaced() {
        delayProposals(primary -> primary == 0 ? 45 : 0);
        int ticks = ask(1_000, 46);
        assertThat(ticks).isBetween(199, 300);
        world.tick(20);
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.report().view()).as("replica %d", node.id).isEqualTo(1);
        }
        assertThat(world.node(1).notes(Event.REQUEST_TIMED_OUT))
                .extracting(Effect.Note::detail)
                .containsExactly("the primary is slow to all");
        // The next one is quick, and stays.
        assertThat(ask(2_000, 46)).isEqualTo(2_000);
    }

    @Test
    @DisplayName("Many requests under way at a time do not hide it")
    void aPipelineDoesNotHideIt() {
        delayProposals(primary -> primary == 0 ? 45 : 0);
        assertThat(ask(1_000, 12)).isBetween(199, 300);
    }

    @Test
    @DisplayName("A primary that takes less than half of the request timeout is left alone")
    void aLittleDelayIsForgiven() {
        delayProposals(primary -> 22);
        assertThat(ask(3_000, 30)).isEqualTo(3_000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("Where f + 1 primaries in a row are slow it is not them: no more than f views end for it")
    void whereAllAreSlowTheViewStays(boolean backupsHearOfQuickRequests) {
        delayProposals(primary -> 45);
        assertThat(ask(1_000, 46)).isLessThan(1_000);
        world.tick(20);
        assertThat(world.node(1).report().view()).isEqualTo(1);
        assertThat(ask(5_000, 46)).isEqualTo(5_000);

        // It becomes quick, and slow again: then it is the primary.
        delayProposals(primary -> 0);
        assertThat(ask(2_500, 46, backupsHearOfQuickRequests ? world.all() : new int[] {1}))
                .isEqualTo(2_500);
        delayProposals(primary -> primary == 1 ? 45 : 0);
        assertThat(ask(1_000, 46)).isLessThan(1_000);
        world.tick(20);
        assertThat(world.node(2).report().view()).isEqualTo(2);
    }

    @Test
    @DisplayName("At n = 7, two slow primaries in a row are replaced")
    void asManyAsMayBeFaultyAreReplaced() {
        CoreWorld seven = new CoreWorld(7);
        seven.delay =
                letter -> letter.message() instanceof Proposal && letter.from().index() < 2 ? 45 : 0;
        for (int i = 0; i < 20 && seven.node(6).report().view() < 2; i++) {
            seven.submit(i % 4, 1 + i / 4, "op" + i, seven.all());
            seven.tick(46);
        }
        assertThat(seven.node(6).report().view()).isEqualTo(2);
    }

    @Test
    @DisplayName("Where much is done the primary is busy, not slow")
    void aBusyPrimaryIsLeftAlone() {
        delayProposals(primary -> 45);
        // A bundle of sixty every 46 ticks: more than the hundred that one batch may hold, for each 200 ticks.
        String[] operations = new String[60];
        Arrays.fill(operations, "bundled");
        for (int i = 0; i < 40; i++) {
            Signed<Request> bundle = bundle(i, operations);
            for (int replica : world.all()) {
                world.mail.add(new CoreWorld.Letter(NodeId.client(i % 8), replica, bundle));
            }
            world.tick(46);
        }
        assertThat(world.node(0).executed).hasSizeGreaterThan(2_000);
        assertThat(world.node(1).report().view()).isZero();
    }

    private Signed<Request> bundle(int i, String... operations) {
        List<Bytes> payloads = new ArrayList<>();
        for (String operation : operations) {
            payloads.add(Bytes.utf8(operation));
        }
        long first = 1 + (i / 8) * 60L;
        return world.request(new Request(i % 8, CoreWorld.EPOCH, first, first, -1, payloads));
    }

    /** The primary is the test's: it proposes in time, but nothing commits for long. */
    @Test
    @DisplayName("While something is in flight the wait is for agreement, not for the primary")
    void slowAgreementIsNotASlowPrimary() {
        world.node(0).up = false;
        world.link = letter -> letter.from().isClient() || letter.message().type() == MessageType.CHECKPOINT;
        for (int seq = 1; seq <= 16; seq++) {
            Batch batch = new Batch(world.wallMillis(), List.of(world.request(1, seq, "op" + seq)));
            for (int backup = 1; backup < 4; backup++) {
                world.receive(backup, 0, world.proposal(0, seq, batch));
            }
            // The next request comes while this one's votes are held up; the primary has no room for it.
            world.submit(1, seq + 1, "op" + (seq + 1), 1, 2, 3);
            world.deliver();
            world.tick(40);
            for (int backup = 1; backup < 4; backup++) {
                for (int voter = 0; voter < 4; voter++) {
                    world.receive(backup, voter, world.commit(voter, 0, seq, batch));
                }
            }
        }
        assertThat(world.node(1).executed).hasSize(16);
        for (int backup = 1; backup < 4; backup++) {
            assertThat(world.node(backup).report().view()).isZero();
        }
    }

    @Test
    @DisplayName("Time runs from when this replica told the primary: a liar among the backups makes no primary slow")
    void aRequestThatThePrimaryWasNotToldOfProvesNothing() {
        // Replica 3 and a client conspire: the others hear of the request from replica 3, the primary does not.
        world.node(3).up = false;
        for (int i = 1; i <= 24; i++) {
            Signed<Request> request = world.request(1, i, "op" + i);
            world.receive(1, 3, request);
            world.receive(2, 3, request);
            world.tick(46);
        }
        assertThat(world.node(1).executed).hasSizeGreaterThan(20);
        assertThat(world.node(1).report().view()).isZero();
        assertThat(world.node(2).report().view()).isZero();
    }

    @Test
    @DisplayName("Null requests do not hide that nothing is in flight")
    void nullRequestsAreNothingInFlight() {
        aSlowPrimaryIsNotHiddenBy(Batch.NULL, 0);
    }

    @Test
    @DisplayName("Nor do requests that were executed long ago, however many operations they hold")
    void oldRequestsAreNothingInFlight() {
        String[] operations = new String[60];
        Arrays.fill(operations, "long executed");
        Batch old = new Batch(world.wallMillis(), List.of(bundle(0, operations)));
        order(1, old, true);
        assertThat(world.node(1).executed).hasSize(60);
        aSlowPrimaryIsNotHiddenBy(old, 1);
    }

    private void aSlowPrimaryIsNotHiddenBy(Batch idle, int ordered) {
        world.node(0).up = false;
        world.link = letter -> letter.from().isClient() || letter.message().type() == MessageType.CHECKPOINT;
        int seq = ordered;
        int ticks = 0;
        for (int i = 1; ticks < 1_000 && world.node(1).report().view() == 0; i++) {
            Signed<Request> request = world.submit(1, i, "op" + i, 1, 2, 3);
            world.deliver();
            // Something idle is always under way, and decided with the batch that comes 45 ticks late.
            seq++;
            order(seq, idle, false);
            world.tick(45);
            ticks += 45;
            order(seq, idle, true);
            seq++;
            order(seq, new Batch(world.wallMillis(), List.of(request)), true);
        }
        assertThat(ticks).isBetween(199, 300);
    }

    private void order(int seq, Batch batch, boolean decide) {
        for (int backup = 1; backup < 4; backup++) {
            world.receive(backup, 0, world.proposal(0, seq, batch));
        }
        if (decide) {
            for (int backup = 1; backup < 4; backup++) {
                for (int voter = 0; voter < 4; voter++) {
                    world.receive(backup, voter, world.commit(voter, 0, seq, batch));
                }
            }
        }
        world.mail.clear();
    }

    /** Requests that wait, at each backup, for 45 ticks in which nothing is in flight. */
    private void askSlowly(int requests) {
        for (int i = 0; i < requests; i++) {
            number++;
            world.submit(number % 4, 1 + number / 4, "op" + number, world.all());
        }
        world.deliver();
        world.tick(50);
    }

    @Test
    @DisplayName("A primary is judged by a whole period: what was idle before does not count towards it")
    void anIdlePeriodIsForgotten() {
        world.tick(999);
        delayProposals(primary -> 45);
        askSlowly(4);
        world.tick(100);
        assertThat(world.node(1).report().view()).as("150 ticks of a period").isZero();
        world.tick(60);
        assertThat(world.node(1).report().view()).as("the period is over").isEqualTo(1);
    }

    @Test
    @DisplayName("Slow requests that are few and far between are forgotten, and never add up")
    void fewSlowRequestsAreForgotten() {
        delayProposals(primary -> 45);
        for (int i = 0; i < 12; i++) {
            askSlowly(1);
            world.tick(PrimaryPace.PERIODS_MAX * 200 / 2 - 50);
        }
        assertThat(world.node(1).report().view()).isZero();
    }

    @Test
    @DisplayName("trap 34: what was sent while the primary was not there did not tell it")
    void whatHadNoConnectionToGoByTellsNobody() {
        world.link = letter -> letter.to() != 0;
        for (int id = 1; id < 4; id++) {
            world.step(id, new Input.Absent(0));
        }
        for (int i = 0; i < 8; i++) {
            number++;
            world.submit(number % 4, 1 + number / 4, "op" + number, 1, 2, 3);
        }
        world.deliver();
        world.tick(60);
        world.link = letter -> true;
        for (int id = 1; id < 4; id++) {
            world.step(id, new Input.Connection(0, true));
        }
        world.tick(400);
        assertThat(world.node(1).executed).hasSize(8);
        assertThat(world.node(1).report().view()).isZero();
    }
}
