package io.pbft.simulator.byzantine;

import static io.pbft.simulator.byzantine.PrimaryLies.keyOf;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.MerkleTree;
import io.pbft.protocol.Batch;
import io.pbft.protocol.BatchFetch;
import io.pbft.protocol.Checkpoint;
import io.pbft.protocol.Codec;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyLeaf;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.StateFetch;
import io.pbft.protocol.StateNodes;
import io.pbft.protocol.Status;
import io.pbft.protocol.Vote;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What any replica can do wrong: with its votes, its answers, its checkpoints, its share of the network. */
final class AnyLies {
    private AnyLies() {}

    /** Says nothing to anybody. */
    static final class Mute extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (way.dares(1, to, keyOf(message))) {
                way.withhold(to, message);
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Stops at the time at which it is switched on. */
    static final class Crash extends Behaviour {
        @Override
        void tick(Way way) {
            way.die();
        }
    }

    /** Signs results that are not what was executed, or answers with what it has not signed. */
    static final class LieReply extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof Reply reply && !reply.items().isEmpty() && way.dares(0.8, to, keyOf(message))) {
                long chance = way.chance(keyOf(message), to.index());
                way.lie(to, (chance & 3) == 0 ? unsigned(reply, (chance & 4) == 0) : lie(reply, way));
            } else {
                way.pass(to, message);
            }
        }

        /** The honest leaves with results that are not theirs, or with a way to the root that does not lead there. */
        private static Reply unsigned(Reply reply, boolean results) {
            List<Reply.Item> items = new ArrayList<>();
            for (Reply.Item item : reply.items()) {
                List<Digest> longer = new ArrayList<>(item.path());
                longer.add(Digest.of(Bytes.utf8("lie")));
                items.add(
                        results
                                ? new Reply.Item(item.leaf(), Optional.of(Bytes.utf8("lie")), item.index(), item.path())
                                : new Reply.Item(item.leaf(), item.result(), item.index(), longer));
            }
            return new Reply(reply.root(), items);
        }

        static Reply lie(Reply reply, Way way) {
            Bytes result = Bytes.utf8("lie");
            List<ReplyLeaf> leaves = new ArrayList<>();
            List<Digest> hashes = new ArrayList<>();
            for (Reply.Item item : reply.items()) {
                ReplyLeaf leaf = item.leaf();
                ReplyLeaf lie = new ReplyLeaf(
                        leaf.client(),
                        leaf.epoch(),
                        leaf.number(),
                        leaf.seq(),
                        leaf.timeMillis(),
                        leaf.operation(),
                        Outcome.EXECUTED,
                        Digest.of(result));
                leaves.add(lie);
                hashes.add(MerkleTree.leafHash(Codec.leafBytes(lie)));
            }
            MerkleTree tree = MerkleTree.of(hashes);
            List<Reply.Item> items = new ArrayList<>();
            for (int i = 0; i < leaves.size(); i++) {
                items.add(new Reply.Item(leaves.get(i), Optional.of(result), i, tree.path(i)));
            }
            long view = reply.root().statement().view();
            return new Reply(way.sign(new ReplyRoot(view, tree.root(), tree.size(), way.self())), items);
        }
    }

    /** Answers every read as if nothing had ever been written: the oldest state there is, and the same lie from all liars. */
    static final class LieRead extends Behaviour {
        private static final Bytes NOTHING = Bytes.utf8("-");

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof ReadReply reply && way.dares(1, to, keyOf(message))) {
                Optional<Bytes> result = reply.result().map(honest -> NOTHING);
                way.lie(
                        to,
                        new ReadReply(
                                reply.nonce(),
                                reply.seq(),
                                reply.timeMillis(),
                                Outcome.EXECUTED,
                                Digest.of(NOTHING),
                                result));
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Votes, answers and asks in the names of others, under its own signature or under theirs for something else. */
    static final class ForgeSignature extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof Proposal proposal
                    && proposal.prePrepare().statement().replica() == way.self()
                    && !proposal.batch().requests().isEmpty()
                    && way.dares(0.2, NodeId.replica(0), keyOf(message))) {
                way.lie(to, forged(proposal, way));
                return;
            }
            if (message instanceof Reply reply && !reply.items().isEmpty() && way.dares(0.3, to, keyOf(message))) {
                Reply lie = LieReply.lie(reply, way);
                for (int other = 0; other < way.replicas(); other++) {
                    ReplyRoot own = lie.root().statement();
                    ReplyRoot root = new ReplyRoot(own.view(), own.root(), own.leaves(), other);
                    way.lie(to, new Reply(new Signed<>(root, lie.root().signature()), lie.items()));
                }
                return;
            }
            way.pass(to, message);
            if (message instanceof Signed<?> signed
                    && signed.statement() instanceof Vote vote
                    && way.dares(0.5, to, keyOf(message))) {
                int other = (int) Long.remainderUnsigned(way.chance(keyOf(message), to.index()), way.replicas());
                Vote forged = vote instanceof Commit
                        ? new Commit(vote.view(), vote.seq(), vote.digest(), other)
                        : new Prepare(vote.view(), vote.seq(), vote.digest(), other);
                way.lie(to, new Signed<>(forged, signed.signature()));
            }
        }

        /** The first client's operations are the liar's, under the client's signature for its own. */
        private static Proposal forged(Proposal proposal, Way way) {
            Batch batch = proposal.batch();
            List<Signed<Request>> requests = new ArrayList<>(batch.requests());
            Signed<Request> honest = requests.get(0);
            Request request = honest.statement();
            List<Bytes> operations = Collections.nCopies(
                    request.operations().size(), Bytes.utf8("lie " + request.epoch() + " " + request.first()));
            requests.set(
                    0,
                    new Signed<>(
                            new Request(
                                    request.client(),
                                    request.epoch(),
                                    request.lowest(),
                                    request.first(),
                                    request.replier(),
                                    operations),
                            honest.signature()));
            PrePrepare header = proposal.prePrepare().statement();
            return PrimaryLies.propose(header.view(), header.seq(), new Batch(batch.timeMillis(), requests), way);
        }
    }

    /** Vouches for states that nobody has; for each receiver another one, or the same for all. */
    static final class BadCheckpoint extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof Signed<?> signed
                    && signed.statement() instanceof Checkpoint checkpoint
                    && checkpoint.replica() == way.self()
                    && way.dares(0.8, to, keyOf(message))) {
                boolean each = (way.chance(checkpoint.seq(), 0) & 1) == 0;
                byte[] noise = Bytes.utf8("state " + (each ? to.index() : 0) + " of " + checkpoint.seq())
                        .toByteArray();
                way.lie(to, way.sign(new Checkpoint(checkpoint.seq(), Digest.of(noise), way.self())));
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Serves spoilt parts of the state. */
    static final class BadStateChunk extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof StateNodes nodes && !nodes.nodes().isEmpty() && way.dares(0.7, to, keyOf(message))) {
                List<StateNodes.Node> spoilt = new ArrayList<>(nodes.nodes());
                int victim = (int) Long.remainderUnsigned(way.chance(keyOf(message), 1), spoilt.size());
                StateNodes.Node node = spoilt.get(victim);
                byte[] content = node.content().toByteArray();
                if (content.length > 0) {
                    content[(int) Long.remainderUnsigned(way.chance(keyOf(message), 2), content.length)] ^= 1;
                }
                spoilt.set(victim, new StateNodes.Node(node.path(), Bytes.wrap(content)));
                way.lie(to, new StateNodes(nodes.seq(), nodes.available(), spoilt));
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Talks to some replicas only. */
    static final class Selective extends Behaviour {
        private final Set<Integer> friends;

        Selective(Set<Integer> friends) {
            this.friends = friends;
        }

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (to.isReplica() && !friends.contains(to.index()) && way.dares(1, to, keyOf(message))) {
                way.withhold(to, message);
            } else {
                way.pass(to, message);
            }
        }
    }

    /** Says again what it and others said before. */
    static final class Replay extends Behaviour {
        private static final int KEPT_MAX = 256;
        private static final int PER_TICK = 2;

        private final List<Message> kept = new ArrayList<>();
        private long count;

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (to.isReplica()) {
                keep(message);
            }
            way.pass(to, message);
        }

        @Override
        boolean hears(NodeId from, Message message, Way way) {
            keep(message);
            return true;
        }

        private void keep(Message message) {
            if (kept.size() < KEPT_MAX) {
                kept.add(message);
            } else {
                kept.set((int) (count % KEPT_MAX), message);
            }
            count++;
        }

        @Override
        void tick(Way way) {
            for (int i = 0; i < PER_TICK && !kept.isEmpty(); i++) {
                long now = Mix.mix(way.nowMicros(), i);
                NodeId to = NodeId.replica((int) Long.remainderUnsigned(way.chance(now, 0), way.replicas()));
                Message message = kept.get((int) Long.remainderUnsigned(way.chance(now, 1), kept.size()));
                if (to.index() != way.self() && way.dares(0.5, to, now)) {
                    way.lie(to, message);
                }
            }
        }
    }

    /** Sends a great many messages that cost something to look at and are worth nothing. */
    static final class Flood extends Behaviour {
        private static final int PER_TICK = 6;

        @Override
        void tick(Way way) {
            for (int i = 0; i < PER_TICK; i++) {
                long about = Mix.mix(way.nowMicros(), i);
                NodeId to = NodeId.replica((int) Long.remainderUnsigned(way.chance(about, 0), way.replicas()));
                if (to.index() != way.self() && way.dares(0.7, to, about)) {
                    way.lie(to, junk(way, about));
                }
            }
        }

        private static Message junk(Way way, long about) {
            long chance = way.chance(about, 1);
            Digest digest = Digest.of(Bytes.utf8("junk " + chance));
            long far = chance >>> 40;
            return switch ((int) (chance & 7)) {
                case 0 -> new Status(way.view() + far, true, far, far, false, far);
                case 1 -> new BatchFetch(List.of(digest));
                case 2 -> new StateFetch(far & 63, List.of(Bytes.EMPTY));
                case 3 -> way.sign(new Commit(way.view() + (far & 3), far, digest, way.self()));
                case 4 -> way.sign(new Prepare(far, far & 63, digest, way.self()));
                case 5 -> way.sign(new Checkpoint(far, digest, way.self()));
                case 6 -> way.sign(new Commit(way.view(), far & 63, digest, way.self()));
                default -> new Status(0, false, 0, 0, false);
            };
        }
    }
}
