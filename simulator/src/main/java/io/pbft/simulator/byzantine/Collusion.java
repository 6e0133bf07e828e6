package io.pbft.simulator.byzantine;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import io.pbft.protocol.Vote;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Lies together with all others that have this behaviour; what they know is in the {@link Conspiracy}.
 *
 * <p>When one of them is primary it tells two halves of the cluster of two batches, and all of them back to each receiver the
 * batch that it was told of: with f of them the first half can commit. In some slots they give their COMMITs to one replica
 * alone, in others they wait until the view is being left, so that a replica commits while the others vote for the next view.
 * In their VIEW-CHANGEs they show, for each sequence number, the newest certificate, an older one, or none, of all that any of
 * them could make of what it heard: also one that they kept back for several views.
 */
final class Collusion extends Behaviour {
    private static final int HELD_MAX = 256;

    private record Held(NodeId to, Message message, long view) {}

    private final Conspiracy shared;
    private final List<Held> held = new ArrayList<>();

    Collusion(Conspiracy shared) {
        this.shared = shared;
    }

    @Override
    void outgoing(NodeId to, Message message, Way way) {
        if (!to.isReplica()) {
            way.pass(to, message);
            return;
        }
        if (message instanceof Proposal proposal
                && proposal.prePrepare().statement().replica() == way.self()) {
            propose(to, proposal, way);
        } else if (message instanceof Signed<?> signed
                && signed.statement().signer().equals(NodeId.replica(way.self()))) {
            if (signed.statement() instanceof Prepare s) {
                vote(to, signed, s, digest -> new Prepare(s.view(), s.seq(), digest, way.self()), way);
            } else if (signed.statement() instanceof Commit s) {
                vote(to, signed, s, digest -> new Commit(s.view(), s.seq(), digest, way.self()), way);
            } else if (signed.statement() instanceof ViewChange s) {
                show(to, signed, s, way);
            } else {
                way.pass(to, message);
            }
        } else {
            way.pass(to, message);
        }
    }

    private void propose(NodeId to, Proposal honest, Way way) {
        PrePrepare header = honest.prePrepare().statement();
        long about = Mix.mix(header.view(), header.seq());
        Batch other = PrimaryLies.altered(honest.batch(), shared.chance(about));
        shared.learn(NodeId.replica(way.self()), honest);
        if ((shared.chance(~about) & 1) == 0) {
            shared.agree(header.view(), header.seq(), header.digest(), other.digest());
        }
        if (shared.plan(header.view(), header.seq()).isPresent()
                && shared.isSecondHalf(header.view(), header.seq(), to)
                && way.dares(1, to, about)) {
            Proposal lie = PrimaryLies.propose(header.view(), header.seq(), other, way);
            shared.learn(NodeId.replica(way.self()), lie);
            way.lie(to, lie);
        } else {
            way.pass(to, honest);
        }
    }

    /** Makes a vote for a digest. */
    private interface Ballot {
        Vote of(Digest digest);
    }

    private void vote(NodeId to, Signed<?> honest, Vote vote, Ballot ballot, Way way) {
        shared.learn(NodeId.replica(way.self()), honest);
        Optional<Conspiracy.Plan> plan = shared.plan(vote.view(), vote.seq());
        if (plan.isEmpty()) {
            way.pass(to, honest);
            return;
        }
        long about = Mix.mix(vote.view(), vote.seq());
        Digest told = shared.isSecondHalf(vote.view(), vote.seq(), to)
                ? plan.get().second()
                : plan.get().first();
        Message said = honest;
        if (!told.equals(vote.digest()) && way.dares(1, to, about)) {
            Signed<?> lie = way.sign(ballot.of(told));
            shared.learn(NodeId.replica(way.self()), lie);
            said = lie;
        }
        boolean commit = vote instanceof Commit;
        switch (commit ? plan.get().timing() : Conspiracy.Timing.AT_ONCE) {
            case AT_ONCE -> say(to, honest, said, way);
            case TO_ONE -> {
                boolean chosen = Long.remainderUnsigned(shared.chance(about ^ 1), way.replicas()) == to.index();
                if (chosen || !way.dares(1, to, ~about)) {
                    say(to, honest, said, way);
                } else {
                    way.withhold(to, honest);
                }
            }
            case AT_VIEW_CHANGE -> {
                if (shared.isLeaving(vote.view()) || held.size() == HELD_MAX || !way.dares(1, to, ~about)) {
                    say(to, honest, said, way);
                } else {
                    way.withhold(to, honest);
                    held.add(new Held(to, said, vote.view()));
                }
            }
        }
    }

    private static void say(NodeId to, Message honest, Message said, Way way) {
        if (said == honest) {
            way.pass(to, honest);
        } else {
            way.lie(to, said);
        }
    }

    private void show(NodeId to, Signed<?> message, ViewChange honest, Way way) {
        List<PreparedCertificate> shown = new ArrayList<>();
        for (long seq : shared.seqsAbove(honest.stable().seq())) {
            List<PreparedCertificate> known = shared.certificates(seq, honest.view());
            long chance = shared.chance(Mix.mix(honest.view(), seq, ~way.self()));
            if (!known.isEmpty() && (chance & 3) != 0) {
                // Ascending by view: a correct replica would show the last.
                shown.add(known.get((chance & 3) == 1 ? 0 : known.size() - 1));
            }
        }
        if (shown.equals(honest.prepared()) || !way.dares(1, to, honest.view())) {
            way.pass(to, message);
        } else {
            way.lie(to, way.sign(new ViewChange(honest.view(), honest.stable(), shown, way.self())));
        }
    }

    @Override
    boolean hears(NodeId from, Message message, Way way) {
        shared.learn(from, message);
        return true;
    }

    @Override
    void tick(Way way) {
        for (Held late : List.copyOf(held)) {
            if (shared.isLeaving(late.view)) {
                held.remove(late);
                way.lie(late.to, late.message);
            }
        }
    }
}
