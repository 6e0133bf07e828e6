package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.crypto.Bytes;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Who is asked by one that lacks something (TOCS'02, section 5.2), and what a proposal is worth before the time is known. */
class CatchUpTest {
    private final CoreWorld world = new CoreWorld(4);

    /** Whom replica 3 asks, question by question. */
    private List<Integer> asked(Predicate<CoreWorld.Letter> question) {
        List<Integer> asked = new ArrayList<>();
        for (CoreWorld.Letter letter : world.sent) {
            if (letter.from().index() == 3 && question.test(letter)) {
                asked.add(letter.to());
            }
        }
        return asked;
    }

    /**
     * Asking for decisions and asking for batches once took turns by one counter. The one question then always skipped the
     * replica to which the other had moved on, and the only one that would have answered was never asked.
     */
    @Test
    @DisplayName("Each question takes its own turns: of three in a row, every other replica is asked one")
    void questionsOfTwoKindsDoNotSkipEachOthersTurns() {
        Batch batch = world.batch("a");
        world.link = letter -> letter.to() != 3 || letter.message().type() == MessageType.STATUS;
        for (int replica = 0; replica < 3; replica++) {
            world.receive(3, replica, new Status(0, false, 1, 0, true));
            world.receive(3, replica, world.commit(replica, 0, 1, batch));
        }
        world.link = letter -> false;
        world.tick(20 * world.ticks(world.parameters.statusIntervalMillis()));
        List<Integer> forDecisions = asked(letter -> letter.message() instanceof Status status && !status.answer());
        assertThat(forDecisions).hasSizeGreaterThanOrEqualTo(18);
        for (int i = 0; i + 3 <= forDecisions.size(); i++) {
            assertThat(forDecisions.subList(i, i + 3)).containsExactlyInAnyOrder(0, 1, 2);
        }
        List<Integer> forBatches = asked(letter -> letter.message() instanceof BatchFetch);
        assertThat(forBatches).hasSizeGreaterThanOrEqualTo(36);
        for (int i = 0; i + 6 <= forBatches.size(); i += 2) {
            assertThat(forBatches.subList(i, i + 6)).contains(0, 1, 2);
        }
    }

    @Test
    @DisplayName(
            "A proposal that comes before the first tick is not vouched for: there is no clock to measure its time by")
    void aProposalBeforeTheFirstTickIsNotVouchedFor() {
        Replica core = new Replica(world.config(3), Recovered.nothing());
        Batch batch = world.batch("a");
        Input proposal = new Input.Received(world.verified(NodeId.replica(0), world.proposal(0, 1, batch)));
        Effects out = new Effects();
        core.step(proposal, out);
        assertThat(out.drain()).noneMatch(Effect.Bind.class::isInstance);
        core.step(new Input.Tick(world.wallMillis()), out);
        out.drain();
        core.step(proposal, out);
        assertThat(out.drain())
                .anyMatch(effect -> effect instanceof Effect.Bind bind && bind.promise() instanceof Promise.AgreeTo);
    }

    @Test
    @DisplayName("It is kept all the same: when the others commit it, nothing has to be fetched")
    void aProposalBeforeTheFirstTickIsKept() {
        Replica core = new Replica(world.config(3), Recovered.nothing());
        Batch batch = world.batch("a");
        Effects out = new Effects();
        core.step(new Input.Received(world.verified(NodeId.replica(0), world.proposal(0, 1, batch))), out);
        for (int replica = 0; replica < 3; replica++) {
            core.step(
                    new Input.Received(world.verified(NodeId.replica(replica), world.commit(replica, 0, 1, batch))),
                    out);
        }
        assertThat(out.drain())
                .anyMatch(effect -> effect instanceof Effect.Execute execute
                        && execute.calls().get(0).operation().equals(Bytes.utf8("a")));
    }
}
