package io.pbft.replica.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.pbft.protocol.Batch;
import io.pbft.protocol.Equivocation;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A primary that tells each replica of one batch only, and different ones of different batches, is proven to do so. */
class PrimaryEquivocationTest {
    private final CoreWorld world = new CoreWorld(4);
    private final Batch one = world.batch("one");
    private final Batch two = world.batch("two");

    @BeforeEach
    void nobodyHearsThePrimary() {
        world.link = letter -> letter.from().isReplica() && letter.from().index() != 0;
    }

    private void alone() {
        world.link = letter -> letter.from().isClient();
    }

    /** The PRE-PREPAREs without batches that {@code from} sent to {@code to}. */
    private List<Signed<PrePrepare>> shown(CoreWorld in, int from, int to) {
        return in.sent.stream()
                .filter(letter -> letter.from().equals(NodeId.replica(from)) && letter.to() == to)
                .filter(letter ->
                        letter.message() instanceof Signed<?> signed && signed.statement() instanceof PrePrepare)
                .map(letter -> ((Signed<?>) letter.message()).as(PrePrepare.class))
                .toList();
    }

    private static void proves(CoreWorld in, CoreWorld.Node holder, Proposal first, Proposal second) {
        assertThat(holder.effects(Effect.Accuse.class))
                .as("of replica %d", holder.id)
                .hasSize(1);
        Effect.Accuse accuse = holder.effects(Effect.Accuse.class).get(0);
        assertThat(List.of(accuse.first(), accuse.second()))
                .containsExactlyInAnyOrder(first.prePrepare(), second.prePrepare());
        Equivocation evidence = new Equivocation(accuse.first(), accuse.second());
        assertThat(evidence.accused()).isEqualTo(NodeId.replica(0));
        assertThat(in.isEvidence(evidence)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 7, 10})
    @DisplayName("trap 2: replicas that were told of different batches show each other what they were told")
    void bothSidesHoldTheProof(int n) {
        CoreWorld other = new CoreWorld(n);
        other.link = world.link;
        Proposal first = other.proposal(0, 1, one);
        Proposal second = other.proposal(0, 1, two);
        for (int backup = 1; backup < n; backup++) {
            other.receive(backup, 0, backup == 1 ? first : second);
        }
        other.deliver();
        for (int backup = 1; backup < n; backup++) {
            proves(other, other.node(backup), first, second);
            for (int to = 1; to < n; to++) {
                assertThat(shown(other, backup, to)).hasSize((backup == 1) != (to == 1) ? 1 : 0);
            }
            assertThat(shown(other, backup, 0)).isEmpty();
        }
    }

    @Test
    @DisplayName(
            "trap 4: also those whose votes came before the PRE-PREPARE are shown it, for a COMMIT as for a PREPARE")
    void votesThatCameBeforeAreAnswered() {
        alone();
        world.receive(3, 1, world.prepare(1, 0, 1, two));
        world.receive(3, 2, world.commit(2, 0, 1, two));
        assertThat(shown(world, 3, 1)).isEmpty();
        Proposal proposal = world.proposal(0, 1, one);
        world.receive(3, 0, proposal);
        assertThat(shown(world, 3, 1)).containsExactly(proposal.prePrepare());
        assertThat(shown(world, 3, 2)).containsExactly(proposal.prePrepare());
    }

    @Test
    @DisplayName("traps 10, 63: a replica is shown the PRE-PREPARE of one view and number once, however often it votes")
    void aLiarIsShownNoMoreThanItSays() {
        alone();
        world.receive(3, 0, world.proposal(0, 1, one));
        for (int round = 0; round < 5; round++) {
            world.receive(3, 1, world.prepare(1, 0, 1, two));
            world.receive(3, 1, world.commit(1, 0, 1, two));
            for (int view = 2; view <= 4; view++) {
                // Votes of later views press out those of this one, so that they are new when they come again.
                world.receive(3, 1, world.commit(1, view, 1, two));
                world.receive(3, 1, world.prepare(1, view, 1, two));
            }
        }
        assertThat(shown(world, 3, 1)).hasSize(1);
        world.receive(3, 2, world.commit(2, 0, 1, two));
        assertThat(shown(world, 3, 2)).hasSize(1);
        for (int seq = 2; seq <= 100; seq++) {
            // What nobody proposed, and what lies beyond the window, is answered by nothing.
            world.receive(3, 1, world.prepare(1, 0, seq, two));
        }
        assertThat(shown(world, 3, 1)).hasSize(1);
    }

    @Test
    @DisplayName(
            "the primary that said it is not shown its own PRE-PREPARE, nor does it show it, and nobody shows itself")
    void thePrimaryHasNothingToLearn() {
        alone();
        world.receive(3, 0, world.proposal(0, 1, one));
        world.receive(3, 0, world.commit(0, 0, 1, two));
        assertThat(shown(world, 3, 0)).isEmpty();
        // A second process with this replica's key.
        world.receive(3, 2, world.commit(3, 0, 1, two));
        assertThat(shown(world, 3, 3)).isEmpty();
        world.submit(0, 1, "three", 0);
        world.deliver();
        assertThat(world.node(0).promises(Promise.Propose.class)).hasSize(1);
        world.receive(0, 1, world.prepare(1, 0, 1, two));
        assertThat(shown(world, 0, 1)).isEmpty();
    }

    @Test
    @DisplayName(
            "trap 5: a PRE-PREPARE without its batch is no proposal: it opens nothing, and nothing is agreed to by it")
    void whatIsShownIsNotProposed() {
        alone();
        Proposal proposal = world.proposal(0, 1, one);
        world.receive(3, 2, proposal.prePrepare());
        assertThat(world.node(3).report().logSlots()).isZero();
        world.receive(3, 1, world.prepare(1, 0, 1, one));
        world.receive(3, 2, world.prepare(2, 0, 1, one));
        world.receive(3, 0, proposal.prePrepare());
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).isEmpty();
        assertThat(world.node(3).promises(Promise.CommitTo.class)).isEmpty();
        assertThat(world.node(3).report().ignored()).containsEntry("PRE-PREPARE without its batch", 2L);
        world.receive(3, 0, proposal);
        assertThat(world.node(3).promises(Promise.AgreeTo.class)).hasSize(1);
        assertThat(world.node(3).promises(Promise.CommitTo.class)).hasSize(1);
        assertThat(world.node(3).effects(Effect.Accuse.class)).isEmpty();
    }

    @Test
    @DisplayName("another batch at another number or in another view is no contradiction")
    void otherPlacesDoNotContradict() {
        alone();
        world.receive(3, 0, world.proposal(0, 1, one));
        world.receive(3, 0, world.proposal(0, 2, two));
        world.receive(3, 2, world.proposal(0, 1, one).prePrepare());
        world.receive(3, 2, world.proposal(0, 2, two).prePrepare());
        world.receive(3, 2, world.proposal(1, 1, two).prePrepare());
        world.receive(3, 2, world.proposal(4, 1, two).prePrepare());
        assertThat(world.node(3).effects(Effect.Accuse.class)).isEmpty();
        world.receive(3, 2, world.proposal(0, 2, one).prePrepare());
        assertThat(world.node(3).effects(Effect.Accuse.class)).hasSize(1);
    }

    @Test
    @DisplayName("what a replica accepted before its restart contradicts what it is shown after it")
    void theProofOutlivesARestart() {
        alone();
        Proposal first = world.proposal(0, 1, one);
        Proposal second = world.proposal(0, 1, two);
        world.receive(3, 0, first);
        world.crash(3);
        world.restart(3);
        world.receive(3, 2, second.prePrepare());
        proves(world, world.node(3), first, second);
    }
}
