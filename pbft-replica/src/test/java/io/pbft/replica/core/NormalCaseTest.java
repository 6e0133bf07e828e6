package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.protocol.Commit;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NormalCaseTest {
    @ParameterizedTest
    @ValueSource(ints = {4, 5, 6, 7, 10, 13})
    void aRequestToThePrimaryIsExecutedByAll(int n) {
        CoreWorld world = new CoreWorld(n);
        world.submit(0, 1, "a", 0);
        world.deliver();
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.executed).containsExactly("a");
            assertThat(node.report().lastExecuted()).isEqualTo(1);
            assertThat(node.effects(Effect.Reply.class)).hasSize(1);
        }
    }

    @Test
    void manyRequestsAreExecutedInOneOrderAndCheckpointsMoveTheWindow() {
        CoreWorld world = new CoreWorld(4);
        for (int i = 1; i <= 40; i++) {
            world.submit(i % 3, 1 + (i - 1) / 3, "op" + i, 0);
            world.deliver();
        }
        List<String> order = world.node(0).executed;
        assertThat(order).hasSize(40);
        for (CoreWorld.Node node : world.nodes) {
            assertThat(node.executed).isEqualTo(order);
            assertThat(node.report().stableCheckpoint()).isEqualTo(40);
            assertThat(node.report().view()).isZero();
        }
    }

    /** A batch costs its votes whatever its size: one operation does not open a second while a larger one is under way. */
    @Test
    void whatWaitsIsProposedWhenItIsAsMuchAsIsUnderWay() {
        CoreWorld world = new CoreWorld(4);
        CoreWorld.Node primary = world.node(0);
        receive(world, 1, "a");
        assertThat(proposedOperations(primary)).containsExactly(1);
        receive(world, 2, "b");
        assertThat(proposedOperations(primary)).as("1 waits, 1 is under way").containsExactly(1, 1);
        receive(world, 3, "c");
        assertThat(proposedOperations(primary)).as("1 waits, 2 are under way").containsExactly(1, 1);
        receive(world, 4, "d");
        assertThat(proposedOperations(primary)).as("2 wait, 2 are under way").containsExactly(1, 1, 2);
        receive(world, 5, "e");
        assertThat(proposedOperations(primary)).containsExactly(1, 1, 2);
        world.deliver();
        assertThat(proposedOperations(primary)).as("nothing is under way").containsExactly(1, 1, 2, 1);
        assertThat(primary.executed).containsExactly("a", "b", "c", "d", "e");
    }

    @Test
    void nobodyWaitsForTheNextBatchForLongerThanATick() {
        CoreWorld world = new CoreWorld(4);
        receive(world, 1, "a", "b", "c");
        receive(world, 4, "d");
        assertThat(proposedOperations(world.node(0))).containsExactly(3);
        world.step(0, new Input.Tick(world.wallMillis));
        assertThat(proposedOperations(world.node(0))).containsExactly(3, 1);
    }

    /** The primary receives a request of these operations, and what it sends stays on its way. */
    private static void receive(CoreWorld world, long number, String... operations) {
        Signed<Request> request = world.request(0, number, operations);
        world.step(0, new Input.Received(world.verified(NodeId.client(0), request)));
    }

    private static List<Integer> proposedOperations(CoreWorld.Node node) {
        return node.promises(Promise.Propose.class).stream()
                .map(proposal -> proposal.batch().operations())
                .toList();
    }

    @Test
    void nothingLeavesBeforeItIsDurable() {
        CoreWorld world = new CoreWorld(4);
        world.node(1).disk = false;
        world.submit(0, 1, "a", 0);
        world.deliver();
        assertThat(world.sent)
                .noneMatch(letter -> letter.from().index() == 1
                        && letter.message() instanceof io.pbft.protocol.Signed<?> signed
                        && (signed.statement() instanceof Prepare || signed.statement() instanceof Commit));
        world.node(1).disk = true;
        world.keepPromises(world.node(1));
        world.deliver();
        world.tick(1);
        assertThat(world.node(1).executed).containsExactly("a");
    }

    @Test
    void aDeadPrimaryIsReplaced() {
        CoreWorld world = new CoreWorld(4);
        world.submit(0, 1, "a", 0);
        world.deliver();
        world.crash(0);
        world.submit(0, 2, "b", 1, 2, 3);
        world.deliver();
        world.tick(world.ticks(world.parameters.requestTimeoutMillis()) + 5);
        for (int i = 1; i < 4; i++) {
            assertThat(world.node(i).report().view()).isEqualTo(1);
            assertThat(world.node(i).executed).containsExactly("a", "b");
        }
        world.restart(0);
        world.tick(100);
        assertThat(world.node(0).executed).containsExactly("a", "b");
        assertThat(world.node(0).report().view()).isEqualTo(1);
    }
}
