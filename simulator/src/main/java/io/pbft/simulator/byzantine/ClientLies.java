package io.pbft.simulator.byzantine;

import static io.pbft.simulator.byzantine.PrimaryLies.keyOf;

import io.pbft.crypto.Bytes;
import io.pbft.crypto.Digest;
import io.pbft.crypto.Signature;
import io.pbft.protocol.Commit;
import io.pbft.protocol.Message;
import io.pbft.protocol.NodeId;
import io.pbft.protocol.Outcome;
import io.pbft.protocol.Proposal;
import io.pbft.protocol.ReadReply;
import io.pbft.protocol.Refusal;
import io.pbft.protocol.Reply;
import io.pbft.protocol.ReplyRoot;
import io.pbft.protocol.Request;
import io.pbft.protocol.Signed;
import io.pbft.protocol.Statement;
import io.pbft.protocol.Status;
import io.pbft.simulator.world.Mix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What a replica can do to clients besides lying about results and reads. */
final class ClientLies {
    private ClientLies() {}

    /** Says what is right, under a signature that is good in another cluster with the same keys. */
    static final class OtherCluster extends Behaviour {
        @Override
        void outgoing(NodeId to, Message message, Way way) {
            Optional<Message> elsewhere = elsewhere(message, way);
            if (elsewhere.isPresent() && way.dares(0.7, to, keyOf(message))) {
                way.lie(to, elsewhere.get());
            } else {
                way.pass(to, message);
            }
        }

        /** Empty where the message is not signed by this replica. */
        private static Optional<Message> elsewhere(Message message, Way way) {
            if (message instanceof Reply reply) {
                return Optional.of(new Reply(way.signElsewhere(reply.root().statement()), reply.items()));
            } else if (message instanceof Proposal proposal && isOwn(proposal.prePrepare(), way)) {
                return Optional.of(
                        new Proposal(way.signElsewhere(proposal.prePrepare().statement()), proposal.batch()));
            } else if (message instanceof Signed<?> signed && isOwn(signed, way)) {
                return Optional.of(way.signElsewhere(signed.statement()));
            }
            return Optional.empty();
        }

        private static boolean isOwn(Signed<? extends Statement> signed, Way way) {
            return signed.statement().signer().equals(NodeId.replica(way.self()));
        }
    }

    /** Tells clients of a view that is over, or of one that is still to come, best of all its own. */
    static final class FalseView extends Behaviour {
        private static final long FAR = 1_000_000;

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof Reply reply && way.dares(0.9, to, keyOf(message))) {
                ReplyRoot honest = reply.root().statement();
                long view = instead(honest.view(), way.chance(keyOf(message), to.index()), way);
                ReplyRoot lie = new ReplyRoot(view, honest.root(), honest.leaves(), way.self());
                way.lie(to, new Reply(way.sign(lie), reply.items()));
            } else {
                way.pass(to, message);
            }
        }

        private static long instead(long view, long chance, Way way) {
            boolean stale = view > 0 && (chance & 1) == 0;
            if (stale) {
                return Long.remainderUnsigned(chance >>> 4, view);
            }
            return (chance & 2) == 0 ? view + 1 + (chance >>> 4 & 3) : FAR * way.replicas() + way.self();
        }
    }

    /**
     * Refuses requests, as overloaded or as those of a session that is over: when they come, or in place of the answer, and such
     * as nobody sent. It takes part in ordering them all the same.
     */
    static final class Refuse extends Behaviour {
        @Override
        boolean hears(NodeId from, Message message, Way way) {
            if (message instanceof Signed<?> signed
                    && signed.statement() instanceof Request request
                    && from.equals(NodeId.client(request.client()))
                    && way.dares(0.7, from, keyOf(message))) {
                long chance = way.chance(keyOf(message), 0);
                boolean forged = (chance & 6) == 0;
                long epoch = forged ? request.epoch() + 1 : request.epoch();
                way.lie(from, new Refusal(epoch, request.first(), reason(chance)));
            }
            return true;
        }

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof Reply reply && !reply.items().isEmpty() && way.dares(0.7, to, keyOf(message))) {
                long chance = way.chance(keyOf(message), to.index());
                var leaf = reply.items().get(0).leaf();
                long number = (chance & 6) == 0 ? leaf.number() + (chance >>> 8 & 0xff) : leaf.number();
                way.lie(to, new Refusal(leaf.epoch(), number, reason(chance)));
            } else {
                way.pass(to, message);
            }
        }

        private static Refusal.Reason reason(long chance) {
            return (chance & 1) == 0 ? Refusal.Reason.OVERLOADED : Refusal.Reason.SESSION_EXPIRED;
        }
    }

    /**
     * Sends the clients that it knows a great many messages that cost something to look at and are worth nothing. What it
     * answers besides is honest.
     */
    static final class FloodClients extends Behaviour {
        private static final int PER_TICK = 24;

        /** What each client was answered last. */
        private final Map<Integer, Reply> last = new TreeMap<>();

        @Override
        void outgoing(NodeId to, Message message, Way way) {
            if (message instanceof Reply reply && !to.isReplica()) {
                last.put(to.index(), reply);
            }
            way.pass(to, message);
        }

        @Override
        void tick(Way way) {
            List<Map.Entry<Integer, Reply>> answered = new ArrayList<>(last.entrySet());
            for (int i = 0; i < PER_TICK && !answered.isEmpty(); i++) {
                long about = Mix.mix(way.nowMicros(), i);
                long chance = way.chance(about, 0);
                Map.Entry<Integer, Reply> one = answered.get((int) Long.remainderUnsigned(chance, answered.size()));
                NodeId client = NodeId.client(one.getKey());
                if (way.dares(0.8, client, about)) {
                    way.lie(client, junk(one.getValue(), way, way.chance(about, 1)));
                }
            }
        }

        private static Message junk(Reply answer, Way way, long chance) {
            Bytes noise = Bytes.utf8("junk " + chance);
            Digest digest = Digest.of(noise);
            long far = chance >>> 40;
            ReplyRoot root = answer.root().statement();
            return switch ((int) (chance & 7)) {
                case 0 -> answer;
                case 1 -> new Reply(way.sign(new ReplyRoot(root.view(), digest, root.leaves(), way.self())), List.of());
                case 2 ->
                    new Reply(way.sign(new ReplyRoot(root.view(), digest, root.leaves(), way.self())), answer.items());
                case 3 -> new Status(way.view() + far, true, far, far, false, far);
                case 4 -> new ReadReply(far, far, far, Outcome.EXECUTED, digest, Optional.of(noise));
                case 5 -> way.sign(new Commit(way.view(), far, digest, way.self()));
                default -> new Reply(new Signed<>(root, spoilt(answer.root().signature(), chance)), answer.items());
            };
        }

        /** Each time another signature that nobody has looked at yet. */
        private static Signature spoilt(Signature signature, long chance) {
            byte[] bytes = signature.toByteArray();
            for (int i = 0; i < Long.BYTES; i++) {
                bytes[i] ^= (byte) (chance >>> (8 * i));
            }
            return Signature.copyOf(bytes, 0, bytes.length);
        }
    }
}
