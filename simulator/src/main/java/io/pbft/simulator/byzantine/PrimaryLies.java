package io.pbft.simulator.byzantine;

import io.pbft.crypto.Digest;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchBody;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.MessageType;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What a primary can do wrong with its proposals. */
final class PrimaryLies {
    private PrimaryLies() {}

    private static Optional<Proposal> ownProposal(Message message, Way way) {
        return message instanceof Proposal proposal
                        && proposal.prePrepare().statement().replica() == way.self()
                ? Optional.of(proposal)
                : Optional.empty();
    }

    /** Another batch of the same requests, or of some of them. */
    static Batch altered(Batch batch, long chance) {
        List<Signed<Request>> requests = new ArrayList<>(batch.requests());
        if (requests.size() > 1 && (chance & 1) == 0) {
            Collections.reverse(requests);
            return new Batch(batch.timeMillis(), requests);
        } else if (requests.size() > 1) {
            requests.remove(requests.size() - 1);
            return new Batch(batch.timeMillis(), requests);
        }
        return new Batch(batch.timeMillis() + 1, requests);
    }

    static Proposal propose(long view, long seq, Batch batch, Way way) {
        return new Proposal(way.sign(new PrePrepare(view, seq, batch.digest(), way.self())), batch);
    }

    /** Proposes nothing. */
    static final class Silent extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (ownProposal(message, way).isPresent() && way.dares(1, to, keyOf(message))) {
                way.withhold(to, message);
            } else {
                way.pass(to, message);
            }
        }
    }

    /**
     * Tells some one batch and others another, for the same sequence number, and backs both with its COMMIT. Who hears which is
     * drawn anew for each sequence number, and the same for all of its messages.
     */
    static final class Equivocate extends Behaviour {
        /** What the second group was told, by view and sequence number; the newest few. */
        private final Map<List<Long>, Digest> told = new TreeMap<>((left, right) -> {
            int byView = Long.compare(left.get(0), right.get(0));
            return byView != 0 ? byView : Long.compare(left.get(1), right.get(1));
        });

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Proposal> own = ownProposal(message, way);
            if (own.isPresent()) {
                PrePrepare header = own.get().prePrepare().statement();
                long about = Mix.mix(header.view(), header.seq());
                if (way.dares(0.5, to, about)) {
                    Batch other = altered(own.get().batch(), way.chance(about, 0));
                    told.put(List.of(header.view(), header.seq()), other.digest());
                    way.lie(to, propose(header.view(), header.seq(), other, way));
                    return;
                }
            } else if (message instanceof Signed<?> signed
                    && signed.statement() instanceof Commit commit
                    && commit.replica() == way.self()) {
                Digest other = told.get(List.of(commit.view(), commit.seq()));
                if (other != null && way.dares(0.5, to, Mix.mix(commit.view(), commit.seq()))) {
                    way.lie(to, way.sign(new Commit(commit.view(), commit.seq(), other, way.self())));
                    return;
                }
            }
            way.pass(to, message);
        }
    }

    /** Signs a digest that is not the batch's. */
    static final class WrongDigest extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Proposal> own = ownProposal(message, way);
            if (own.isPresent() && way.dares(0.7, to, keyOf(message))) {
                PrePrepare header = own.get().prePrepare().statement();
                Digest wrong = Digest.of(header.digest().toBytes());
                way.lie(
                        to,
                        new Proposal(
                                way.sign(new PrePrepare(header.view(), header.seq(), wrong, way.self())),
                                own.get().batch()));
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Proposes late: just late enough, perhaps, not to be suspected. */
    static final class Delay extends Behaviour {
        private final long micros;

        Delay(long micros) {
            this.micros = micros;
        }

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            boolean leads = message instanceof Proposal || message.type() == MessageType.NEW_VIEW;
            if (leads && way.dares(1, to, keyOf(message))) {
                way.delay(to, message, micros);
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Leaves one client out: its requests are not heard. */
    static final class Censor extends Behaviour {
        private final int client;

        Censor(int client) {
            this.client = client;
        }

        @Override
        boolean hears(NodeId from, Message message, Way way) {
            if (message instanceof Signed<?> signed
                    && signed.statement() instanceof Request request
                    && request.client() == client
                    && way.dares(1, NodeId.client(client), Mix.mix(request.first(), way.nowMicros()))) {
                way.withhold(NodeId.client(client), message);
                return false;
            }
            return true;
        }
    }

    /** Turns the order of the requests in a batch round, and lets later proposals overtake earlier ones. */
    static final class Reorder extends Behaviour {
        private static final long LATE_MICROS = 40_000;

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Proposal> own = ownProposal(message, way);
            if (own.isEmpty()) {
                way.pass(to, message);
                return;
            }
            PrePrepare header = own.get().prePrepare().statement();
            if (header.seq() % 2 == 1 && way.dares(1, to, keyOf(message))) {
                way.delay(to, message, LATE_MICROS);
            } else if (own.get().batch().requests().size() > 1 && way.dares(1, to, keyOf(message))) {
                List<Signed<Request>> requests =
                        new ArrayList<>(own.get().batch().requests());
                Collections.reverse(requests);
                way.lie(
                        to,
                        propose(
                                header.view(),
                                header.seq(),
                                new Batch(own.get().batch().timeMillis(), requests),
                                way));
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Sends some replicas the PRE-PREPARE without its batch, and does not answer when they ask for it. */
    static final class WithholdBodies extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Proposal> own = ownProposal(message, way);
            if (own.isPresent() && way.dares(0.6, to, keyOf(message))) {
                way.lie(to, own.get().prePrepare());
            } else if (message instanceof BatchBody && way.dares(1, to, keyOf(message))) {
                way.withhold(to, message);
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Leaves sequence numbers out, by a few, or far beyond the window; or goes back to numbers that were used before. */
    static final class SequenceJump extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Proposal> own = ownProposal(message, way);
            if (own.isPresent()) {
                PrePrepare header = own.get().prePrepare().statement();
                long about = Mix.mix(header.view(), header.seq());
                if (way.dares(0.5, NodeId.replica(0), about)) {
                    long chance = way.chance(about, 1);
                    long few = 1 + (chance >>> 4 & 7);
                    long jump = switch ((int) (chance & 3)) {
                        case 0 -> 1_000_000;
                        case 1 -> -Math.min(few, header.seq() - 1);
                        default -> few;
                    };
                    way.lie(
                            to,
                            propose(
                                    header.view(),
                                    header.seq() + jump,
                                    own.get().batch(),
                                    way));
                    return;
                }
            }
            way.pass(to, message);
        }
    }

    /** Proposes times that go back, a little or far, or lie far ahead. */
    static final class BadTime extends Behaviour {
        private static final long FAR_MILLIS = 3_600_000;

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Proposal> own = ownProposal(message, way);
            if (own.isPresent()) {
                PrePrepare header = own.get().prePrepare().statement();
                long about = Mix.mix(header.view(), header.seq());
                if (way.dares(0.7, NodeId.replica(0), about)) {
                    Batch batch = own.get().batch();
                    long chance = way.chance(about, 1);
                    long step = (chance & 2) == 0 ? FAR_MILLIS : chance >>> 8 & 127;
                    boolean back = (chance & 1) == 0 || step < FAR_MILLIS;
                    long time = Math.max(1, batch.timeMillis() + (back ? -step : step));
                    way.lie(to, propose(header.view(), header.seq(), new Batch(time, batch.requests()), way));
                    return;
                }
            }
            way.pass(to, message);
        }
    }

    /** Proposes in another view that it is the primary of: one that is over, or one that has not begun. */
    static final class StaleView extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Proposal> own = ownProposal(message, way);
            if (own.isPresent() && way.dares(0.6, to, keyOf(message))) {
                PrePrepare header = own.get().prePrepare().statement();
                long back = header.view() - way.replicas();
                long view = back >= 0 && (way.chance(header.seq(), 1) & 1) == 0 ? back : header.view() + way.replicas();
                way.lie(to, propose(view, header.seq(), own.get().batch(), way));
            } else {
                way.pass(to, message);
            }
        }
    }

    /**
     * Orders what was executed long ago, again and again, and nothing else: the log grows, checkpoints become stable, and no
     * client gets an answer. It begins with the first batch that it hears of, and takes the next sequence number as soon as
     * another replica has committed the last.
     */
    static final class OldRequests extends Behaviour {
        private Optional<Batch> old = Optional.empty();
        private long view = -1;
        private long seq;
        private boolean committed;

        /** The latest time that a proposal had, and when it was heard of. */
        private long timeMillis;

        private long heardMicros;

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Proposal> own = ownProposal(message, way);
            if (own.isEmpty()) {
                way.pass(to, message);
                return;
            }
            PrePrepare header = own.get().prePrepare().statement();
            boolean first = old.isEmpty() || old.get().equals(own.get().batch());
            learn(own.get().batch(), way);
            if (header.view() > view) {
                view = header.view();
                seq = header.seq();
                committed = true;
            }
            // The first batch has to be executed before it can be an old one.
            if (first) {
                seq = Math.max(seq, header.seq() + 1);
                way.pass(to, message);
            } else if (way.dares(1, to, keyOf(message))) {
                way.withhold(to, message);
            } else {
                way.pass(to, message);
            }
        }

        @Override
        boolean hears(NodeId from, Message message, Way way) {
            if (message instanceof Proposal proposal) {
                learn(proposal.batch(), way);
            } else if (message instanceof Signed<?> signed
                    && signed.statement() instanceof Commit commit
                    && commit.view() == view
                    && commit.seq() >= seq - 1) {
                seq = Math.max(seq, commit.seq() + 1);
                committed = true;
            }
            return true;
        }

        private void learn(Batch batch, Way way) {
            if (batch.timeMillis() > timeMillis) {
                timeMillis = batch.timeMillis();
                heardMicros = way.nowMicros();
            }
            if (old.isEmpty() && !batch.requests().isEmpty()) {
                old = Optional.of(batch);
            }
        }

        @Override
        void tick(Way way) {
            boolean leads = view >= 0 && way.view() == view;
            if (!leads || !committed || old.isEmpty()) {
                return;
            }
            committed = false;
            long now = timeMillis + (way.nowMicros() - heardMicros) / 1_000;
            Proposal lie = propose(view, seq, new Batch(now, old.get().requests()), way);
            for (int i = 0; i < way.replicas(); i++) {
                NodeId to = NodeId.replica(i);
                if (i != way.self() && way.dares(1, to, Mix.mix(view, seq))) {
                    way.lie(to, lie);
                }
            }
        }
    }

    static long keyOf(Message message) {
        return io.pbft.simulator.world.MessageKey.of(message);
    }
}
