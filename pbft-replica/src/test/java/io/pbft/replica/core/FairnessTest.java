package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.protocol.Batch;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Who is left out is heard, who is served accuses nobody (Aardvark, NSDI'09, section 4.3; traps 18, 33, 34, 68). */
class FairnessTest {
    private final CoreWorld world = new CoreWorld(4);
    private long seq;

    /** The primary is the test's: replica 0 says what it wants, the others vote. */
    @BeforeEach
    void thePrimaryIsFaulty() {
        world.node(0).up = false;
    }

    /** The faulty primary orders this batch, and votes for it. */
    private void order(Batch batch) {
        seq++;
        for (int backup = 1; backup < 4; backup++) {
            world.receive(backup, 0, world.proposal(0, seq, batch));
        }
        for (int backup = 1; backup < 4; backup++) {
            world.receive(backup, 0, world.commit(0, 0, seq, batch));
        }
        world.deliver();
    }

    private Batch of(Signed<Request> request) {
        return new Batch(world.wallMillis(), List.of(request));
    }

    private boolean viewChanged() {
        for (int backup = 1; backup < 4; backup++) {
            if (world.node(backup).report().view() > 0) {
                return true;
            }
        }
        return false;
    }

    private int fairnessTicks() {
        return world.ticks(world.parameters.fairnessTimeoutMillis());
    }

    @Test
    @DisplayName("A client whose only request is left out while others are served brings the primary down")
    void aCensoredClientIsHeard() {
        world.submit(0, 1, "censored", 1, 2, 3);
        world.deliver();
        int ticks = 0;
        for (int i = 1; !viewChanged() && ticks < 2 * fairnessTicks(); i++) {
            order(of(world.request(1, i, "favoured " + i)));
            world.tick(20);
            ticks += 20;
        }
        assertThat(ticks).isBetween(fairnessTicks() - 20, fairnessTicks() + 40);
        world.tick(20);
        assertThat(world.node(1).executed).contains("censored");
    }

    @Test
    @DisplayName("Null requests are no progress: a primary that orders nothing but them is as good as silent")
    void nullRequestsDoNotHideASilentPrimary() {
        world.submit(0, 1, "censored", 1, 2, 3);
        world.deliver();
        int ticks = 0;
        while (!viewChanged() && ticks < 2 * fairnessTicks()) {
            order(Batch.NULL);
            world.tick(10);
            ticks += 10;
        }
        assertThat(viewChanged()).isTrue();
        assertThat(ticks).isLessThan(2 * world.ticks(world.parameters.requestTimeoutMillis()));
    }

    @Test
    @DisplayName("trap 68: what was executed before is no progress: ordered anew, it hides no silent primary")
    void oldRequestsDoNotHideASilentPrimary() {
        Batch old = new Batch(
                world.wallMillis(),
                List.of(world.request(0, 1, "long executed"), world.request(1, 1, "executed then too")));
        order(old);
        world.submit(0, 2, "censored", 1, 2, 3);
        world.submit(1, 2, "censored too", 1, 2, 3);
        world.deliver();
        int ticks = 0;
        while (!viewChanged() && ticks < 4 * fairnessTicks()) {
            order(old);
            world.tick(10);
            ticks += 10;
        }
        assertThat(viewChanged()).isTrue();
        assertThat(ticks).isLessThan(2 * world.ticks(world.parameters.requestTimeoutMillis()));
        world.tick(20);
        assertThat(world.node(1).executed).contains("censored", "censored too");
    }

    @Test
    @DisplayName(
            "trap 68: nor is a client served whose old requests are ordered anew, or refused, beside those of others")
    void oldRequestsServeNobody() {
        Batch old = of(world.request(0, 1, "long executed"));
        Batch refused = of(world.request(0, 1_000_000, "beyond its window"));
        order(old);
        world.submit(0, 2, "censored", 1, 2, 3);
        world.deliver();
        int ticks = 0;
        for (int i = 1; !viewChanged() && ticks < 2 * fairnessTicks(); i++) {
            order(of(world.request(1, i, "favoured " + i)));
            order(old);
            order(refused);
            world.tick(20);
            ticks += 20;
        }
        assertThat(ticks).isBetween(fairnessTicks() - 20, fairnessTicks() + 40);
        world.tick(20);
        assertThat(world.node(1).executed).contains("censored");
    }

    @Test
    @DisplayName("A client that is being served accuses nobody, though one of its requests is old")
    void aServedClientDoesNotChangeTheView() {
        world.submit(0, 50, "old and waiting", 1, 2, 3);
        world.deliver();
        for (int i = 1; i <= 25; i++) {
            world.submit(0, i, "op" + i, 1, 2, 3);
            world.deliver();
            order(of(world.request(0, i, "op" + i)));
            order(of(world.request(1, i, "other " + i)));
            world.tick(20);
        }
        assertThat(25 * 20).isGreaterThan(fairnessTicks());
        assertThat(viewChanged()).isFalse();
    }

    @Test
    @DisplayName("A request that came last and waits while nothing later is executed accuses nobody before the time")
    void waitingOnesTurnIsNotCensorship() {
        for (int i = 1; i <= 5; i++) {
            world.submit(1, i, "earlier " + i, 1, 2, 3);
        }
        world.deliver();
        world.submit(0, 1, "last", 1, 2, 3);
        world.deliver();
        // In the order of arrival, and slow to be agreed on: every 460 ms one request.
        world.link = letter -> letter.from().isClient();
        for (int i = 1; i <= 5; i++) {
            Batch batch = of(world.request(1, i, "earlier " + i));
            seq++;
            for (int backup = 1; backup < 4; backup++) {
                world.receive(backup, 0, world.proposal(0, seq, batch));
            }
            world.tick(46);
            for (int backup = 1; backup < 4; backup++) {
                for (int voter = 0; voter < 4; voter++) {
                    world.receive(backup, voter, world.commit(voter, 0, seq, batch));
                }
            }
        }
        assertThat(5 * 46).isGreaterThan(fairnessTicks());
        assertThat(viewChanged()).isFalse();
        world.link = letter -> true;
        order(of(world.request(0, 1, "last")));
        assertThat(world.node(1).executed).endsWith("last");
    }

    @Test
    @DisplayName("Conflicting requests under one number: one is executed, the other's waiting accuses nobody")
    void conflictingRequestsForceNoViewChange() {
        // The client says one thing to the backups and another to the primary, under the same numbers.
        world.submit(0, 1, "to the backups", 1, 2, 3);
        world.mail.add(
                new CoreWorld.Letter(io.pbft.protocol.NodeId.client(0), 1, world.request(0, 2, "two of a kind")));
        world.deliver();
        order(of(world.request(0, 1, "to the primary", "two under one signature")));
        world.tick(3 * world.ticks(world.parameters.requestTimeoutMillis()));
        assertThat(viewChanged()).isFalse();
        assertThat(world.node(1).report().queued()).isZero();
        assertThat(world.node(1).executed).containsExactly("to the primary", "two under one signature");
    }

    @Test
    @DisplayName("A number far beyond the session's window is refused by all alike, and accuses nobody (trap 31)")
    void aNumberJumpForcesNoViewChange() {
        Signed<Request> jump = world.submit(0, 1_000_000, "jump", 1, 2, 3);
        world.deliver();
        order(of(jump));
        world.tick(3 * world.ticks(world.parameters.requestTimeoutMillis()));
        assertThat(viewChanged()).isFalse();
        assertThat(world.node(1).executed).isEmpty();
        assertThat(world.node(1).report().lastExecuted()).isEqualTo(1);
        assertThat(world.node(1)
                        .effects(Effect.Reply.class)
                        .get(0)
                        .answers()
                        .get(0)
                        .outcome())
                .isEqualTo(io.pbft.protocol.Outcome.OUT_OF_WINDOW);
        // The client is not locked out.
        order(of(world.request(0, 1, "next")));
        assertThat(world.node(1).executed).containsExactly("next");
    }

    @Test
    @DisplayName("To refuse what waits is progress: a client that asks for nothing else brings no correct primary down")
    void refusalsOfWhatWaitsAreProgress() {
        Signed<Request> waits = world.submit(0, 1_000_000, "jump", 1, 2, 3);
        for (int i = 1; i <= 30; i++) {
            Signed<Request> next = world.submit(0, 1_000_000 + i, "jump", 1, 2, 3);
            world.deliver();
            order(of(waits));
            world.tick(20);
            waits = next;
        }
        assertThat(30 * 20).isGreaterThan(fairnessTicks());
        assertThat(viewChanged()).isFalse();
        assertThat(world.node(1).report().queued()).isEqualTo(1);
    }

    @Test
    @DisplayName(
            "A client that fills its queue at the primary with what is to be refused has no correct primary accused")
    void whoFillsItsQueueWithRefusalsAccusesNobody() {
        world.node(0).up = true;
        world.link = letter -> letter.from().isClient();
        long beyond = 1_000_000;
        for (int i = 0; i < RequestQueue.CLIENT_REQUESTS_MAX; i++) {
            world.submit(0, beyond + i, "refused", 0);
        }
        world.deliver();
        world.submit(0, beyond - 1, "one too many", 0);
        world.deliver();
        assertThat(world.node(0).report().ignored()).containsEntry("request refused: OVERLOADED", 1L);

        // Only the backups hear of the one that can be served.
        world.link = letter -> true;
        world.submit(0, 1, "waits", 1, 2, 3);
        world.deliver();
        assertThat(world.node(0).report().ignored()).containsEntry("request refused: OVERLOADED", 1L);
        world.tick(world.ticks(world.parameters.requestTimeoutMillis()));
        assertThat(world.node(0).executed).containsExactly("waits");
        assertThat(viewChanged()).isFalse();
    }
}
