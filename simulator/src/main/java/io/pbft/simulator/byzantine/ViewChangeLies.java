package io.pbft.simulator.byzantine;

import static io.pbft.simulator.byzantine.PrimaryLies.keyOf;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.CheckpointCertificate;
import io.pbft.protocol.Message;
import io.pbft.protocol.NewView;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.PreparedCertificate;
import io.pbft.protocol.Signed;
import io.pbft.protocol.ViewChange;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What can be done wrong when views change. */
final class ViewChangeLies {
    private ViewChangeLies() {}

    /**
     * Tells each receiver of other prepared certificates: all, none, or some of those it has; seldom also of certificates
     * that it made up, which carry signatures for something else, or too few of them.
     */
    static final class Conflicting extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof Signed<?> signed
                    && signed.statement() instanceof ViewChange change
                    && change.replica() == way.self()
                    && way.dares(0.7, to, keyOf(message))) {
                List<PreparedCertificate> some = new ArrayList<>();
                for (PreparedCertificate certificate : change.prepared()) {
                    if ((way.chance(Mix.mix(to.index(), certificate.seq()), change.view()) & 1) == 0) {
                        some.add(certificate);
                    }
                }
                long chance = way.chance(change.view(), to.index());
                CheckpointCertificate stable = (chance & 3) == 0 ? CheckpointCertificate.GENESIS : change.stable();
                if ((chance & 12) == 0 && !some.isEmpty()) {
                    some.set(0, (chance & 16) == 0 ? madeUp(some.get(0)) : unsupported(some.get(0)));
                } else if ((chance & 12) == 4) {
                    stable = madeUp(stable);
                }
                way.lie(to, way.sign(new ViewChange(change.view(), stable, some, way.self())));
            } else {
                way.pass(to, message);
            }
        }
    }

    /** The null request in place of what prepared, under the signatures for that. */
    private static PreparedCertificate madeUp(PreparedCertificate honest) {
        PrePrepare header = honest.prePrepare().statement();
        Digest digest = Batch.NULL.digest();
        List<Signed<Prepare>> prepares = new ArrayList<>();
        for (Signed<Prepare> vote : honest.prepares()) {
            Prepare prepare = vote.statement();
            prepares.add(new Signed<>(
                    new Prepare(prepare.view(), prepare.seq(), digest, prepare.replica()), vote.signature()));
        }
        PrePrepare other = new PrePrepare(header.view(), header.seq(), digest, header.replica());
        return new PreparedCertificate(new Signed<>(other, honest.prePrepare().signature()), prepares);
    }

    /** What was proposed, with one PREPARE less than it takes, or with none. */
    private static PreparedCertificate unsupported(PreparedCertificate honest) {
        List<Signed<Prepare>> prepares = honest.prepares();
        boolean none = (honest.seq() & 1) == 0;
        return new PreparedCertificate(
                honest.prePrepare(), prepares.subList(0, none ? 0 : Math.max(0, prepares.size() - 1)));
    }

    /** A state that nobody has, under the signatures for another one. */
    private static CheckpointCertificate madeUp(CheckpointCertificate honest) {
        if (honest.seq() == 0) {
            return honest;
        }
        Digest state = Digest.of(Bytes.utf8("no such state"));
        List<Signed<Checkpoint>> proof = new ArrayList<>();
        for (Signed<Checkpoint> vote : honest.proof()) {
            Checkpoint checkpoint =
                    new Checkpoint(honest.seq(), state, vote.statement().replica());
            proof.add(new Signed<>(checkpoint, vote.signature()));
        }
        return new CheckpointCertificate(honest.seq(), state, proof);
    }

    /** Asks for one view after the other. */
    static final class Spam extends Behaviour {
        private static final int EVERY_TICKS = 5;

        private long ticks;

        @Override
        void tick(Way way) {
            if (ticks++ % EVERY_TICKS != 0) {
                return;
            }
            long ahead = 1 + (way.chance(ticks, 0) & 3);
            long view = (way.chance(ticks, 1) & 15) == 0 ? Long.MAX_VALUE - ahead : way.view() + ahead;
            Signed<ViewChange> spam =
                    way.sign(new ViewChange(view, CheckpointCertificate.GENESIS, List.of(), way.self()));
            for (int i = 0; i < way.replicas(); i++) {
                NodeId to = NodeId.replica(i);
                if (i != way.self() && way.dares(0.8, to, ticks)) {
                    way.lie(to, spam);
                }
            }
        }
    }

    /** Leads into a view with proposals that do not follow from the VIEW-CHANGEs, or with too few of these. */
    static final class BadNewView extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof Signed<?> signed
                    && signed.statement() instanceof NewView newView
                    && newView.replica() == way.self()
                    && way.dares(0.8, to, keyOf(message))) {
                way.lie(to, way.sign(spoilt(newView, way, to)));
            } else {
                way.pass(to, message);
            }
        }

        private static NewView spoilt(NewView honest, Way way, NodeId to) {
            List<Signed<PrePrepare>> proposals = new ArrayList<>(honest.proposals());
            long chance = way.chance(honest.view(), to.index());
            if ((chance & 0x70) == 0) {
                return alone(honest, (chance & 0x80) == 0, way);
            } else if ((chance & 0x70) == 0x10 && !proposals.isEmpty()) {
                // Of another view that it is the primary of.
                PrePrepare first = proposals.get(0).statement();
                proposals.set(
                        0,
                        way.sign(new PrePrepare(
                                honest.view() + way.replicas(), first.seq(), first.digest(), way.self())));
                return new NewView(honest.view(), honest.viewChanges(), proposals, way.self());
            }
            if (proposals.isEmpty()) {
                long seq = 1 + (chance >>> 8 & 31);
                proposals.add(way.sign(new PrePrepare(honest.view(), seq, Batch.NULL.digest(), way.self())));
            } else if ((chance & 3) == 0) {
                proposals.remove(proposals.size() - 1);
            } else {
                int victim = (int) Long.remainderUnsigned(chance >>> 8, proposals.size());
                PrePrepare old = proposals.get(victim).statement();
                Digest digest = old.digest().equals(Batch.NULL.digest()) || (chance & 3) == 1
                        ? Digest.of(Bytes.utf8("no such batch"))
                        : Batch.NULL.digest();
                proposals.set(victim, way.sign(new PrePrepare(old.view(), old.seq(), digest, way.self())));
            }
            return new NewView(honest.view(), honest.viewChanges(), proposals, way.self());
        }

        /** A view that begins with nothing: only its own word stands for it, once or as often as others are needed. */
        private static NewView alone(NewView honest, boolean once, Way way) {
            Signed<ViewChange> own =
                    way.sign(new ViewChange(honest.view(), CheckpointCertificate.GENESIS, List.of(), way.self()));
            int copies = once ? 1 : honest.viewChanges().size();
            return new NewView(honest.view(), Collections.nCopies(copies, own), List.of(), way.self());
        }
    }
}
