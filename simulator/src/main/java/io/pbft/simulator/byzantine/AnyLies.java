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
import io.pbft.protocol.CommitCertificate;
import io.pbft.protocol.Decision;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.PrePrepare;
import io.pbft.protocol.Prepare;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.Quorum;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.ReadRequest;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
                int besides = (chance >> 3 & 7) == 0 ? 1 : 0;
                way.lie(to, (chance & 3) == 0 ? unsigned(reply, (chance & 4) == 0) : lie(reply, besides, way));
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
            return lie(reply, 0, way);
        }

        /** Other results, signed; and, where {@code besides} is not 0, said to be those of a client so many further. */
        private static Reply lie(Reply reply, int besides, Way way) {
            Bytes result = Bytes.utf8("lie");
            List<ReplyLeaf> leaves = new ArrayList<>();
            List<Digest> hashes = new ArrayList<>();
            for (Reply.Item item : reply.items()) {
                ReplyLeaf leaf = item.leaf();
                ReplyLeaf lie = new ReplyLeaf(
                        leaf.client() + besides,
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

    /**
     * Answers reads with what was: as if nothing had ever been written, or with the answer that the same question had before it
     * changed last. A correct replica that lags may say the same.
     */
    static final class LieRead extends Behaviour {
        private static final Bytes NOTHING = Bytes.utf8("-");
        private static final int KEPT_MAX = 256;

        private record Question(NodeId client, long nonce) {}

        /** The last two different answers to one question, by the operation. */
        private record Answers(Optional<ReadReply> before, ReadReply now) {}

        /** What is being asked, the oldest first. */
        private final Map<Question, Bytes> asked = new LinkedHashMap<>();

        private final Map<Bytes, Answers> answers = new LinkedHashMap<>();

        @Override
        boolean hears(NodeId from, Message message, Way way) {
            if (message instanceof ReadRequest request) {
                keep(asked, new Question(from, request.nonce()), request.operation());
            }
            return true;
        }

        private static <K, V> void keep(Map<K, V> map, K key, V value) {
            map.put(key, value);
            if (map.size() > KEPT_MAX) {
                map.remove(map.keySet().iterator().next());
            }
        }

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (!(message instanceof ReadReply reply)) {
                way.pass(to, message);
                return;
            }
            Optional<ReadReply> before = Optional.ofNullable(asked.remove(new Question(to, reply.nonce())))
                    .flatMap(operation -> learn(operation, reply));
            if (!way.dares(1, to, keyOf(message))) {
                way.pass(to, message);
                return;
            }
            boolean stale = (way.chance(keyOf(message), to.index()) & 1) == 0;
            boolean full = reply.result().isPresent();
            ReadReply told = before.filter(
                            old -> stale && (!full || old.result().isPresent()))
                    .orElse(new ReadReply(0, 0, 0, Outcome.EXECUTED, Digest.of(NOTHING), Optional.of(NOTHING)));
            way.lie(
                    to,
                    new ReadReply(
                            reply.nonce(),
                            reply.seq(),
                            reply.timeMillis(),
                            told.outcome(),
                            told.digest(),
                            full ? told.result() : Optional.empty()));
        }

        /** What was answered to {@code operation} before it was {@code reply}. */
        private Optional<ReadReply> learn(Bytes operation, ReadReply reply) {
            Answers known = answers.get(operation);
            if (known == null) {
                keep(answers, operation, new Answers(Optional.empty(), reply));
                return Optional.empty();
            } else if (!known.now.digest().equals(reply.digest())) {
                keep(answers, operation, new Answers(Optional.of(known.now), reply));
                return Optional.of(known.now);
            } else if (known.now.result().isEmpty()) {
                keep(answers, operation, new Answers(known.before, reply));
            }
            return known.before;
        }
    }

    /** Votes, decides, answers and asks in the names of others, under its own signature or under theirs for something else. */
    static final class ForgeSignature extends Behaviour {
        private Optional<Proposal> last = Optional.empty();

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
            if (message instanceof Decision decision && way.dares(0.5, to, keyOf(message))) {
                way.lie(
                        to,
                        decided(
                                decision.certificate().view(),
                                decision.certificate().seq(),
                                decision.batch(),
                                way));
                return;
            }
            way.pass(to, message);
            Optional<Proposal> about = aboutLast(message);
            if (about.isPresent() && to.isReplica() && way.dares(0.2, to, ~keyOf(message))) {
                PrePrepare header = about.get().prePrepare().statement();
                way.lie(to, decided(header.view(), header.seq(), about.get().batch(), way));
            }
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

        @Override
        boolean hears(NodeId from, Message message, Way way) {
            if (message instanceof Proposal proposal) {
                last = Optional.of(proposal);
            }
            return true;
        }

        /** The proposal heard last, where {@code message} is a COMMIT for it. */
        private Optional<Proposal> aboutLast(Message message) {
            return last.filter(proposal -> message instanceof Signed<?> signed
                    && signed.statement() instanceof Commit commit
                    && commit.seq() == proposal.prePrepare().statement().seq());
        }

        /** A decision for another batch than the honest one: the COMMITs of a quorum, all with the liar's signature. */
        private static Decision decided(long view, long seq, Batch honest, Way way) {
            Batch batch = PrimaryLies.altered(honest, way.chance(Mix.mix(view, seq), 1));
            Commit own = new Commit(view, seq, batch.digest(), way.self());
            Signed<Commit> signed = way.sign(own);
            List<Signed<Commit>> commits = new ArrayList<>();
            for (int other = 0; commits.size() < new Quorum(way.replicas()).quorum(); other++) {
                commits.add(new Signed<>(new Commit(view, seq, batch.digest(), other), signed.signature()));
            }
            return new Decision(new CommitCertificate(view, seq, batch.digest(), commits), batch);
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

    /**
     * Says again what it and others said before, and answers clients with what it told them or others; as primary it also orders
     * again what clients asked for before.
     */
    static final class Replay extends Behaviour {
        private static final int KEPT_MAX = 256;
        private static final int PER_TICK = 2;

        private record Told(NodeId client, Message answer) {}

        private final List<Told> answers = new ArrayList<>();
        private long answered;

        private final List<Message> kept = new ArrayList<>();
        private final List<Signed<Request>> requests = new ArrayList<>();

        /** What is proposed instead, by view and sequence number. */
        private final Map<Long, Optional<Batch>> told = new LinkedHashMap<>();

        private long count;

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (to.isReplica()) {
                keep(message);
            } else if (answers.size() < KEPT_MAX) {
                answers.add(new Told(to, message));
            } else {
                answers.set((int) (answered++ % KEPT_MAX), new Told(to, message));
            }
            if (message instanceof Proposal proposal
                    && proposal.prePrepare().statement().replica() == way.self()) {
                propose(to, proposal, way);
            } else {
                way.pass(to, message);
            }
        }

        private void propose(NodeId to, Proposal honest, Way way) {
            PrePrepare header = honest.prePrepare().statement();
            long about = Mix.mix(header.view(), header.seq());
            Optional<Batch> again = told.computeIfAbsent(about, key -> again(honest.batch(), way.chance(about, 2)));
            if (told.size() > KEPT_MAX) {
                told.remove(told.keySet().iterator().next());
            }
            if (again.isPresent() && way.dares(0.4, NodeId.replica(0), about)) {
                way.lie(to, PrimaryLies.propose(header.view(), header.seq(), again.get(), way));
            } else {
                way.pass(to, honest);
            }
        }

        /** The batch with an old request in it, in front or behind; seldom with the same request twice. */
        private Optional<Batch> again(Batch batch, long chance) {
            List<Signed<Request>> more = new ArrayList<>(batch.requests());
            if (!batch.requests().isEmpty() && !requests.isEmpty()) {
                boolean twice = (chance & 14) == 0;
                Signed<Request> old =
                        twice ? more.get(0) : requests.get((int) Long.remainderUnsigned(chance >>> 4, requests.size()));
                more.add((chance & 1) == 0 ? 0 : more.size(), old);
            }
            for (Signed<Request> request : batch.requests()) {
                if (!requests.contains(request)) {
                    requests.add(request);
                }
            }
            while (requests.size() > KEPT_MAX) {
                requests.remove(0);
            }
            return more.size() == batch.requests().size()
                    ? Optional.empty()
                    : Optional.of(new Batch(batch.timeMillis(), more));
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
            for (int i = 0; i < PER_TICK && !answers.isEmpty(); i++) {
                long now = Mix.mix(way.nowMicros(), ~i);
                NodeId to = pick(way.chance(now, 0)).client();
                if (way.dares(0.5, to, now)) {
                    way.lie(to, pick(way.chance(now, 1)).answer());
                }
            }
        }

        private Told pick(long chance) {
            return answers.get((int) Long.remainderUnsigned(chance, answers.size()));
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
                case 1 -> (far & 1) == 0 ? new BatchFetch(List.of(digest)) : new StateFetch(~far, List.of());
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
